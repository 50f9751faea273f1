"""One catalog item becomes the rows it fills: one of its own and one per child.

Pure: no I/O, no logging, and the item is never changed. Whatever the item holds, this returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from endpoints import Child, Endpoint, Table
from flatten.names import RESERVED_PREFIX, column_name
from flatten.rules import CHILD_RULES, FIELD_RULES
from flatten.values import COERCIONS, UnfitError, clean_text, undeclared

Row = dict[str, object]
Key = str | int

# The columns that no schema declares, by table, of the items of one response so far.
UndeclaredColumns = dict[str, set[str]]

LONGEST_FIELD_NAME = 1_000
# `fivetran debug` needs 1.5 GB for a table of 2,000 columns.
MOST_UNDECLARED_COLUMNS = 500
TOO_LONG_NAME = f"(names above {LONGEST_FIELD_NAME:,} characters)"
TOO_MANY_COLUMNS = f"(undeclared columns beyond {MOST_UNDECLARED_COLUMNS})"

_LONGEST_SHOWN = 60


class Rejected(NamedTuple):
    """A row that cannot be written: its table, the id to find it by, and why."""

    table: str
    id: str
    reason: str


class Flattened(NamedTuple):
    """The rows of one item.

    `key` is the item's id and `row` its row of the parent table, both None if the item itself is
    rejected. `children` holds each child row by the part of its key that tells it from its
    siblings. `bad_values` names a table and column for every value stored as NULL or in part.
    """

    key: str | None
    row: Row | None
    children: dict[Key, Row]
    rejected: list[Rejected]
    bad_values: list[tuple[str, str]]


def flatten_item(
    endpoint: Endpoint, item: object, columns: UndeclaredColumns | None = None
) -> Flattened:
    """Flatten one item of ``endpoint``; an item that is no object is rejected like any other.

    ``columns`` remembers the undeclared columns over the items of a response, to bound them.
    """
    columns = {} if columns is None else columns
    flat = Flattened(None, None, {}, [], [])
    if not isinstance(item, dict):
        flat.rejected.append(Rejected(endpoint.table.name, "?", f"it is {_described(item)}"))
        return flat
    child = endpoint.child
    if child is not None and child.field not in item:
        item = _with_child_field(child, endpoint.table, item)
    fields = item
    if child is not None and child.field in item:
        fields = {name: value for name, value in item.items() if name != child.field}
    bad: list[str] = []
    row = _row(endpoint.table, fields, bad, columns)
    flaw = _key_flaw(endpoint.table.primary_key, fields, row)
    if flaw is not None:
        flat.rejected.append(Rejected(endpoint.table.name, _shown(item.get("id")), flaw))
        return flat
    flat.bad_values.extend((endpoint.table.name, column) for column in bad)
    key = str(row[endpoint.table.primary_key[0]])
    if child is not None:
        _flatten_children(child, key, item.get(child.field), flat, columns)
    return flat._replace(key=key, row=row)


def _flatten_children(
    child: Child, parent_key: str, value: object, flat: Flattened, columns: UndeclaredColumns
) -> None:
    table = child.table
    for element in CHILD_RULES[child.field](value):
        if not isinstance(element, dict):
            flat.rejected.append(Rejected(table.name, parent_key, f"it is {_described(element)}"))
            continue
        fields = element
        if child.foreign_key in element:  # whatever it says, the parent is known
            fields = {name: v for name, v in element.items() if name != child.foreign_key}
        bad: list[str] = []
        row = _row(table, fields, bad, columns)
        row[child.foreign_key] = parent_key
        key = row[child.key]
        flaw = _key_flaw((child.key,), fields, row)
        if flaw is None and key in flat.children:
            flaw = f"an earlier one has the same {child.key}"
        if flaw is None:
            flat.children[key] = row  # type: ignore[index]
            flat.bad_values.extend((table.name, column) for column in bad)
        else:
            shown = f"{parent_key}, {child.key} {_shown(element.get(child.key))}"
            flat.rejected.append(Rejected(table.name, shown, flaw))


def _row(
    table: Table, fields: Mapping[str, object], bad: list[str], columns: UndeclaredColumns
) -> Row:
    """Shape fields into a row: every declared column, then the undeclared ones by name."""
    given, flaws = fields, len(bad)
    if not FIELD_RULES.keys().isdisjoint(fields):
        fields = _ruled(fields)
    row: Row = {}
    for column, kind in table.types.items():
        value = fields.get(column)
        if value is None:
            row[column] = None
            continue
        try:
            row[column] = COERCIONS[kind](value)
        except UnfitError as unfit:
            row[column] = unfit.kept
            bad.append(column)
    if not fields.keys() <= row.keys():
        others = sorted(fields.keys() - row.keys())
        renamed = _other_spellings(table, given, fields, others)
        if renamed:
            del bad[flaws:]
            respelled = {renamed.get(name, name): value for name, value in fields.items()}
            return _row(table, respelled, bad, columns)
        seen = columns.setdefault(table.name, set())
        _add_undeclared(row, {name: fields[name] for name in others}, bad, seen)
    return row


def _other_spellings(
    table: Table, given: Mapping[str, object], fields: Mapping[str, object], others: list[str]
) -> dict[str, str]:
    """Return the expected name of each unknown field that shares its column with an absent one.

    ``updated_at`` becomes ``updatedAt``, ``image_url`` becomes ``imageUrl``. Of several the first
    by name is taken, and what a rule made of an expected field comes before another spelling.
    """
    expected = _expected(table.primary_key, tuple(table.types))
    renamed: dict[str, str] = {}
    for name in others:
        target = expected.get(column_name(name)) if len(name) <= LONGEST_FIELD_NAME else None
        if target and target not in given and fields.get(target) is None:
            renamed.setdefault(target, name)
    return {name: target for target, name in renamed.items()}


@lru_cache
def _expected(primary_key: tuple[str, ...], declared: tuple[str, ...]) -> dict[str, str]:
    """Return the fields that are no part of a key, declared or of a rule, by their columns."""
    names = (*FIELD_RULES, *(name for name in declared if name not in primary_key))
    return {column_name(name): name for name in names}


def _with_child_field(child: Child, table: Table, item: dict[str, object]) -> dict[str, object]:
    """Rename another spelling of the child list, such as ``Chapters``, the first by name."""
    for name in sorted(item.keys() - table.types.keys() - FIELD_RULES.keys()):
        if len(name) <= LONGEST_FIELD_NAME and column_name(name) == column_name(child.field):
            return {child.field if key == name else key: value for key, value in item.items()}
    return item


def _ruled(fields: Mapping[str, object]) -> dict[str, object]:
    """Put what the rules make of fields in their place; a field of that name goes before it."""
    ruled = {name: value for name, value in fields.items() if name not in FIELD_RULES}
    for field in FIELD_RULES.keys() & fields.keys():
        for name, made in FIELD_RULES[field](field, fields[field]).items():
            if ruled.get(name) is None:
                ruled[name] = made
    return ruled


def _add_undeclared(
    row: Row, fields: Mapping[str, object], bad: list[str], seen: set[str]
) -> None:
    """Add the fields that the schema does not know, sorted: their order in JSON is no change.

    Of fields that become one column the first is kept, as Fivetran does, and a field that would
    pass for one of Fivetran's own columns is left out, as are a name that is too long and columns
    of the table beyond the first 500. All count as bad values, the last two without their names.
    """
    taken = {column_name(name) for name in row}
    for field, value in fields.items():
        if len(field) > LONGEST_FIELD_NAME:  # its normalisation alone could take a minute
            bad.append(TOO_LONG_NAME)
            continue
        name = clean_text(field) or "_"  # no destination has a column without a name
        column = column_name(name)
        if column not in seen and len(seen) >= MOST_UNDECLARED_COLUMNS:
            bad.append(TOO_MANY_COLUMNS)
            continue
        if column in taken or column.startswith(RESERVED_PREFIX):
            bad.append(name)
            continue
        taken.add(column)
        seen.add(column)
        try:
            row[name] = undeclared(value)
        except UnfitError as unfit:
            row[name] = unfit.kept
            bad.append(name)


def _key_flaw(key: tuple[str, ...], fields: Mapping[str, object], row: Row) -> str | None:
    """Say why the row has no complete key; None if it has one."""
    for name in key:
        value = fields.get(name)
        if type(value) is str and row[name]:
            continue
        if value is None:
            return f"it has no {name}"
        if type(value) is not str and type(value) is not int and type(value) is not float:
            return f"its {name} is {_described(value)}"
        if row[name] is None or row[name] == "":
            return f"its {name} is {_shown(value)}"
    return None


def _described(value: object) -> str:
    """Name the JSON type of a value; anything from outside of JSON says itself what it is."""
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    if type(value) in (int, float):
        return "a number"
    return names.get(type(value), str(value))


def _shown(value: object) -> str:
    """Show an id in a log line: on one line, and never longer than a line."""
    text = "?" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
