"""The one place where the benchmark reaches into the SDK: a sync in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from fivetran_connector_sdk import Connector, Logging
from fivetran_connector_sdk_cli import core_adapter
from fivetran_connector_sdk_common import constants

import connector

State = Mapping[str, object]
Update = Callable[[Mapping[str, str], State], None]


def sync(update: Update, configuration: Mapping[str, str], folder: Path) -> None:
    """Run one sync into DuckDB in ``folder``, from the state that the last one left there."""
    subject = Connector(update=update, schema=connector.schema)
    core_adapter.run(subject, str(folder), configuration, state_of(folder))


def allow_logging() -> None:
    """Let the SDK's log be used, within a sync and without one."""
    constants.DEBUGGING = True
    Logging.LOG_LEVEL = Logging.Level.INFO


def state_file(folder: Path) -> Path:
    """Tell where the state of the syncs into ``folder`` is kept."""
    return folder / "files" / "state.json"


def state_of(folder: Path) -> State:
    """Give the state that the last sync left."""
    path = state_file(folder)
    state: State = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return state
