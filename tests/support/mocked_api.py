"""The API without a socket: aioresponses in its place, and a clock on which no wait takes time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

from aiohttp import ClientResponse
from aioresponses import CallbackResult, aioresponses

from async_client import Event, Limits, Settings
from async_client.fetch import Fetched, fetch_all
from endpoints import ENDPOINTS, Endpoint
from tests.support.fetching import CATALOGS, PATHS, TOKEN

BASE_URL = "https://api.example"


class Request(NamedTuple):
    """A request as aiohttp was asked to send it, at the time of the event loop."""

    endpoint_name: str
    seconds: float
    options: Mapping[str, Any]


class MockedResponse(ClientResponse):
    """A response of aioresponses 0.7.9, which does not know `stream_writer` of aiohttp 3.14."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(
            *arguments, **{"stream_writer": SimpleNamespace(output_size=0), **options}
        )


def reply(
    status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> CallbackResult:
    """Return a response."""
    return CallbackResult(
        status=status, body=body, headers=dict(headers or {}), response_class=MockedResponse
    )


def catalog_reply(endpoint_name: str) -> CallbackResult:
    """Return the response with the catalog of an endpoint."""
    return reply(body=json.dumps({"data": CATALOGS[endpoint_name]}).encode())


Reply = CallbackResult | Exception
Serve = Callable[[str], Awaitable[Reply]]


class MockedApi:
    """Replies to each request for an endpoint with what `replies` has for it, then its catalog.

    `serve`, if set, replies to every request instead. A reply that takes longer than the request's
    total timeout raises what aiohttp raises.
    """

    def __init__(self, mocked: aioresponses, base_url: str = BASE_URL) -> None:
        self.requests: list[Request] = []
        self.replies: dict[str, list[Reply]] = {}
        self.serve: Serve = self._next_reply
        self.in_flight = 0
        for name, path in PATHS.items():
            mocked.get(base_url + path, callback=self._callback(name), repeat=True)

    async def _next_reply(self, endpoint_name: str) -> Reply:
        replies = self.replies.get(endpoint_name)
        return replies.pop(0) if replies else catalog_reply(endpoint_name)

    def _callback(self, endpoint_name: str) -> Callable[..., Awaitable[CallbackResult]]:
        async def callback(_url: object, **options: Any) -> CallbackResult:
            now = asyncio.get_running_loop().time()
            self.requests.append(Request(endpoint_name, now, options))
            self.in_flight += 1
            replying = asyncio.ensure_future(self.serve(endpoint_name))
            try:
                await asyncio.wait([replying], timeout=options["timeout"].total)
                if not replying.done():
                    raise asyncio.TimeoutError
                result = replying.result()
            finally:
                replying.cancel()
                self.in_flight -= 1
            if isinstance(result, Exception):
                raise result
            return result

        return callback


class VirtualClock:
    """Lets the running event loop skip its waits; `now` is its time."""

    def __init__(self, loop: Any) -> None:
        self.now = 1_000.0
        self._select = loop._selector.select
        loop._selector.select = self._skip
        loop.time = lambda: self.now

    def _skip(self, timeout: float | None) -> Any:
        if timeout is None:
            raise RuntimeError("every task waits for something that does not happen")
        self.now += timeout
        return self._select(0)


async def fetched(
    limits: Limits, base_url: str = BASE_URL, endpoints: tuple[Endpoint, ...] = ENDPOINTS
) -> tuple[dict[str, Any], list[Event]]:
    """Fetch all; return the catalog or the exception of each endpoint, and the events."""
    put: list[Event | Fetched] = []
    await fetch_all(Settings(TOKEN, base_url, endpoints=endpoints), limits, put.append)
    return (
        {entry.endpoint_name: entry.result for entry in put if isinstance(entry, Fetched)},
        [entry for entry in put if not isinstance(entry, Fetched)],
    )
