"""What Fivetran's published DataCamp example leaves in a destination, to migrate from.

A model of its behaviour, written for these tests: the same tables and keys without column types,
the same shapes of rows, the same state, and the same silence about failures.
"""

from __future__ import annotations

from contextlib import suppress

import requests
from fivetran_connector_sdk import Operations

from endpoints import ENDPOINTS

STATE = {"last_synced_endpoint": "assessments"}

_DEFAULT_BASE_URL = "https://lms-catalog-api.datacamp.com"
_TRIES = 3
_ORDER = ("custom_tracks", "courses", "projects", "tracks", "practices", "assessments")
# Which endpoints have these fields shaped; elsewhere they are sent as they come.
_TOPIC = ("custom_tracks", "courses", "tracks")
_LICENSES = ("courses", "tracks")
_INSTRUCTORS = ("courses", "projects")


def schema(configuration):
    """Declare tables and keys, no types."""
    return [
        {"table": table.name, "primary_key": list(table.primary_key)}
        for endpoint in ENDPOINTS
        for table in endpoint.tables
    ]


def schema_with_text_moments(configuration):
    """Declare `updatedAt` as text too, for a destination that took it as such."""
    parents = {endpoint.table.name for endpoint in ENDPOINTS}
    return [
        {**table, "columns": {"updatedAt": "STRING"} if table["table"] in parents else {}}
        for table in schema(configuration)
    ]


def update(configuration, state):
    """Write one catalog after the other; whatever cannot be read counts as empty."""
    endpoints = {endpoint.name: endpoint for endpoint in ENDPOINTS}
    for name in _ORDER:
        endpoint = endpoints[name]
        for item in _fetched(configuration, endpoint.path):
            Operations.upsert(endpoint.table.name, _row(endpoint, item))
            for child in item.get(endpoint.child.field, []) if endpoint.child else ():
                row = {**child, endpoint.child.foreign_key: item.get("id")}
                Operations.upsert(endpoint.child.table.name, row)
        Operations.checkpoint({"last_synced_endpoint": name})


def _fetched(configuration, path):
    url = configuration.get("base_url", _DEFAULT_BASE_URL).rstrip("/") + path
    headers = {"Authorization": f"Bearer {configuration['bearer_token']}"}
    for _ in range(_TRIES):
        with suppress(requests.RequestException):  # broken JSON is one too
            response = requests.get(url, headers=headers, timeout=30)
            response.raise_for_status()
            return response.json()["data"]
    return []


def _row(endpoint, item):
    row = {}
    for field, value in item.items():
        if endpoint.child and field == endpoint.child.field:
            continue
        if field == "topic" and isinstance(value, dict) and endpoint.name in _TOPIC:
            row["topic_name"] = value.get("name")
            row["topic_description"] = value.get("description")
        elif field == "imageUrl" and isinstance(value, dict):
            row |= {f"imageUrl_{kind}": address for kind, address in value.items()}
        elif field == "includedInLicenses" and endpoint.name in _LICENSES:
            row[field] = ", ".join(str(license_) for license_ in value)
        elif field == "instructors" and endpoint.name in _INSTRUCTORS:
            row[field] = ", ".join(person.get("fullName", "") for person in value)
        else:
            row[field] = value
    return row
