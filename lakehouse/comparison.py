"""Whether two readers found the same table: its columns with their types, its keys, its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

# The moment of writing differs between two syncs by its nature, so only its presence counts.
_SYNCED = "_fivetran_synced"


class Table(NamedTuple):
    """What a reader found: the type of each column, and the rows in any order."""

    columns: Mapping[str, str]
    rows: list[dict[str, object]]


class Line(NamedTuple):
    """What the readers found of one table; None where a reader found none."""

    name: str
    counts: tuple[int | None, ...]
    differences: list[str]


def compared(readings: Mapping[str, Mapping[str, Table]]) -> list[Line]:
    """Compare each table that any reader found with what the first reader found."""
    first, *others = readings
    names = sorted({name for tables in readings.values() for name in tables})
    lines = []
    for name in names:
        found = [tables.get(name) for tables in readings.values()]
        counts = tuple(table and len(table.rows) for table in found)
        differences = [
            f"{reader}: {difference}"
            for reader in others
            for difference in _differences(readings[first].get(name), readings[reader].get(name))
        ]
        lines.append(Line(name, counts, differences))
    return lines


def _differences(expected: Table | None, found: Table | None) -> Iterator[str]:
    if expected is None or found is None:
        yield "no such table" if expected else "a table too many"
        return
    for name in sorted({*expected.columns, *found.columns}):
        wanted, got = expected.columns.get(name), found.columns.get(name)
        if wanted != got:
            yield f"column {name} is {got or 'missing'}, not {wanted or 'there'}"
    names = sorted(expected.columns.keys() & found.columns.keys())
    missing = _counted(expected, names) - _counted(found, names)
    added = _counted(found, names) - _counted(expected, names)
    if missing or added:
        columns = [name for name in names if _counted(expected, [name]) != _counted(found, [name])]
        where = f", which shows in {', '.join(columns)}" if columns else ""
        yield f"{missing.total()} rows are missing and {added.total()} are too many{where}"


def _counted(table: Table, names: Sequence[str]) -> Counter[tuple[object, ...]]:
    return Counter(
        tuple(row[name] is None if name == _SYNCED else row[name] for name in names)
        for row in table.rows
    )
