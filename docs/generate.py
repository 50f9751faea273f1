"""Write what follows from `ENDPOINTS` into the documents: ``python -m docs.generate``.

A test compares the documents with what this module would write, so that they cannot grow stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from endpoints import ENDPOINTS, Column, Endpoint, Table
from flatten.names import column_name
from flatten.rules import FIELD_RULES

PROJECT = Path(__file__).resolve().parent.parent
README = PROJECT / "README.md"
TABLES = PROJECT / "docs" / "tables.md"

_WHEN_NULL = {
    "STRING": "the API sends none",
    "DOUBLE": "the API sends none, or no number",
    "LONG": "the API sends none, or no whole number",
    "BOOLEAN": "the API sends none, or neither true nor false",
    "UTC_DATETIME": "the API sends none, or no RFC 3339 time",
}


def main() -> None:
    """Rewrite the documents in place."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


def documents() -> dict[Path, str]:
    """Give the full text of each document that has a generated part."""
    readme = README.read_text(encoding="utf-8")
    readme = _between(readme, "tables", "\n".join(_table_list()))
    readme = _between(readme, "diagram", "\n".join(_diagram()))
    return {README: readme, TABLES: "\n".join(_table_pages())}


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
    child, parent = endpoint.child, endpoint.table.name.replace("_", " ")
    if child is None or table is endpoint.table:
        return f"one {parent}"
    return f"one entry of a {parent}'s `{child.field}`"


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
    for endpoint in ENDPOINTS:
        for table in endpoint.tables:
            yield f"    {table.name} {{"
            yield from (
                f"        {_attribute(endpoint, table, column)}" for column in table.columns
            )
            yield "    }"
    yield "```"


def _attribute(endpoint: Endpoint, table: Table, column: Column) -> str:
    foreign = endpoint.child is not None and (
        table is endpoint.child.table and column.name == endpoint.child.foreign_key
    )
    marks = ["PK"] * (column.name in table.primary_key) + ["FK"] * foreign
    return " ".join([column.type, column_name(column.name), ", ".join(marks)]).rstrip()


def _table_pages() -> Iterator[str]:
    yield "# Tables and columns"
    yield ""
    yield "<!-- Written by `python -m docs.generate` from endpoints.py; change that instead. -->"
    yield ""
    yield "Names are those of the destination. Every table also has Fivetran's `_fivetran_synced`,"
    yield "when a row was last written, and `_fivetran_deleted`, true once it left the catalog."
    yield "Fields that DataCamp adds later become columns of their own; their type is inferred."
    for endpoint in ENDPOINTS:
        for table in endpoint.tables:
            yield ""
            yield f"## {table.name}"
            yield ""
            yield f"{_row_meaning(endpoint, table).capitalize()}, from `{endpoint.path}`."
            yield ""
            yield "| column | type | from the field | meaning | NULL when |"
            yield "|---|---|---|---|---|"
            yield from (_column_line(endpoint, table, column) for column in table.columns)
    yield ""


def _column_line(endpoint: Endpoint, table: Table, column: Column) -> str:
    when_null = "never" if column.name in table.primary_key else _WHEN_NULL[column.type]
    name, key = column_name(column.name), column.name in table.primary_key
    return (
        f"| `{name}`{' (key)' if key else ''} | {column.type} | "
        f"{_source(endpoint, table, column)} | {column.meaning} | {when_null} |"
    )


def _source(endpoint: Endpoint, table: Table, column: Column) -> str:
    child = endpoint.child
    path = column.name
    field, _, inner = column.name.partition("_")
    if inner and field in FIELD_RULES:
        path = f"{field}.{inner}"
    elif column.name == "instructors":
        path = "instructors[].fullName"
    if child is None or table is endpoint.table:
        return f"`{path}`"
    if column.name == child.foreign_key:
        return "the parent's `id`"
    if column.name == "position":
        return f"`{child.field}[].position`, else its place in the list, from 1"
    return f"`{child.field}[].{path}`"


if __name__ == "__main__":
    main()
