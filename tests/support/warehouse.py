"""The rows that a warehouse should have for some catalogs, and those that it has."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from devkit import sdk
from endpoints import ENDPOINTS, Table
from flatten import Flattener, Row
from flatten.names import column_name

# The values of the declared columns by primary key, by table.
Tables = dict[str, dict[tuple[object, ...], tuple[object, ...]]]
TABLES = {table.name: table for endpoint in ENDPOINTS for table in endpoint.tables}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def expected_rows(catalogs: Mapping[str, Iterable[object]]) -> Tables:
    """Return the rows of catalogs, as DuckDB returns them; of items with the same id the first."""
    found: Tables = {}
    for endpoint in (endpoint for endpoint in ENDPOINTS if endpoint.name in catalogs):
        found |= {table.name: {} for table in endpoint.tables}
        for flat in map(Flattener(endpoint).flatten_item, catalogs[endpoint.name]):
            if flat.row is not None and (flat.key,) not in found[endpoint.table.name]:
                _add(found, endpoint.table, flat.row)
                for row in flat.children.values():
                    _add(found, endpoint.tables[1], row)
    return found


def written_rows(folder: Path, tables: Iterable[str] = TABLES) -> Tables:
    """Return the rows of these tables, or of all, that are not deleted."""
    found: Tables = {name: {} for name in tables}
    for name in found:
        columns = ", ".join(
            f"epoch_us({column_name(column)})" if kind == "UTC_DATETIME" else column_name(column)
            for column, kind in TABLES[name].types.items()
        )
        for row in sdk.query(folder, f"SELECT {columns} FROM {name} WHERE NOT _fivetran_deleted"):
            _add(found, TABLES[name], dict(zip(TABLES[name].types, row, strict=True)))
    return found


def _add(found: Tables, table: Table, row: Row) -> None:
    key = tuple(row[column] for column in table.primary_key)
    found[table.name][key] = tuple(_stored(row[column]) for column in table.types)


def _stored(value: object) -> object:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, float) and abs(value) < sys.float_info.min:
        return 0.0  # Fivetran stores smaller ones as zero
    return value
