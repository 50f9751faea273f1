"""Turn the fields of JSON objects into the rows of one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from endpoints import Table
from flatten.limits import MAX_FIELD_NAME_LENGTH, MAX_UNDECLARED_COLUMNS
from flatten.names import RESERVED_PREFIX, column_name
from flatten.rules import FIELD_RULES
from flatten.values import COERCIONS, UnfitError, clean_text, inferable

Row = dict[str, object]

TOO_LONG_NAME = f"(names longer than {MAX_FIELD_NAME_LENGTH:,} characters)"
TOO_MANY_COLUMNS = f"(undeclared columns beyond {MAX_UNDECLARED_COLUMNS})"


class RowMaker:
    """Makes the rows of one table from the objects of one response.

    `child_field` is the field of the objects that contains their child list. The undeclared
    columns of the response are remembered, to limit their number.
    """

    def __init__(self, table: Table, child_field: str | None = None) -> None:
        fields = [*table.types] if child_field is None else [*table.types, child_field]
        self._empty_row: Row = dict.fromkeys(fields)
        self._coercions = [(name, COERCIONS[kind]) for name, kind in table.types.items()]
        # Whether a declared column has a rule; those of undeclared fields are applied in any case.
        self._has_rules = not FIELD_RULES.keys().isdisjoint(fields)
        self._known_fields = {*fields, *FIELD_RULES}
        # The fields that may be spelled otherwise, by the column that their spellings share.
        self._respellable = {column_name(name): name for name in (*FIELD_RULES, *fields)}
        self._columns = frozenset(map(column_name, fields))
        self._undeclared_columns: set[str] = set()

    def make_row(
        self, fields: Mapping[str, object], fixed: Mapping[str, object]
    ) -> tuple[Row, list[str]]:
        """Return the row of an object and the columns whose values did not fit, once per value.

        The row has all declared columns, then the undeclared ones by name, without nulls. The
        values of `fixed` replace those of the object. A child list is left in the row as it is.
        """
        row: Row = {**self._empty_row, **fields, **fixed}
        bad: list[str] = []
        others: Row = {}
        if self._has_rules or len(row) > len(self._empty_row):
            unknown = fields.keys() - self._known_fields
            if unknown:
                self._rename(row, unknown)
            for field, rule in FIELD_RULES.items():
                if field in row:
                    rule(row, field)
            if len(row) > len(self._empty_row):
                others = self._take_undeclared(row, bad)
        for column, coerce in self._coercions:
            value = row[column]
            if value is not None:
                try:
                    row[column] = coerce(value)
                except UnfitError as unfit:
                    row[column] = unfit.fallback
                    bad.append(column)
        return {**row, **others} if others else row, bad

    def _rename(self, row: Row, unknown: Iterable[str]) -> None:
        """Rename unknown fields that share their column with a known field that the row lacks.

        For example, `updated_at` becomes `updatedAt`, `image_url` becomes `imageUrl`, and
        `Chapters` becomes the child list. Of several spellings, the first by name is used.
        """
        for name in sorted(unknown):
            if len(name) <= MAX_FIELD_NAME_LENGTH:
                expected = self._respellable.get(column_name(name))
                if expected is not None and row.get(expected) is None:
                    row[expected] = row.pop(name)

    def _take_undeclared(self, row: Row, bad: list[str]) -> Row:
        """Remove the fields without a declared column from `row`; return those to be written.

        What a rule returned may be another spelling of a declared column, and is renamed to it.
        The others are sorted, because their order in JSON has no meaning. A null is left out, as
        the destination stores the same for a field that is missing. These fields are left out and
        added to `bad`: those that Fivetran renames to the column of an earlier one, as it keeps
        only the first; those that it would rename to one of its own columns; names that are too
        long; and columns of the response beyond the first 500. The last two are listed without
        their names.
        """
        undeclared: Row = {}
        taken, seen = {*self._columns}, self._undeclared_columns
        for field in sorted(row.keys() - self._empty_row.keys()):
            value = row.pop(field)
            if value is None:
                continue
            if len(field) > MAX_FIELD_NAME_LENGTH:  # its column could take a minute to find
                bad.append(TOO_LONG_NAME)
                continue
            name = clean_text(field) or "_"  # no destination has a column without a name
            column = column_name(name)
            declared = self._respellable.get(column)
            if declared in row and row[declared] is None:
                row[declared] = value
            elif column in taken or column.startswith(RESERVED_PREFIX):
                bad.append(name)
            elif column not in seen and len(seen) >= MAX_UNDECLARED_COLUMNS:
                bad.append(TOO_MANY_COLUMNS)
            else:
                try:
                    undeclared[name] = inferable(value)
                except UnfitError as unfit:
                    bad.append(name)
                    if unfit.fallback is None:
                        continue
                    undeclared[name] = unfit.fallback
                taken.add(column)
                seen.add(column)
        return undeclared
