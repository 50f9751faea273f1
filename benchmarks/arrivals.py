"""When answers are complete for a bare client, which does nothing with them."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from endpoints import ENDPOINTS, Endpoint


def arrivals(base_url: str, token: str) -> dict[str, float]:
    """Request all catalogs at once; gives the seconds until each has arrived, in replay order."""
    return asyncio.run(_arrivals(base_url, token))


async def _arrivals(base_url: str, token: str) -> dict[str, float]:
    started = time.perf_counter()
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip, deflate"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def arrival(endpoint: Endpoint) -> float:
            async with session.get(base_url + endpoint.path) as response:
                response.raise_for_status()
                await response.read()
            return time.perf_counter() - started

        seconds = await asyncio.gather(*map(arrival, ENDPOINTS))
    return {e.name: passed for e, passed in zip(ENDPOINTS, seconds, strict=True)}
