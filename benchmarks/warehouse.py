"""What a destination holds after a sync: the same rows whoever wrote them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import duckdb

from endpoints import ENDPOINTS


class DifferentRowsError(Exception):
    """Two variants did not write the same rows, so that their times say nothing."""


def live_rows(folder: Path) -> dict[str, int]:
    """Count the rows that the SDK left and did not delete, by table."""
    names = [table.name for endpoint in ENDPOINTS for table in endpoint.tables]
    return _counts(folder / "files" / "warehouse.db", "tester", names, "NOT _fivetran_deleted")


def dlt_rows(folder: Path) -> dict[str, int]:
    """Count the rows of dlt's tables, one per endpoint.

    Of the few odd child lists it makes columns and tables of its own, so those are left out.
    """
    names = [endpoint.name for endpoint in ENDPOINTS]
    counts = _counts(folder / "warehouse.duckdb", "catalog", names, "true")
    return {endpoint.table.name: counts[endpoint.name] for endpoint in ENDPOINTS}


def check_same(variant: str, rows: Mapping[str, int], expected: Mapping[str, int]) -> None:
    """Raise DifferentRowsError unless ``rows`` are as many as expected, table by table."""
    different = {
        table: (count, expected[table])
        for table, count in rows.items()
        if count != expected[table]
    }
    if different or not rows:
        raise DifferentRowsError(f"{variant} and the connector left rows of {different or 'none'}")


def _counts(path: Path, schema: str, tables: list[str], condition: str) -> dict[str, int]:
    with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
        counts = {}
        for table in tables:
            sql = f"SELECT count(*) FROM {schema}.{table} WHERE {condition}"  # noqa: S608
            (counts[table],) = connection.execute(sql).fetchone() or (0,)
        return counts
