"""A second baseline: the first one with its requests in threads, all made before any writing."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from benchmarks.sequential import fetch, write
from benchmarks.watch import Watch
from endpoints import ENDPOINTS


def threads(configuration: Mapping[str, str], watch: Watch) -> None:
    """Fetch all endpoints at once, then write one after another."""
    with ThreadPoolExecutor(len(ENDPOINTS)) as pool:
        catalogs = list(pool.map(lambda e: fetch(e, configuration, watch), ENDPOINTS))
    for endpoint, items in zip(ENDPOINTS, catalogs, strict=True):
        write(endpoint, items, watch)
