"""Compare tables that two readers found: columns, keys and rows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# The time of writing always differs between two syncs, so only its presence is compared.
_SYNCED = "_fivetran_synced"
# Iceberg lacks these types, so the SDK writes other ones.
_WRITTEN_AS = {"extension<arrow.json>": "string", "int16": "int32"}


class Column(NamedTuple):
    """The name of a column, its type as Arrow spells it, and whether it may be NULL."""

    name: str
    kind: str
    nullable: bool


class Table(NamedTuple):
    """The columns and the rows of a table."""

    columns: Sequence[Column]
    rows: Sequence[Mapping[str, object]]


class Compared(NamedTuple):
    """The number of rows that each reader found, None without the table, and the difference."""

    name: str
    counts: tuple[int | None, int | None]
    difference: str


def compared(expected: Mapping[str, Table], found: Mapping[str, Table]) -> list[Compared]:
    """Compare each table that at least one reader found."""
    result = []
    for name in sorted(expected.keys() | found.keys()):
        one, other = expected.get(name), found.get(name)
        counts = one and len(one.rows), other and len(other.rows)
        result.append(Compared(name, counts, _difference(one, other)))
    return result


def _difference(expected: Table | None, found: Table | None) -> str:
    if expected is None or found is None:
        return "the table is unexpected" if expected is None else "the table is missing"
    columns, others = _types(expected), _types(found)
    if columns != others:
        return f"columns are {others}, expected {columns}"
    wanted, read = (_counted(table, sorted(columns)) for table in (expected, found))
    missing, unexpected = (wanted - read).total(), (read - wanted).total()
    if missing or unexpected:
        return f"{missing} rows are missing and {unexpected} are unexpected"
    return ""


def _types(table: Table) -> dict[str, str]:
    return {
        name: _WRITTEN_AS.get(kind, kind) + ("" if nullable else ", required")
        for name, kind, nullable in table.columns
    }


def _counted(table: Table, names: list[str]) -> Counter[tuple[object, ...]]:
    return Counter(
        tuple(row[name] is None if name == _SYNCED else row[name] for name in names)
        for row in table.rows
    )
