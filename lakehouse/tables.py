"""Read tables with DuckDB and with a distributed engine."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
from pyspark.sql import SparkSession

from lakehouse.compare import Column, Table
from lakehouse.servers import CATALOG, NAMESPACE

_SCHEMA = "tester"  # where `fivetran debug` writes the tables


def by_duckdb(warehouse: Path) -> dict[str, Table]:
    """Read the tables of a warehouse that `fivetran debug` wrote."""
    with closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        connection.execute(f"SET TimeZone = 'UTC'; SET schema = '{_SCHEMA}'")
        tables = {}
        for (name,) in connection.execute(f"SHOW TABLES FROM {_SCHEMA}").fetchall():
            table = _table(connection.table(name).to_arrow_table())
            # Arrow's copy of a DuckDB table loses the NOT NULL of a key.
            described = connection.execute(f'DESCRIBE "{name}"').fetchall()
            nullable = {column: null == "YES" for column, _, null, *_ in described}
            columns = [each._replace(nullable=nullable[each.name]) for each in table.columns]
            tables[name] = table._replace(columns=columns)
        return tables


def by_sail(address: str) -> dict[str, Table]:
    """Read the tables of the catalog through the engine at `address`."""
    spark = SparkSession.builder.remote(address).create()
    try:
        listed = spark.sql(f"SHOW TABLES IN {CATALOG}.{NAMESPACE}").collect()
        names = [row.tableName for row in listed]
        tables = {name: spark.table(f"{CATALOG}.{NAMESPACE}.{name}") for name in names}
        return {name: _table(table.toArrow()) for name, table in tables.items()}
    finally:
        spark.stop()


def _table(arrow: pa.Table) -> Table:
    columns = [Column(field.name, str(field.type), field.nullable) for field in arrow.schema]
    return Table(columns, arrow.to_pylist())
