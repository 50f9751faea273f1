"""Write what follows from `ENDPOINTS` into the documents: ``python -m devkit.documents``.

A test compares the documents with what this module would write, so that they cannot grow stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from endpoints import ENDPOINTS, Child, Column, Endpoint, Table
from flatten.names import column_name
from flatten.rules import CHILD_RULES, FIELD_RULES, named, numbered_all_or_none

PROJECT = Path(__file__).resolve().parent.parent
README = PROJECT / "README.md"
TABLES = PROJECT / "docs" / "tables.md"
SOURCES = PROJECT / "docs" / "sources.yml"

_WHEN_NULL = {
    "STRING": "the API sends none",
    "DOUBLE": "the API sends none, or no number",
    "BOOLEAN": "the API sends none, or neither true nor false",
    "UTC_DATETIME": "the API sends none, or no ISO 8601 timestamp",
}
_WHEN_NULL_BY_FIELD = {
    "topic": "it has no topic, or one without a {part}",
    "imageUrl": "it has no picture of that kind",
    "instructors": "the API sends none; an empty list gives empty text",
    "includedInLicenses": "the API sends none; an empty list gives empty text",
    "position": "the API sends one that is no whole number",
}

_ABOUT_TABLES = """\
# Tables and columns

<!-- Written by `python -m devkit.documents` from endpoints.py; change that instead. -->

Names are those of the destination; types are Fivetran's, and each destination has its own for
them. Every table also has two columns of Fivetran's:

- `_fivetran_deleted` is true once a row has left the catalog.
- `_fivetran_synced` is when a row was last written or marked as deleted. A changed item rewrites
  the rows of its children as well. Rows that a re-sync finds gone keep their older time.

"The API sends none" means that the field is missing or null. A value that its column cannot hold
becomes NULL too, and a warning of the sync counts it. A text column takes what is not text as
well: numbers, true and false as JSON writes them, objects and lists as JSON text. A row without
a usable key is rejected, so that no key is ever NULL.

Other fields that DataCamp sends become columns of their own, with a type that Fivetran infers.
The columns below always exist; such a column exists only once DataCamp has sent its field.
Decimals in it are stored with 32 bits. Its type is inferred from the value, for text too:
SDK 3.0.0 makes the number 3.1 of the text "3.10", and rows that do not change keep that after
the column has become text. Ask for a column that matters to be declared in `endpoints.py`.

A deleted row keeps the values it last had, `live` included. `WHERE live` alone reports retired
items as available; filter with `WHERE live AND NOT _fivetran_deleted`.

Before you build on the values:

- Descriptions may contain HTML and line breaks.
- Titles may repeat; join by id.
- Positions may start at 0 or at 1; use them to sort only.
- Licenses may be JSON text instead of names, and may come in any order.
"""

_ABOUT_SOURCES = """\
# Written by `python -m devkit.documents` from endpoints.py; change that instead.
#
# The ten tables as a dbt source, for dbt Core 1.10.8 or newer and without any package. Copy it
# into the models of your project, and set the variable datacamp_schema to the schema that your
# connection writes to.
#
# - Deleted rows stay in the tables and keep their last values, so that live alone reports retired
#   items as available. The tests look at the other rows; so should your models.
# - A relationship is tested from rows that are not deleted to all rows of the parent, as dbt
#   filters one side only.
# - A key of two columns is tested as one text. Write it in another way where concat() takes two
#   values only, as on Redshift.
# - There is no freshness block and no loaded_at_field, on purpose: a sync of an unchanged catalog
#   writes no row, so the newest _fivetran_synced tells when the catalog last changed and not when
#   it was last looked at. Watch the status of the connection instead.
version: 2

sources:
  - name: datacamp
    description: "DataCamp's course catalog, as its Fivetran connector writes it."
    schema: "{{ var('datacamp_schema', 'datacamp') }}"
    tables:
"""

_FIVETRAN_COLUMNS = {
    "_fivetran_deleted": "Whether the row has left the catalog. Never NULL.",
    "_fivetran_synced": "When Fivetran last wrote the row or marked it as deleted. Never NULL.",
}
_NOT_DELETED = ["config:", "  where: not _fivetran_deleted"]


def main() -> None:
    """Rewrite the documents in place."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


def documents() -> dict[Path, str]:
    """Give the full text of each document that has a generated part."""
    readme = README.read_text(encoding="utf-8")
    readme = _between(readme, "tables", "\n".join(_table_list()))
    readme = _between(readme, "diagram", "\n".join(_diagram()))
    return {
        README: readme,
        TABLES: _ABOUT_TABLES + "\n".join(_table_pages()),
        SOURCES: _ABOUT_SOURCES + "\n".join(_indented(_dbt_tables(), 6)) + "\n",
    }


def _between(text: str, mark: str, content: str) -> str:
    """Put ``content`` between the two marks of that name; raises ValueError if there are none."""
    begin, end = f"<!-- {mark}: generated -->", f"<!-- {mark}: end -->"
    if begin not in text or end not in text:
        raise ValueError(f"no place for {mark}: {begin} and {end} are missing")
    head, rest = text.split(begin, 1)
    return f"{head}{begin}\n{content}\n{end}{rest.split(end, 1)[1]}"


def _table_list() -> Iterator[str]:
    yield "| table | primary key | a row is | endpoint |"
    yield "|---|---|---|---|"
    for endpoint in ENDPOINTS:
        for table in endpoint.tables:
            keys = ", ".join(f"`{column_name(key)}`" for key in table.primary_key)
            yield (
                f"| `{table.name}` | {keys} | {_row_meaning(endpoint, table)} | "
                f"`{endpoint.name}`, `{endpoint.path}` |"
            )


