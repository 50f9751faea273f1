"""The only module that uses internals of the SDK: a sync in this process, and what it leaves."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
from fivetran_connector_sdk import Connector, Logging
from fivetran_connector_sdk_cli import core_adapter
from fivetran_connector_sdk_common import constants
from fivetran_connector_sdk_core import renaming, runner

import connector
from endpoints import ENDPOINTS

State = Mapping[str, object]
Update = Callable[[Mapping[str, str], State], None]


def prepare() -> None:
    """Enable the SDK's log, and keep the SDK from looking for a newer release of itself."""
    constants.DEBUGGING = True
    Logging.LOG_LEVEL = Logging.Level.INFO
    runner.check_newer_version = runner.notify_license = lambda *_, **__: None


def cache_names() -> None:
    """Let the SDK rename each column once, instead of once for each cell."""
    renaming.redshift_safe = functools.cache(renaming.redshift_safe)


def sync(update: Update, configuration: Mapping[str, str], folder: Path) -> None:
    """Run one sync into DuckDB in `folder`, from the state that the last one left there."""
    subject = Connector(update=update, schema=connector.schema)
    core_adapter.run(subject, str(folder), configuration, state_of(folder))


def state_file(folder: Path) -> Path:
    """Return where the SDK keeps the state of the syncs into `folder`."""
    return folder / "files" / "state.json"


def state_of(folder: Path) -> State:
    """Return the state that the last sync left."""
    path = state_file(folder)
    state: State = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return state


def live_rows(folder: Path) -> dict[str, int]:
    """Count the rows that are not deleted, by table; for dlt of the parents alone.

    dlt makes further columns and tables of child lists.
    """
    path, schema, condition = folder / "files" / "warehouse.db", "tester", "NOT _fivetran_deleted"
    tables = {table.name: table.name for endpoint in ENDPOINTS for table in endpoint.tables}
    if folder.name.startswith("dlt"):
        path, schema, condition = folder / "warehouse.duckdb", "catalog", "true"
        tables = {endpoint.table.name: endpoint.name for endpoint in ENDPOINTS}
    if not path.exists():
        return {}
    with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
        rows = {}
        for name, table in tables.items():
            sql = f"SELECT count(*) FROM {schema}.{table} WHERE {condition}"  # noqa: S608
            (rows[name],) = connection.execute(sql).fetchone() or (0,)
        return rows
