"""Write the parts of the documents that follow from `ENDPOINTS`: `python -m devkit.documents`.

A test compares the documents with what this module writes, so that they stay up to date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from devkit import dbt_package
from devkit.descriptions import child_of, row_meaning, table_sentence, when_null
from endpoints import ENDPOINTS, Column, Endpoint, Table
from flatten.names import column_name
from flatten.rules import CHILD_RULES, FIELD_RULES, named, numbered_all_or_none

PROJECT = Path(__file__).resolve().parent.parent
README = PROJECT / "README.md"
TABLES = PROJECT / "docs" / "tables.md"

_ABOUT_TABLES = """\
# Tables and columns

<!-- Written by `python -m devkit.documents` from endpoints.py; change that instead. -->

Names are those in the destination. Types are Fivetran's; each destination has its own equivalents.

## Columns that exist in every table

Each column listed below exists from the first sync on, even if DataCamp never sends its field.
Fivetran adds two columns to every table:

- `_fivetran_deleted` is true once the item or entry has left the catalog.
- `_fivetran_synced` is when Fivetran last wrote the row or marked it as deleted. When an item
  changes, the rows of its children are written as well. A re-sync writes every row, but leaves
  the value unchanged in rows that it finds deleted.

A deleted row keeps its last values, including `live`. `WHERE live` alone therefore reports retired
items as available; filter with `WHERE live AND NOT _fivetran_deleted`.

A value that its column cannot hold becomes NULL and is counted in a warning of the sync. A text
column accepts other values too: numbers and booleans are stored as JSON spells them, objects and
lists as JSON text. A row without a usable key is rejected, so a key is never NULL.

## Columns that may exist

A field that is not listed below gets a column once DataCamp has sent it for an item. Until then
the column does not exist, and a query that names it fails.

- Fivetran infers the type from the values, including text: SDK 3.0.0 stores the text "3.10" as the
  number 3.1. The type may widen later; rows that do not change keep the value they have.
- Decimal numbers have 32 bits.
- To get a fixed type, have the column declared in `endpoints.py`.

## Before you rely on the values

- Descriptions may contain HTML and line breaks.
- Titles may repeat. Join by id.
- Positions may start at 0 or at 1, and may have gaps. Use them only to sort.
- Licenses may be JSON text instead of names, and may come in any order. Do not compare the whole
  text.
- The fields of kinds other than courses are partly inferred. A declared column of such a kind may
  turn out to be always NULL.
"""


def main() -> None:
    """Rewrite the documents in place."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


def documents() -> dict[Path, str]:
    """Return the full text of each document that has a generated part."""
    readme = README.read_text(encoding="utf-8")
    readme = _between(readme, "tables", "\n".join(_table_list()))
    readme = _between(readme, "diagram", "\n".join(_diagram()))
    return {
        README: readme,
        TABLES: _ABOUT_TABLES + "\n".join(_table_pages()),
        **dbt_package.files(PROJECT / "dbt" / "models" / "staging"),
    }


def _between(text: str, mark: str, content: str) -> str:
    """Put `content` between the two marks of that name; raise ValueError if there are none."""
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
                f"| `{table.name}` | {keys} | {row_meaning(endpoint, table)} | "
                f"`{endpoint.name}`, `{endpoint.path}` |"
            )


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
            yield table_sentence(endpoint, table)
            yield ""
            yield "| column | type | from the field | meaning | NULL when |"
            yield "|---|---|---|---|---|"
            yield from (_column_line(endpoint, table, column) for column in table.columns)
    yield ""


def _column_line(endpoint: Endpoint, table: Table, column: Column) -> str:
    name, key = column_name(column.name), column.name in table.primary_key
    return (
        f"| `{name}`{' (key)' if key else ''} | {column.type} | "
        f"{_source(endpoint, table, column)} | {column.meaning} | {when_null(table, column)} |"
    )


def _source(endpoint: Endpoint, table: Table, column: Column) -> str:
    """Return which field of the response fills a column, as a phrase."""
    child = child_of(endpoint, table)
    if child is None:
        return _parent_source(column)
    if column.name == child.foreign_key:
        return "the parent's `id`"
    field, rule = f"`{child.field}[].{column.name}`", CHILD_RULES[child.field]
    if column.name == "position" and rule is numbered_all_or_none:
        return f"{field} if all are distinct whole numbers, else the place in the list, from 1"
    if column.name == "position":
        return f"{field} if it has one, else the place in the list, from 1"
    if column.name == "name" and rule is named:
        return f"{field}, or the entry itself if it is text"
    return field


def _parent_source(column: Column) -> str:
    field, _, part = column.name.partition("_")
    if part and field in FIELD_RULES:
        return f"`{field}.{part}`"
    return "`instructors[].fullName`" if field == "instructors" else f"`{field}`"


if __name__ == "__main__":
    main()
