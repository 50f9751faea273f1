"""Run syncs with Fivetran's SDK and read what they wrote.

Only this module and `grpc_sync` use what the SDK does not document. SDK 3.0 runs in this process,
SDK 2.13 in an environment of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from fivetran_connector_sdk import Connector, Logging
from fivetran_connector_sdk_cli import (
    configuration_decryption,
    core_adapter,
    memory_tracker,
    runtime,
    schema_processing,
)
from fivetran_connector_sdk_common import constants
from fivetran_connector_sdk_core import constants as core_constants
from fivetran_connector_sdk_core import renaming, runner

import connector
from devkit.package import PROJECT
from endpoints import ENDPOINTS
from flatten.names import RESERVED_PREFIX

Configuration = Mapping[str, str]
State = Mapping[str, Any]
Update = Callable[[Configuration, State], None]

GRPC_PYTHON = PROJECT / ".venv-grpc" / "bin" / "python"
_LONGEST_GRPC_SYNC_SECONDS = 60


class Synced(NamedTuple):
    """The result of a sync into a warehouse: its log, its error if it failed, the saved state."""

    log: str
    error: Exception | None
    state: State


class Emitted(NamedTuple):
    """The operations that the SDK would send to a destination, and the error of a failed sync.

    An operation is a list: its kind, then the text of a checkpoint or a warning, or a table and
    its cells as text. On SDK 2.13, `tables` has the type of each column and whether it is a key.
    """

    operations: list[list[Any]]
    error: str | None
    tables: Mapping[str, Mapping[str, list[Any]]] = {}


def decrypted(configuration: Configuration) -> Configuration:
    """Return a configuration with the values decrypted that `fivetran configuration` encrypted.

    Raises ValueError if the key is not on this machine.
    """
    plain: Configuration = configuration_decryption.decrypt_configuration_values(configuration)
    return plain


def sync(
    configuration: Configuration, folder: Path, *, update: Update = connector.update
) -> Synced:
    """Run one sync into the warehouse in `folder`, from the state that was saved there."""
    prepare("DEBUG")
    _watch_no_memory()
    log, error = io.StringIO(), None
    with contextlib.redirect_stdout(log):
        try:
            run(update, configuration, folder)
        except Exception as caught:  # noqa: BLE001 (the caller looks at it)
            error = caught
    return Synced(log.getvalue(), error, state_of(folder))


def run(update: Update, configuration: Configuration, folder: Path) -> None:
    """Run one sync without capturing anything; `prepare` has to be called before."""
    subject = Connector(update=update, schema=connector.schema)
    core_adapter.run(subject, str(folder), configuration, state_of(folder))


def prepare(level: str) -> None:
    """Enable the SDK's log from this level on, and keep it from asking for newer releases."""
    constants.DEBUGGING = True
    Logging.LOG_LEVEL = Logging.Level[level]
    runner.check_newer_version = runner.notify_license = _do_nothing


def emit(configuration: Configuration, state: State) -> Emitted:
    """Run one sync without a destination."""
    prepare("WARNING")
    _watch_no_memory()
    subject = Connector(update=connector.update, schema=connector.schema)
    sink, error = _Sink(), None
    schema_processing.reset()
    subject.get_schema(configuration)
    runtime.install(sink)
    try:
        subject.run_update(configuration, state)
    except Exception as caught:  # noqa: BLE001 (the caller looks at it)
        error = str(caught)
    finally:
        runtime.install(None)
    return Emitted(sink.operations, error)


def emit_on_grpc(configuration: Configuration, state: State) -> Emitted:
    """Run one sync without a destination on SDK 2.13, in a process of its own."""
    finished = subprocess.run(
        [GRPC_PYTHON, "-m", "devkit.grpc_sync"],
        cwd=PROJECT,
        input=json.dumps({"configuration": configuration, "state": state}),
        capture_output=True,
        text=True,
        check=True,
        timeout=_LONGEST_GRPC_SYNC_SECONDS,
    )
    return Emitted(**json.loads(finished.stdout))


def renamed(field: str) -> str:
    """Return the column that a field becomes, by the SDK's own renaming."""
    column: str = renaming.redshift_safe(field)
    return column


def state_file(folder: Path) -> Path:
    """Return where the state of the syncs into `folder` is saved."""
    return folder / "files" / "state.json"


def state_of(folder: Path) -> State:
    """Return the state that the last sync into `folder` saved."""
    path = state_file(folder)
    state: State = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return state


def query(folder: Path, sql: str) -> list[Any]:
    """Return the rows of a query on the warehouse in `folder`."""
    with contextlib.closing(duckdb.connect(str(folder / "files" / "warehouse.db"))) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'; SET schema = 'tester'")
        return warehouse.execute(sql).fetchall()


def columns(folder: Path, table: str) -> dict[str, str]:
    """Return the type of each column of a table, without Fivetran's own columns."""
    rows = query(folder, f"DESCRIBE {table}")
    return {name: kind for name, kind, *_ in rows if not name.startswith(RESERVED_PREFIX)}


def counts(folder: Path, *, deleted: bool = False) -> dict[str, int]:
    """Return the number of rows that are not deleted, or of those that are, by table."""
    select = f"SELECT count(*) FILTER (_fivetran_deleted = {deleted}) FROM"
    tables = [table.name for endpoint in ENDPOINTS for table in endpoint.tables]
    return {table: query(folder, f"{select} {table}")[0][0] for table in tables}


class _Sink:
    """A destination that keeps what the SDK sends to it."""

    def __init__(self) -> None:
        self.operations: list[list[Any]] = []

    def record(self, record: Any) -> None:
        cells = {name: _text(cell) for name, cell in record.row_data.items()}
        self.operations.append([record.type.name.lower(), record.table, cells])

    def truncate(self, truncate: Any) -> None:
        self.operations.append(["truncate", truncate.table, {}])

    def checkpoint(self, checkpoint: Any) -> None:
        self.operations.append(["checkpoint", checkpoint.state_json])

    def warning(self, warning: Any) -> None:
        self.operations.append(["warning", warning.message])


def _text(cell: bytes) -> str:
    """Return a cell as text, a float of 32 bits with the digits that these hold."""
    if cell[0] == core_constants.CELL_FLOAT:
        (held,) = struct.unpack("f", struct.pack("f", float(cell[1:])))
        return chr(cell[0]) + str(held)
    return cell.decode()


def _watch_no_memory() -> None:
    """Keep the SDK from a thread at each sync, which would log the memory used at exit."""
    memory_tracker.DebugMemoryTracker.start = _do_nothing


def _do_nothing(*_: object) -> None:
    pass
