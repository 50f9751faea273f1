"""Write the parts of the documents that follow from the code: `python -m devkit.documents`.

A test compares the documents with what this module would write, so that they stay up to date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from async_client import SETTINGS
from devkit import dbt_package
from devkit.descriptions import TABLES, child_of, row_meaning, table_sentence, when_null
from devkit.messages import FIRST_SECTION, LINES
from devkit.package import PROJECT
from endpoints import ENDPOINTS, Column, Endpoint, Table
from flatten.names import column_name
from flatten.rules import CHILD_RULES, FIELD_RULES, name_texts, number_all_or_none

README = PROJECT / "README.md"

_COLUMN_HEADS = "| column | type | from the field | meaning | NULL when |\n|---|---|---|---|---|"
_SHARED = "Columns of all items"


def main() -> None:
    """Rewrite the documents in place."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


def documents() -> dict[Path, str]:
    """Return the full text of each document that has a generated part."""
    readme = README.read_text(encoding="utf-8")
    parts = {"tables": _table_list(), "diagram": _diagram(), "settings": _setting_list()}
    for mark, lines in parts.items():
        readme = _between(readme, mark, lines)
    docs = PROJECT / "docs"
    return {
        README: readme,
        docs / "tables.md": _before(docs / "tables.md", _SHARED) + "\n".join(_table_pages()),
        docs / "messages.md": _before(docs / "messages.md", FIRST_SECTION) + "\n".join(LINES),
        **dbt_package.files(PROJECT / "dbt" / "models" / "staging"),
    }


def _between(text: str, mark: str, lines: Iterator[str]) -> str:
    """Replace the lines between two marks; raise ValueError unless each occurs once."""
    begin, end = f"<!-- {mark}: generated -->\n", f"\n<!-- {mark}: end -->"
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    return head + begin + "\n".join(lines) + end + tail


def _before(path: Path, heading: str) -> str:
    """Return the text before the first generated section; raise ValueError if there is none."""
    text, found, _ = path.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"{path.name} has no section {heading!r}")
    return text


def _table_list() -> Iterator[str]:
    yield "| table | primary key | a row is | endpoint |\n|---|---|---|---|"
    for endpoint, table in TABLES:
        keys = ", ".join(f"`{column_name(key)}`" for key in table.primary_key)
        yield (
            f"| `{table.name}` | {keys} | {row_meaning(endpoint, table)} | "
            f"`{endpoint.name}`, `{endpoint.path}` |"
        )


def _setting_list() -> Iterator[str]:
    yield "| key | meaning | default |\n|---|---|---|"
    for setting in SETTINGS:
        text = {None: "none: required", "": "none"}
        default = text.get(setting.default, f"`{setting.default}`")
        yield f"| `{setting.name}` | {setting.description} | {default} |"


def _diagram() -> Iterator[str]:
    yield "```mermaid\nerDiagram"
    for endpoint in ENDPOINTS:
        name, child = f"    {endpoint.table.name}", endpoint.child
        foreign_key = child and column_name(child.foreign_key)
        yield f'{name} ||--o{{ {child.table.name} : "{foreign_key}"' if child else name
    yield "```"


def _table_pages() -> Iterator[str]:
    """Yield the lines on the columns that all parent tables share, and on each table's others."""
    parents = [endpoint.table for endpoint in ENDPOINTS]
    shared = [c for c in parents[0].columns if all(c in table.columns for table in parents)]
    names = ", ".join(f"`{table.name}`" for table in parents)
    yield f"\n## {_SHARED}\n\nThese tables have them: {names}."
    yield from _column_rows(ENDPOINTS[0], parents[0], shared)
    anchor = _SHARED.lower().replace(" ", "-")
    for endpoint, table in TABLES:
        also = f" It has the [columns of all items](#{anchor})" if table in parents else ""
        own = [column for column in table.columns if not also or column not in shared]
        also += (" and:" if own else ".") if also else ""
        yield f"\n## {table.name}\n\n{table_sentence(endpoint, table)}{also}"
        yield from _column_rows(endpoint, table, own)
    yield ""


def _column_rows(endpoint: Endpoint, table: Table, columns: list[Column]) -> Iterator[str]:
    if columns:
        yield f"\n{_COLUMN_HEADS}"
    for column in columns:
        key = " (key)" if column.name in table.primary_key else ""
        yield (
            f"| `{column_name(column.name)}`{key} | {column.type} | "
            f"{_source(endpoint, table, column)} | {column.meaning} | "
            f"{when_null(table, column)} |"
        )


def _source(endpoint: Endpoint, table: Table, column: Column) -> str:
    """Return which field of the API's response fills a column."""
    child = child_of(endpoint, table)
    if child is None:
        return _parent_source(column)
    if column.name == child.foreign_key:
        return "the parent's `id`"
    source, rule = f"`{child.field}[].{column.name}`", CHILD_RULES[child.field]
    if column.name == "position":
        together = rule is number_all_or_none
        fits = "all are distinct whole numbers" if together else "it has one"
        source += f" if {fits}, else the place in the list, from 1"
    elif rule is name_texts and column.name == "name":
        source += ", or the entry itself if it is text"
    return source


def _parent_source(column: Column) -> str:
    field, _, part = column.name.partition("_")
    if part and field in FIELD_RULES:
        return f"`{field}.{part}`"
    return "`instructors[].fullName`" if field == "instructors" else f"`{field}`"


if __name__ == "__main__":
    main()
