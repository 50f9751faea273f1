"""Read tables with DuckDB and with a distributed engine, and compare columns, keys and rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
from pyspark.sql import SparkSession

from lakehouse.servers import CATALOG, NAMESPACE

_SCHEMA = "tester"  # where `fivetran debug` writes the tables
# Iceberg lacks these types, so the SDK writes other ones.
_WRITTEN_AS = {"extension<arrow.json>": "string", "int16": "int32"}
# The time of writing always differs between two syncs, so only its presence is compared.
_SYNCED = "_fivetran_synced"


class Compared(NamedTuple):
    """The number of rows that each reader found, None without the table, and the difference."""

    name: str
    counts: tuple[int | None, ...]
    difference: str


def by_duckdb(warehouse: Path) -> dict[str, pa.Table]:
    """Read the tables of a warehouse that `fivetran debug` wrote."""
    with closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        connection.execute(f"SET TimeZone = 'UTC'; SET schema = '{_SCHEMA}'")
        tables = {}
        for (name,) in connection.execute(f"SHOW TABLES FROM {_SCHEMA}").fetchall():
            found = connection.table(name).to_arrow_table()
            # Arrow's copy of a DuckDB table loses the NOT NULL of a key.
            described = connection.execute(f'DESCRIBE "{name}"').fetchall()
            nullable = {column: null == "YES" for column, _, null, *_ in described}
            fields = [field.with_nullable(nullable[field.name]) for field in found.schema]
            tables[name] = found.cast(pa.schema(fields))
        return tables


def by_sail(address: str) -> dict[str, pa.Table]:
    """Read the tables of the catalog through the engine at `address`."""
    spark = SparkSession.builder.remote(address).create()
    try:
        listed = spark.sql(f"SHOW TABLES IN {CATALOG}.{NAMESPACE}").collect()
        names = [row.tableName for row in listed]
        return {name: spark.table(f"{CATALOG}.{NAMESPACE}.{name}").toArrow() for name in names}
    finally:
        spark.stop()


def compared(expected: Mapping[str, pa.Table], found: Mapping[str, pa.Table]) -> list[Compared]:
    """Compare each table that at least one reader found."""
    result = []
    for name in sorted(expected.keys() | found.keys()):
        pair = expected.get(name), found.get(name)
        counts = tuple(None if table is None else table.num_rows for table in pair)
        result.append(Compared(name, counts, _difference(*pair)))
    return result


def _difference(expected: pa.Table | None, found: pa.Table | None) -> str:
    if expected is None or found is None:
        return "the table is unexpected" if expected is None else "the table is missing"
    columns = _columns(expected)
    if columns != _columns(found):
        return f"columns are {_columns(found)}, expected {columns}"
    wanted, read = (_counted(table, sorted(columns)) for table in (expected, found))
    missing, unexpected = (wanted - read).total(), (read - wanted).total()
    if missing or unexpected:
        return f"{missing} rows are missing and {unexpected} are unexpected"
    return ""


def _columns(table: pa.Table) -> dict[str, str]:
    """Return the type of each column."""
    return {field.name: _type(field) for field in table.schema}


def _type(field: pa.Field) -> str:
    kind = str(field.type)
    return _WRITTEN_AS.get(kind, kind) + ("" if field.nullable else ", required")


def _counted(table: pa.Table, names: list[str]) -> Counter[tuple[object, ...]]:
    return Counter(
        tuple(row[name] is None if name == _SYNCED else row[name] for name in names)
        for row in table.to_pylist()
    )
