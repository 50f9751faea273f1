"""A model of Fivetran's published DataCamp example, to migrate from what it leaves behind.

Written for these tests: the same tables and keys without column types, the same shapes of rows,
the same state, and the same silence about failures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import requests
from fivetran_connector_sdk import Operations

from endpoints import ENDPOINTS, Endpoint

STATE = {"last_synced_endpoint": "assessments"}

_DEFAULT_BASE_URL = "https://lms-catalog-api.datacamp.com"
_ATTEMPTS = 3
_ORDER = ("custom_tracks", "courses", "projects", "tracks", "practices", "assessments")
# Which endpoints have these fields shaped; elsewhere they are written unchanged.
_TOPIC = ("custom_tracks", "courses", "tracks")
_LICENSES = ("courses", "tracks")
_INSTRUCTORS = ("courses", "projects")


def schema(configuration: Mapping[str, str]) -> list[dict[str, Any]]:
    """Declare tables and keys, no types."""
    return [
        {"table": table.name, "primary_key": list(table.primary_key)}
        for endpoint in ENDPOINTS
        for table in endpoint.tables
    ]


def schema_with_text_moments(configuration: Mapping[str, str]) -> list[dict[str, Any]]:
    """Declare `updatedAt` as text too, for a destination that took it as such."""
    parents = {endpoint.table.name for endpoint in ENDPOINTS}
    return [
        {**table, "columns": {"updatedAt": "STRING"} if table["table"] in parents else {}}
        for table in schema(configuration)
    ]


def update(configuration: Mapping[str, str], state: Mapping[str, Any]) -> None:
    """Write one catalog after the other; one that cannot be read counts as empty."""
    endpoints = {endpoint.name: endpoint for endpoint in ENDPOINTS}
    for name in _ORDER:
        for item in _fetched(configuration, endpoints[name].path):
            for table, row in _rows(endpoints[name], item):
                Operations.upsert(table, row)
        Operations.checkpoint({"last_synced_endpoint": name})


def _fetched(configuration: Mapping[str, str], path: str) -> list[dict[str, Any]]:
    url = configuration.get("base_url", _DEFAULT_BASE_URL).rstrip("/") + path
    headers = {"Authorization": f"Bearer {configuration['bearer_token']}"}
    for _ in range(_ATTEMPTS):
        with suppress(requests.RequestException):  # broken JSON is one too
            response = requests.get(url, headers=headers, timeout=30)
            response.raise_for_status()
            items: list[dict[str, Any]] = response.json()["data"]
            return items
    return []


def _rows(endpoint: Endpoint, item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    child = endpoint.child
    fields = {name: value for name, value in item.items() if not child or name != child.field}
    yield endpoint.table.name, _row(endpoint.name, fields)
    if child:
        for entry in item.get(child.field, []):
            yield child.table.name, {**entry, child.foreign_key: item.get("id")}


def _row(endpoint_name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for field, value in fields.items():
        if field == "topic" and isinstance(value, dict) and endpoint_name in _TOPIC:
            row |= {f"topic_{part}": value.get(part) for part in ("name", "description")}
        elif field == "imageUrl" and isinstance(value, dict):
            row |= {f"imageUrl_{kind}": address for kind, address in value.items()}
        elif field == "includedInLicenses" and endpoint_name in _LICENSES:
            row[field] = ", ".join(str(license_) for license_ in value)
        elif field == "instructors" and endpoint_name in _INSTRUCTORS:
            row[field] = ", ".join(person.get("fullName", "") for person in value)
        else:
            row[field] = value
    return row
