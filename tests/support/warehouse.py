"""The rows that a warehouse should have for some catalogs, and those that it has."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

from devkit import sdk
from endpoints import ENDPOINTS, Table
from flatten import Row, flatten_item
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
        for flat in (flatten_item(endpoint, item) for item in catalogs[endpoint.name]):
            if flat.row is None or (flat.key,) in found[endpoint.table.name]:
                continue
            _add(found, endpoint.table, flat.row)
            for row in flat.children.values():
                _add(found, endpoint.tables[1], row)
    return found


def written_rows(folder: Path, tables: Iterable[str] = TABLES) -> Tables:
    """Return the rows of these tables, or of all, that are not deleted."""
    found: Tables = {name: {} for name in tables}
    for name in found:
        types = TABLES[name].types
        columns = ", ".join(
            f"epoch_us({column_name(column)})" if kind == "UTC_DATETIME" else column_name(column)
            for column, kind in types.items()
        )
        for row in sdk.query(folder, f"SELECT {columns} FROM {name} WHERE NOT _fivetran_deleted"):
            values = dict(zip(types, row, strict=True))
            found[name][_key(TABLES[name], values)] = row
    return found


def _add(found: Tables, table: Table, row: Row) -> None:
    values = tuple(_stored(row[column], kind) for column, kind in table.types.items())
    found[table.name][_key(table, row)] = values


def _key(table: Table, row: Row) -> tuple[object, ...]:
    return tuple(row[column] for column in table.primary_key)


def _stored(value: object, kind: str) -> object:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    if kind == "DOUBLE" and isinstance(value, float) and abs(value) < sys.float_info.min:
        return 0.0  # Fivetran stores smaller ones as zero
    return value
