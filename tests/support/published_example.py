"""A model of Fivetran's published DataCamp example: the rows and the state that it leaves.

It has the same tables and keys, declares the type of one column only, and deletes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fivetran_connector_sdk import Operations

from endpoints import ENDPOINTS, Endpoint

STATE = {"last_synced_endpoint": "assessments"}
Item = Mapping[str, Any]


def schema(configuration: Mapping[str, str]) -> list[dict[str, Any]]:
    """Declare the tables and their keys, and `practice.updated_at` as text."""
    tables = [table for endpoint in ENDPOINTS for table in endpoint.tables]
    text = {"practice": {"updatedAt": "STRING"}}
    return [
        {"table": t.name, "primary_key": list(t.primary_key), "columns": text.get(t.name, {})}
        for t in tables
    ]


def writing(items: Mapping[str, list[Item]]) -> Callable[[object, object], None]:
    """Return an `update` that writes these items, by endpoint name."""

    def update(configuration: object, state: object) -> None:
        for endpoint in ENDPOINTS:
            for item in items[endpoint.name]:
                Operations.upsert(endpoint.table.name, _row(endpoint, item))
                _write_children(endpoint, item)
        Operations.checkpoint(STATE)

    return update


def _write_children(endpoint: Endpoint, item: Item) -> None:
    if child := endpoint.child:
        for entry in item[child.field] or ():
            if isinstance(entry, dict) and child.key in entry:
                Operations.upsert(child.table.name, {**entry, child.foreign_key: item["id"]})


def _row(endpoint: Endpoint, item: Item) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for field, value in item.items():
        if field == "topic" and endpoint.name in ("custom_tracks", "courses", "tracks"):
            row |= {f"topic_{name}": text for name, text in (value or {}).items()}
        elif field == "imageUrl" and value:
            row |= {f"imageUrl_{kind}": address for kind, address in value.items()}
        elif field == "includedInLicenses" and endpoint.name in ("courses", "tracks"):
            row[field] = ", ".join(map(str, value))
        elif field == "instructors" and endpoint.name in ("courses", "projects"):
            row[field] = ", ".join(str(person["fullName"]) for person in value)
        elif not endpoint.child or field != endpoint.child.field:
            row[field] = value
    return row
