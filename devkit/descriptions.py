"""Describe the tables and columns of `ENDPOINTS` for the documents and dbt."""

from __future__ import annotations

from endpoints import ENDPOINTS, Child, Column, Endpoint, Table

TABLES = [(endpoint, table) for endpoint in ENDPOINTS for table in endpoint.tables]

_WHEN_NULL = {
    "STRING": "the field is missing or null",
    "DOUBLE": "the field is missing, null or not a number",
    "BOOLEAN": "the field is missing, null or not a boolean",
    "UTC_DATETIME": "the field is missing, null or not an ISO 8601 timestamp",
}
_OR_EMPTY = "the field is missing or null; an empty list becomes an empty string"
_WHEN_NULL_BY_FIELD = {
    "topic": "the item has no topic, or its topic has no {part}",
    "imageUrl": "the item has no image in this format",
    "instructors": _OR_EMPTY,
    "includedInLicenses": _OR_EMPTY,
    "position": "the field is not a whole number",
}


def row_meaning(endpoint: Endpoint, table: Table) -> str:
    """Return what a row of the table represents, as a phrase."""
    child, parent = child_of(endpoint, table), endpoint.table.name.replace("_", " ")
    return f"one {parent}" if child is None else f"one entry of a {parent}'s `{child.field}`"


def table_sentence(endpoint: Endpoint, table: Table) -> str:
    """Return what a row of the table represents and its source, as a sentence."""
    return f"{_capitalised(row_meaning(endpoint, table))}, from `{endpoint.path}`."


def column_sentences(table: Table, column: Column) -> str:
    """Return the meaning of a column and when it is NULL, as two sentences."""
    null = when_null(table, column)
    nulls = "Never NULL." if null == "never" else f"NULL when {null}."
    return f"{_capitalised(column.meaning)}. {nulls}"


def when_null(table: Table, column: Column) -> str:
    """Return when a column is NULL, as a phrase; `never` for a part of the key."""
    if column.name in table.primary_key:
        return "never"
    field, _, part = column.name.partition("_")
    by_field = _WHEN_NULL_BY_FIELD.get(field)
    return _WHEN_NULL[column.type] if by_field is None else by_field.format(part=part)


def child_of(endpoint: Endpoint, table: Table) -> Child | None:
    """Return the child that the table belongs to, or None for the endpoint's own table."""
    return None if table is endpoint.table else endpoint.child


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
