"""Turn the fields of one JSON object into the row of its table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from endpoints import Table
from flatten.limits import MAX_DIGITS, MAX_FIELD_NAME_LENGTH, MAX_UNDECLARED_COLUMNS
from flatten.names import RESERVED_PREFIX, column_name
from flatten.rules import FIELD_RULES
from flatten.values import COERCIONS, UnfitError, clean_text, inferable, string

Row = dict[str, object]

# The undeclared columns by table, of all items of one response so far.
UndeclaredColumns = dict[str, set[str]]

TOO_LONG_NAME = f"(names longer than {MAX_FIELD_NAME_LENGTH:,} characters)"
TOO_MANY_COLUMNS = f"(undeclared columns beyond {MAX_UNDECLARED_COLUMNS})"


class Layout(NamedTuple):
    """What `make_row` needs to know about a table, computed once instead of for each row."""

    table: str
    # None for every declared column, in order, and for the child list.
    empty_row: Row
    coercions: tuple[tuple[str, Callable[[object], object]], ...]
    # Whether a declared column has a field rule; undeclared fields are looked up in any case.
    has_rules: bool
    # The declared columns as Fivetran names them.
    column_names: frozenset[str]
    # The fields that may have another spelling, by the column name that both spellings have.
    respellable: Mapping[str, str]


def layout_of(table: Table, child_field: str | None = None) -> Layout:
    """Return the layout of a table whose items have a child list in `child_field`, if any."""
    fields = [*table.types] if child_field is None else [*table.types, child_field]
    return Layout(
        table=table.name,
        empty_row=dict.fromkeys(fields),
        coercions=tuple((name, COERCIONS[kind]) for name, kind in table.types.items()),
        has_rules=not FIELD_RULES.keys().isdisjoint(fields),
        column_names=frozenset(map(column_name, table.types)),
        respellable={column_name(name): name for name in (*FIELD_RULES, *fields)},
    )


def make_row(
    layout: Layout,
    fields: Mapping[str, object],
    fixed: Mapping[str, object],
    columns: UndeclaredColumns,
) -> tuple[Row, list[str]]:
    """Return the row of an object and the columns whose values did not fit, once per value.

    The row has all declared columns, then the undeclared ones by name. The values of `fixed`
    replace those of the object. A child list is left in the row as it is.
    """
    row = {**layout.empty_row, **fields, **fixed}
    bad: list[str] = []
    coercions = layout.coercions
    if layout.has_rules or len(row) > len(layout.empty_row):
        _apply_rules(row)
    if len(row) > len(layout.empty_row):
        _respell(layout, row, fields.keys())
        added = _add_undeclared(layout, row, bad, columns.setdefault(layout.table, set()))
        coercions += tuple((name, inferable) for name in added)
    for column, coerce in coercions:
        value = row[column]
        if value is None or (
            # Nearly every value is such text. Calling `string` for each takes 3 µs more per item.
            coerce is string
            and type(value) is str
            and value.isascii()
            and "\0" not in value
            and len(value) <= MAX_DIGITS
        ):
            continue
        try:
            row[column] = coerce(value)
        except UnfitError as unfit:
            row[column] = unfit.fallback
            bad.append(column)
    return row, bad


def _apply_rules(row: Row) -> None:
    """Replace the fields that have a rule by what it returns.

    A field of the object takes precedence over one that a rule returns, unless it is null.
    """
    for field, rule in FIELD_RULES.items():
        if field not in row:
            continue
        replacement = rule(field, row[field])
        if field not in replacement:
            del row[field]
        for name, value in replacement.items():
            if name == field or row.get(name) is None:
                row[name] = value


def _respell(layout: Layout, row: Row, present: Collection[str]) -> None:
    """Rename unknown fields that are another spelling of an expected field that is not `present`.

    For example, `updated_at` becomes `updatedAt`, `image_url` becomes `imageUrl`, and `Chapters`
    becomes the child list. If there are several spellings, the first by name is used. The result
    of a rule for an expected field takes precedence over them.
    """
    renamed: dict[str, str] = {}
    for name in _unknown(layout, row):
        short = len(name) <= MAX_FIELD_NAME_LENGTH
        expected = layout.respellable.get(column_name(name)) if short else None
        if expected and expected not in present and row.get(expected) is None:
            renamed.setdefault(expected, name)
    if renamed:
        for expected, name in renamed.items():
            row[expected] = row.pop(name)
        _apply_rules(row)
        _respell(layout, row, {*present, *renamed})  # what a rule returned, spelled otherwise


def _unknown(layout: Layout, row: Row) -> list[str]:
    return sorted(row.keys() - layout.empty_row.keys())


def _add_undeclared(layout: Layout, row: Row, bad: list[str], seen: set[str]) -> list[str]:
    """Move the fields that the schema does not know to the end of the row; return their names.

    They are sorted, because their order in JSON has no meaning. These fields are left out and
    added to `bad`: those that Fivetran renames to the column of an earlier one, as it keeps only
    the first; those that it would rename to one of its own columns; names that are too long; and
    columns of the table beyond the first 500. The last two are listed without their names.
    """
    taken = set(layout.column_names)
    added = []
    unknown = {field: row.pop(field) for field in _unknown(layout, row)}
    for field, value in unknown.items():
        if len(field) > MAX_FIELD_NAME_LENGTH:  # normalising such a name could take a minute
            bad.append(TOO_LONG_NAME)
            continue
        name = clean_text(field) or "_"  # no destination has a column without a name
        column = column_name(name)
        if column not in seen and len(seen) >= MAX_UNDECLARED_COLUMNS:
            bad.append(TOO_MANY_COLUMNS)
        elif column in taken or column.startswith(RESERVED_PREFIX):
            bad.append(name)
        else:
            row[name] = value
            added.append(name)
            taken.add(column)
            seen.add(column)
    return added
