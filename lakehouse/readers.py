"""Read tables with DuckDB, and with Spark's client of a distributed engine."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
from pyspark.sql import SparkSession

from lakehouse.comparison import Table
from lakehouse.sail import CATALOG
from lakehouse.store import NAMESPACE

_SCHEMA = "tester"  # where `fivetran debug` writes the tables
# Iceberg lacks these types, so the SDK writes other ones.
_WRITTEN_AS = {"extension<arrow.json>": "string", "int16": "int32"}


def by_duckdb(warehouse: Path) -> dict[str, Table]:
    """Read the tables of a warehouse that `fivetran debug` wrote."""
    with closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        connection.execute(f"SET TimeZone = 'UTC'; SET schema = '{_SCHEMA}'")
        described = connection.execute(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns "
            "WHERE table_schema = ?",
            [_SCHEMA],
        ).fetchall()
        required = {(table, column) for table, column, nullable in described if nullable == "NO"}
        tables = {}
        for name in sorted({table for table, *_ in described}):
            found = connection.table(name).to_arrow_table()
            # Arrow's copy of a DuckDB table loses the NOT NULL of a key.
            fields = [
                field.with_nullable((name, field.name) not in required) for field in found.schema
            ]
            tables[name] = _table(found.cast(pa.schema(fields)))
        return tables


def by_sail(address: str) -> dict[str, Table]:
    """Read the tables of the catalog through the engine at `address`."""
    spark = SparkSession.builder.remote(address).create()
    try:
        listed = spark.sql(f"SHOW TABLES IN {CATALOG}.{NAMESPACE}").collect()
        return {
            row.tableName: _table(spark.table(f"{CATALOG}.{NAMESPACE}.{row.tableName}").toArrow())
            for row in listed
        }
    finally:
        spark.stop()


def _table(found: pa.Table) -> Table:
    return Table({field.name: _type(field) for field in found.schema}, found.to_pylist())


def _type(field: pa.Field) -> str:
    kind = str(field.type)
    return _WRITTEN_AS.get(kind, kind) + ("" if field.nullable else ", required")
