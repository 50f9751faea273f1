"""Write the dbt package's source and staging models, which follow from `ENDPOINTS`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devkit.descriptions import TABLES, child_of, column_sentences, table_sentence
from endpoints import Column, Endpoint, Table
from flatten.names import column_name

_ORIGIN = "Written by `python -m devkit.documents` from endpoints.py; change that instead."
_PREFIXES = {"chapters": "chapter", "content": "item", "topics": "topic"}
_DELETED = "Whether the item or entry has left the catalog. Never NULL."
_SYNCED = "When Fivetran last wrote the row or marked it as deleted. Never NULL."


def files(folder: Path) -> dict[Path, str]:
    """Return the text of each generated file, by its path in `folder`."""
    source = {
        "name": "datacamp",
        "description": "DataCamp's course catalog, as its Fivetran connector writes it.",
        "loader": "fivetran",
        "database": "{{ var('datacamp_database', target.database) }}",
        "schema": "{{ var('datacamp_schema', 'datacamp') }}",
        "tables": [_source_table(*pair) for pair in TABLES],
    }
    texts = {
        "sources.yml": _document({"version": "2", "sources": [source]}),
        "staging.yml": _document({"version": "2", "models": [_model(*pair) for pair in TABLES]}),
        **{f"{_model_name(pair[1])}.sql": _query(*pair) for pair in TABLES},
    }
    return {folder / name: text for name, text in texts.items()}


def _source_table(endpoint: Endpoint, table: Table) -> dict[str, Any]:
    columns = [(column_name(c.name), c.type, column_sentences(table, c)) for c in table.columns]
    columns.append(("_fivetran_deleted", "BOOLEAN", _DELETED))
    columns.append(("_fivetran_synced", "UTC_DATETIME", _SYNCED))
    return {
        "name": table.name,
        "identifier": f"{{{{ var('datacamp_{table.name}_identifier', '{table.name}') }}}}",
        "description": table_sentence(endpoint, table),
        "config": {"enabled": f"{{{{ {_enabled(endpoint)} }}}}"},
        "columns": [
            {"name": name, "data_type": type_, "description": text}
            for name, type_, text in columns
        ],
    }


def _model(endpoint: Endpoint, table: Table) -> dict[str, Any]:
    key = [_staged_name(endpoint, table, name) for name in table.primary_key]
    unique = {"datacamp_unique_together": {"arguments": {"columns": key}}}
    columns = [_model_column(endpoint, table, column) for column in table.columns]
    return {
        "name": _model_name(table),
        "description": f"{table_sentence(endpoint, table)} Without deleted rows.",
        **({"data_tests": [unique]} if len(key) > 1 else {}),
        "columns": [*columns, {"name": "_fivetran_synced", "description": _SYNCED}],
    }


def _model_column(endpoint: Endpoint, table: Table, column: Column) -> dict[str, Any]:
    """Return a column with its tests: those of keys are errors, a missing parent is a warning."""
    tests: list[Any] = ["not_null"] * (column.name in table.primary_key)
    tests += ["unique"] * (table.primary_key == (column.name,))
    child = child_of(endpoint, table)
    if child is not None and column.name == child.foreign_key:
        parent = {"to": f"ref('{_model_name(endpoint.table)}')", "field": child.foreign_key}
        tests.append({"relationships": {"arguments": parent, "config": {"severity": "warn"}}})
    return {
        "name": _staged_name(endpoint, table, column.name),
        "description": column_sentences(table, column),
        **({"data_tests": tests} if tests else {}),
    }


def _query(endpoint: Endpoint, table: Table) -> str:
    staged = [(column_name(c.name), _staged_name(endpoint, table, c.name)) for c in table.columns]
    columns = [name if name == alias else f"{name} as {alias}" for name, alias in staged]
    selected = ",\n    ".join([*columns, "_fivetran_synced"])
    return f"""-- {_ORIGIN}
{{{{ config(enabled={_enabled(endpoint)}) }}}}

select
    {selected}
    {{{{- datacamp_pass_through('{table.name}') }}}}
from {{{{ datacamp_rows('{table.name}') }}}}
where not coalesce(_fivetran_deleted, false)
"""


def _enabled(endpoint: Endpoint) -> str:
    return f"'{endpoint.name}' not in var('datacamp_skip_endpoints', [])"


def _model_name(table: Table) -> str:
    return f"stg_datacamp__{table.name}"


def _staged_name(endpoint: Endpoint, table: Table, field: str) -> str:
    """Return the staging model's name for a column; names of keys and children have a prefix."""
    child = child_of(endpoint, table)
    if child is not None and field in ("id", "name", "type", "title"):
        return f"{_PREFIXES[child.field]}_{field}"
    return {"id": f"{table.name}_id", "live": "is_live"}.get(field, column_name(field))


def _document(content: dict[str, Any]) -> str:
    return "\n".join([f"# {_ORIGIN}", *_yaml(content), ""])


def _yaml(value: Any) -> Iterator[str]:
    """Yield the lines of a value in YAML; text that is no bare word is quoted as in JSON."""
    if isinstance(value, str):
        yield value if re.fullmatch(r"\w+", value) else json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict):
        for key, inner in value.items():
            lines = _yaml(inner)
            if isinstance(inner, str):
                yield f"{key}: {next(lines)}"
            else:
                yield f"{key}:"
                yield from (f"  {line}" for line in lines)
    else:
        for inner in value:
            first, *rest = _yaml(inner)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
