"""Compare the tables of two readers: columns with their types, keys and rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

# The time of writing always differs between two syncs, so only its presence is compared.
_SYNCED = "_fivetran_synced"


class Table(NamedTuple):
    """A table as read: the type of each column, and the rows in any order."""

    columns: dict[str, str]
    rows: list[dict[str, object]]


class Compared(NamedTuple):
    """The number of rows that each reader found, None without the table, and the differences."""

    name: str
    counts: tuple[int | None, int | None]
    differences: list[str]


def compared(expected: Mapping[str, Table], found: Mapping[str, Table]) -> list[Compared]:
    """Compare each table that at least one reader found."""
    result = []
    for name in sorted(expected.keys() | found.keys()):
        pair = expected.get(name), found.get(name)
        counts = tuple(None if table is None else len(table.rows) for table in pair)
        result.append(Compared(name, (counts[0], counts[1]), list(_differences(*pair))))
    return result


def _differences(expected: Table | None, found: Table | None) -> Iterator[str]:
    if expected is None or found is None:
        yield "the table is missing" if expected else "the table is unexpected"
    elif expected.columns != found.columns:
        yield f"columns are {found.columns}, expected {expected.columns}"
    else:
        missing = (_counted(expected) - _counted(found)).total()
        unexpected = (_counted(found) - _counted(expected)).total()
        if missing or unexpected:
            yield f"{missing} rows are missing and {unexpected} are unexpected"


def _counted(table: Table) -> Counter[tuple[object, ...]]:
    return Counter(
        tuple(
            row[name] is None if name == _SYNCED else row[name] for name in sorted(table.columns)
        )
        for row in table.rows
    )
