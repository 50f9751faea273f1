"""A baseline: one request after another, and all rows of each written anew.

It works the way that an example connector usually does, and writes the same rows as this one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import requests

from benchmarks.results import DOWNLOAD
from benchmarks.watch import Watch
from endpoints import ENDPOINTS, Endpoint
from flatten import flatten_item

_TIMEOUT_SECONDS = 30


def sequential(configuration: Mapping[str, str], watch: Watch) -> None:
    """Fetch and write one endpoint after another."""
    for endpoint in ENDPOINTS:
        write(endpoint, fetch(endpoint, configuration, watch), watch)


def fetch(endpoint: Endpoint, configuration: Mapping[str, str], watch: Watch) -> list[object]:
    """Request one catalog and decode it as a whole."""
    started = time.perf_counter()
    response = requests.get(
        configuration["base_url"] + endpoint.path,
        headers={"Authorization": f"Bearer {configuration['bearer_token']}"},
        timeout=_TIMEOUT_SECONDS,
    )
    response.raise_for_status()
    watch.passed(DOWNLOAD, endpoint.name, started)
    items: list[object] = response.json()["data"]
    return items


def write(endpoint: Endpoint, items: list[object], watch: Watch) -> None:
    """Upsert every row of a catalog, then checkpoint."""
    watch.replays(endpoint.name)
    for item in items:
        flat = flatten_item(endpoint, item)
        if flat.row is None:
            continue
        watch.upsert(endpoint.table.name, flat.row)
        if endpoint.child is not None:
            for row in flat.children.values():
                watch.upsert(endpoint.child.table.name, row)
    watch.checkpoint({"last_synced_endpoint": endpoint.name})
