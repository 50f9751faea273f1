"""The one place where tests reach into the SDK: run a sync in process, and read what it wrote."""

from __future__ import annotations

import contextlib
import io
import json
import struct
from pathlib import Path
from unittest.mock import Mock

import duckdb
from fivetran_connector_sdk import Connector, Logging
from fivetran_connector_sdk_cli import connector as sdk_connector
from fivetran_connector_sdk_cli import core_adapter, runtime, schema_processing
from fivetran_connector_sdk_common import constants
from fivetran_connector_sdk_core import runner
from fivetran_connector_sdk_core.constants import CELL_FLOAT

import connector
from endpoints import ENDPOINTS

# Each sync would leave a thread that weighs the process, and a line about it when the tests end.
sdk_connector.DebugMemoryTracker = Mock
# It would ask the package index for a newer release; tests talk to loopback only.
runner.check_newer_version = runner.notify_license = Mock()

FIVETRAN_COLUMNS = ("_fivetran_deleted", "_fivetran_synced")


class Synced:
    """How a sync in process went: its log, its error if it failed, and the state it left."""

    def __init__(self, log: str, error: BaseException | None, folder: Path) -> None:
        self.log = log
        self.error = error
        self.state = state_of(folder)


def sync(configuration, folder: Path, *, state=None, update=None) -> Synced:
    """Run one sync of the connector into ``folder``, from the state that the last one left there.

    The log is captured. What the sync raises is kept as its error, unless it is a Ctrl-C.
    """
    constants.DEBUGGING = True
    Logging.LOG_LEVEL = Logging.Level.DEBUG
    subject = Connector(update=update or connector.update, schema=connector.schema)
    log, error = io.StringIO(), None
    with contextlib.redirect_stdout(log):
        try:
            state = state_of(folder) if state is None else state
            core_adapter.run(subject, str(folder), configuration, state)
        except Exception as caught:  # noqa: BLE001 (the test looks at it)
            error = caught
    return Synced(log.getvalue(), error, folder)


def state_of(folder: Path):
    """Give the state that the last sync into ``folder`` left."""
    path = folder / "files" / "state.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def query(folder: Path, sql: str):
    """Give the rows of a query on the warehouse in ``folder``."""
    with contextlib.closing(duckdb.connect(str(folder / "files" / "warehouse.db"))) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'; SET schema = 'tester'")
        return warehouse.execute(sql).fetchall()


def columns(folder: Path, table: str) -> dict[str, str]:
    """Give the type of each column of a table, without Fivetran's own columns."""
    rows = query(
        folder,
        "SELECT column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema = 'tester' AND table_name = '{table}' ORDER BY ordinal_position",
    )
    return {name: kind for name, kind in rows if name not in FIVETRAN_COLUMNS}


def live_rows(folder: Path, table: str) -> list[dict[str, object]]:
    """Give the rows of a table that are not deleted, sorted, without Fivetran's own columns.

    Moments are in UTC and without a time zone: DuckDB would need another package to add it.
    """
    types = columns(folder, table)
    names = list(types)
    listed = ", ".join(
        f"\"{name}\" AT TIME ZONE 'UTC'" if "TIME ZONE" in kind else f'"{name}"'
        for name, kind in types.items()
    )
    rows = query(folder, f"SELECT {listed} FROM {table} WHERE NOT _fivetran_deleted ORDER BY ALL")
    return [dict(zip(names, row, strict=True)) for row in rows]


def counts(folder: Path) -> dict[str, int]:
    """Give the number of rows that are not deleted, by table."""
    tables = [table.name for endpoint in ENDPOINTS for table in endpoint.tables]
    return {
        table: query(folder, f"SELECT count(*) FROM {table} WHERE NOT _fivetran_deleted")[0][0]
        for table in tables
    }


class _Sink:
    """Takes what the SDK hands to a destination: lists like those that `grpc_sync` prints."""

    def __init__(self) -> None:
        self.operations: list[list] = []

    def record(self, record):
        cells = {name: _text(cell) for name, cell in record.row_data.items()}
        self.operations.append([record.type.name.lower(), record.table, cells])

    def truncate(self, truncate):
        self.operations.append(["truncate", truncate.table, {}])

    def checkpoint(self, checkpoint):
        self.operations.append(["checkpoint", checkpoint.state_json])

    def warning(self, warning):
        self.operations.append(["warning", warning.message])


def _text(cell: bytes) -> str:
    """Give a cell as text, a float of 32 bits with the digits that these hold."""
    if cell[0] == CELL_FLOAT:
        (held,) = struct.unpack("f", struct.pack("f", float(cell[1:])))
        return chr(CELL_FLOAT) + str(held)
    return cell.decode()


def emitted(configuration, state) -> tuple[list[list], BaseException | None]:
    """Run one sync into nothing; gives what the SDK would hand to a destination, and the error."""
    constants.DEBUGGING = True
    Logging.LOG_LEVEL = Logging.Level.WARNING
    subject, sink, error = (
        Connector(update=connector.update, schema=connector.schema),
        _Sink(),
        None,
    )
    schema_processing.reset()
    subject.get_schema(configuration)
    runtime.install(sink)
    try:
        subject.run_update(configuration, state)
    except Exception as caught:  # noqa: BLE001 (the test looks at it)
        error = caught
    finally:
        runtime.install(None)
    return sink.operations, error
