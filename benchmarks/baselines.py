"""What the connector is compared with: a bare download, and two syncs that rewrite every row.

Both syncs use the connector's `Flattener`, so that they write the same rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import requests

from endpoints import ENDPOINTS, Endpoint
from flatten import Flattener

Configuration = Mapping[str, str]


def download(configuration: Configuration, _state: object, watch: Any) -> None:
    """Request all catalogs at once and do nothing with them."""
    asyncio.run(_download(configuration, watch))


async def _download(configuration: Configuration, watch: Any) -> None:
    headers = {**_authorization(configuration), "Accept-Encoding": "gzip, deflate"}
    async with aiohttp.ClientSession(configuration["base_url"], headers=headers) as session:

        async def read(endpoint: Endpoint) -> None:
            async with session.get(endpoint.path, raise_for_status=True) as response:
                await response.read()
            watch.arrived(endpoint.name)

        await asyncio.gather(*map(read, ENDPOINTS))


def sequential(configuration: Configuration, _state: object, watch: Any) -> None:
    """Fetch and write one endpoint after another, as most example connectors do."""
    for endpoint in ENDPOINTS:
        _write(endpoint, _fetch(endpoint, configuration, watch), watch)


def threads(configuration: Configuration, _state: object, watch: Any) -> None:
    """Fetch all endpoints at once, then write one after another."""
    with ThreadPoolExecutor(len(ENDPOINTS)) as pool:
        catalogs = list(pool.map(lambda e: _fetch(e, configuration, watch), ENDPOINTS))
    for endpoint, items in zip(ENDPOINTS, catalogs, strict=True):
        _write(endpoint, items, watch)


def _fetch(endpoint: Endpoint, configuration: Configuration, watch: Any) -> list[object]:
    url, headers = configuration["base_url"] + endpoint.path, _authorization(configuration)
    response = requests.get(url, headers=headers, timeout=30)
    response.raise_for_status()
    watch.arrived(endpoint.name)
    items: list[object] = response.json()["data"]
    return items


def _write(endpoint: Endpoint, items: list[object], watch: Any) -> None:
    """Upsert every row of a catalog, then checkpoint."""
    for flat in map(Flattener(endpoint).flatten_item, items):
        if flat.row is not None:
            watch.upsert(endpoint.table.name, flat.row)
        for row in flat.children.values():
            watch.upsert(endpoint.tables[-1].name, row)
    watch.checkpoint({"last_synced_endpoint": endpoint.name})


def _authorization(configuration: Configuration) -> dict[str, str]:
    return {"Authorization": f"Bearer {configuration['bearer_token']}"}
