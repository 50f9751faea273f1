"""Flatten one catalog item into its row and the rows of its children.

No I/O and no logging. Any item has a result, and it is never modified.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from endpoints import Child, Endpoint
from flatten.keys import Key, json_type, key_problem, shorten
from flatten.row import Row, RowMaker
from flatten.rules import CHILD_RULES


class Rejected(NamedTuple):
    """A row that cannot be written: its table, an id to find it by, and the reason."""

    table: str
    id: str
    reason: str


@dataclass(slots=True)
class Flattened:
    """The rows of one item.

    `key` is the item's id and `row` its row in the parent table; both are None if the item itself
    is rejected. `children` contains the child rows by the part of their key that is not the
    foreign key. `bad_values` contains a table and column for each value stored as NULL or in part.

    `children_unreadable`: there is a value in the place of the child list that is no list, so
    nothing is known about the children. `children_rejected`: at least one child has no readable
    key, so it could be any of those that are missing (a repeated child could not).
    """

    key: str | None = None
    row: Row | None = None
    children: dict[Key, Row] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    bad_values: list[tuple[str, str]] = field(default_factory=list)
    children_unreadable: bool = False
    children_rejected: bool = False


class Flattener:
    """Flattens the items of one response of `endpoint`.

    The undeclared columns of the response are remembered, to limit their number. Flattening an
    item again, after others of the response, returns the same rows.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        child = endpoint.child
        self._table = endpoint.table.name
        (self._key_column,) = endpoint.table.primary_key
        self._rows = RowMaker(endpoint.table, child.field if child else None)
        self._children = (child, RowMaker(child.table)) if child else None

    def flatten_item(self, item: object) -> Flattened:
        """Return the rows of one item, or the reason why it has none."""
        if not isinstance(item, dict):
            return Flattened(rejected=[Rejected(self._table, "?", f"it is {json_type(item)}")])
        row, bad = self._rows.make_row(item, {})
        item_id, key = item.get(self._key_column), row[self._key_column]
        problem = key_problem(self._key_column, item_id, key)
        if problem is not None:
            return Flattened(rejected=[Rejected(self._table, shorten(item_id), problem)])
        flat = Flattened(str(key), row)
        for column in bad:
            flat.bad_values.append((self._table, column))
        if self._children is not None:
            child, child_rows = self._children
            _add_children(flat, row.pop(child.field), child, child_rows)
        return flat


def _add_children(flat: Flattened, value: object, child: Child, rows: RowMaker) -> None:
    elements = [] if value is None else CHILD_RULES[child.field](value)
    if elements is None:
        flat.children_unreadable = True
        return
    table, foreign_key = child.table.name, {child.foreign_key: flat.key}
    for element in elements:
        if not isinstance(element, dict):
            flat.children_rejected = True
            reason = f"it is {json_type(element)}"
            flat.rejected.append(Rejected(table, str(flat.key), reason))
            continue
        row, bad = rows.make_row(element, foreign_key)
        child_id, key = element.get(child.key), row[child.key]
        problem = key_problem(child.key, child_id, key)
        if problem is not None:
            flat.children_rejected = True
        elif key in flat.children:
            problem = f"an earlier one has the same {child.key}"
        else:
            flat.children[key] = row  # type: ignore[index]
            for column in bad:
                flat.bad_values.append((table, column))
            continue
        shown = f"{flat.key}, {child.key} {shorten(child_id)}"
        flat.rejected.append(Rejected(table, shown, problem))
