"""Flatten one catalog item into its row and the rows of its children.

Pure: no I/O and no logging. Any item has a result, and it is never modified.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from endpoints import ENDPOINTS, Child, Endpoint
from flatten.limits import MAX_SHOWN_LENGTH
from flatten.row import Layout, Row, UndeclaredColumns, layout_of, make_row
from flatten.rules import CHILD_RULES

Key = str | int


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
    """

    key: str | None = None
    row: Row | None = None
    children: dict[Key, Row] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    bad_values: list[tuple[str, str]] = field(default_factory=list)


def _layouts(endpoint: Endpoint) -> tuple[Layout, Layout | None]:
    child = endpoint.child
    if child is None:
        return layout_of(endpoint.table), None
    return layout_of(endpoint.table, child.field), layout_of(child.table)


_LAYOUTS = {endpoint.name: _layouts(endpoint) for endpoint in ENDPOINTS}


def flatten_item(
    endpoint: Endpoint, item: object, columns: UndeclaredColumns | None = None
) -> Flattened:
    """Return the rows of one item of `endpoint`, or the reason why it has none.

    `columns` collects the undeclared columns of a response, to limit their number.
    """
    if not isinstance(item, dict):
        return reject_item(endpoint, f"it is {_json_type(item)}")
    columns = {} if columns is None else columns
    layout, child_layout = _LAYOUTS[endpoint.name]
    row, bad = make_row(layout, item, {}, columns)
    (key_column,) = endpoint.table.primary_key
    problem = _key_problem(key_column, item, row)
    if problem is not None:
        shown = _shown(item.get(key_column))
        return Flattened(rejected=[Rejected(layout.table, shown, problem)])
    flat = Flattened(str(row[key_column]), row)
    flat.bad_values += [(layout.table, column) for column in bad]
    if endpoint.child is not None and child_layout is not None:
        children = row.pop(endpoint.child.field)
        _add_children(flat, endpoint.child, child_layout, children, columns)
    return flat


def reject_item(endpoint: Endpoint, reason: str) -> Flattened:
    """Return the result for an item that cannot be read, and so has no id to report."""
    return Flattened(rejected=[Rejected(endpoint.table.name, "?", reason)])


def _add_children(
    flat: Flattened, child: Child, layout: Layout, value: object, columns: UndeclaredColumns
) -> None:
    foreign_key = {child.foreign_key: flat.key}
    for element in CHILD_RULES[child.field](value):
        if not isinstance(element, dict):
            reason = f"it is {_json_type(element)}"
            flat.rejected.append(Rejected(layout.table, str(flat.key), reason))
            continue
        row, bad = make_row(layout, element, foreign_key, columns)
        key = row[child.key]
        problem = _key_problem(child.key, element, row)
        if problem is None and key in flat.children:
            problem = f"an earlier one has the same {child.key}"
        if problem is not None:
            shown = f"{flat.key}, {child.key} {_shown(element.get(child.key))}"
            flat.rejected.append(Rejected(layout.table, shown, problem))
            continue
        flat.children[key] = row  # type: ignore[index]
        if bad:
            flat.bad_values += [(layout.table, column) for column in bad]


def _key_problem(name: str, fields: Mapping[str, object], row: Row) -> str | None:
    """Return the reason why a row has no valid key in the column `name`; None if it has one.

    The object itself must have that field. Whether another spelling of it is the key is unknown,
    and a wrong key would replace other rows.
    """
    value = fields.get(name)
    if type(value) is str and row[name]:
        return None
    if value is None:
        return f"it has no {name}"
    if type(value) not in (str, int, float):
        return f"its {name} is {_json_type(value)}"
    if row[name] is None or row[name] == "":
        return f"its {name} is {_shown(value)}"
    return None


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return names.get(type(value), "a number")


def _shown(value: object) -> str:
    """Return an id for a log line: on one line and shortened."""
    text = "?" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[:MAX_SHOWN_LENGTH]}…"