def _row_meaning(endpoint: Endpoint, table: Table) -> str:
    child, parent = _child_of(endpoint, table), endpoint.table.name.replace("_", " ")
    return f"one {parent}" if child is None else f"one entry of a {parent}'s `{child.field}`"


def _child_of(endpoint: Endpoint, table: Table) -> Child | None:
    """Give the child whose table this is; None for a parent table."""
    return None if table is endpoint.table else endpoint.child


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "erDiagram"
    for endpoint in ENDPOINTS:
        if endpoint.child is not None:
            child = endpoint.child
            yield (
                f"    {endpoint.table.name} ||--o{{ {child.table.name} : "
                f'"{column_name(child.foreign_key)}"'
            )
        else:
            yield f"    {endpoint.table.name}"
    yield "```"


def _table_pages() -> Iterator[str]:
    for endpoint in ENDPOINTS:
        for table in endpoint.tables:
            yield ""
            yield f"## {table.name}"
            yield ""
            yield _table_sentence(endpoint, table)
            yield ""
            yield "| column | type | from the field | meaning | NULL when |"
            yield "|---|---|---|---|---|"
            yield from (_column_line(endpoint, table, column) for column in table.columns)
    yield ""


def _table_sentence(endpoint: Endpoint, table: Table) -> str:
    return f"{_capitalised(_row_meaning(endpoint, table))}, from `{endpoint.path}`."


def _column_line(endpoint: Endpoint, table: Table, column: Column) -> str:
    name, key = column_name(column.name), column.name in table.primary_key
    return (
        f"| `{name}`{' (key)' if key else ''} | {column.type} | "
        f"{_source(endpoint, table, column)} | {column.meaning} | {_when_null(table, column)} |"
    )


def _when_null(table: Table, column: Column) -> str:
    if column.name in table.primary_key:
        return "never"
    field, _, part = column.name.partition("_")
    by_field = _WHEN_NULL_BY_FIELD.get(field)
    return _WHEN_NULL[column.type] if by_field is None else by_field.format(part=part)


def _source(endpoint: Endpoint, table: Table, column: Column) -> str:
    """Say which field of the API's answer fills a column."""
    child = _child_of(endpoint, table)
    if child is None:
        return _parent_source(column)
    if column.name == child.foreign_key:
        return "the parent's `id`"
    field, rule = f"`{child.field}[].{column.name}`", CHILD_RULES[child.field]
    if column.name == "position" and rule is numbered_all_or_none:
        return f"{field}; unless all in the list have distinct ones, the place of each, from 1"
    if column.name == "position":
        return f"{field}, else its place in the list, from 1"
    if column.name == "name" and rule is named:
        return f"{field}, or the entry itself where it is text"
    return field


def _parent_source(column: Column) -> str:
    field, _, part = column.name.partition("_")
    if part and field in FIELD_RULES:
        return f"`{field}.{part}`"
    return "`instructors[].fullName`" if field == "instructors" else f"`{field}`"


def _dbt_tables() -> Iterator[str]:
    for endpoint in ENDPOINTS:
        for table in endpoint.tables:
            yield f"- name: {table.name}"
            yield f"  description: {_quoted(_table_sentence(endpoint, table))}"
            yield from _indented(_dbt_key_of_columns(table), 2)
            yield "  columns:"
            for column in table.columns:
                yield from _indented(_dbt_column(endpoint, table, column), 4)
            for name, description in _FIVETRAN_COLUMNS.items():
                yield f"    - name: {name}"
                yield f"      description: {_quoted(description)}"


def _dbt_key_of_columns(table: Table) -> Iterator[str]:
    """Test that a key of more than one column is unique: dbt's own test takes an expression."""
    if len(table.primary_key) > 1:
        key = ", '|', ".join(map(column_name, table.primary_key))
        yield "data_tests:"
        yield "  - unique:"
        yield f"      name: datacamp_{table.name}_key_is_unique"
        yield "      arguments:"
        yield f"        column_name: {_quoted(f'concat({key})')}"
        yield from _indented(_NOT_DELETED, 6)


def _dbt_column(endpoint: Endpoint, table: Table, column: Column) -> Iterator[str]:
    when_null = _when_null(table, column)
    nulls = "Never NULL." if when_null == "never" else f"NULL when {when_null}."
    yield f"- name: {column_name(column.name)}"
    yield f"  description: {_quoted(f'{_capitalised(column.meaning)}. {nulls}')}"
    if column.name in table.primary_key:
        yield "  data_tests:"
        yield "    - not_null"
    if (column.name,) == table.primary_key:
        yield "    - unique:"
        yield from _indented(_NOT_DELETED, 8)
    child = _child_of(endpoint, table)
    if child is not None and column.name == child.foreign_key:
        yield "    - relationships:"
        yield "        arguments:"
        yield f"          to: source('datacamp', '{endpoint.table.name}')"
        yield f"          field: {column_name(endpoint.table.primary_key[0])}"
        yield from _indented(_NOT_DELETED, 8)


def _indented(lines: Iterable[str], columns: int) -> Iterator[str]:
    yield from (" " * columns + line for line in lines)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _quoted(text: str) -> str:
    """Write text as YAML does between double quotes: JSON is the same."""
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    main()
