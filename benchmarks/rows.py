"""The rows that the syncs of a variant left."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb

from endpoints import ENDPOINTS


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
