"""Fetch all catalogs at once: repeat `get` and `judge` for each endpoint while that may help."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import NamedTuple

import aiohttp

from async_client.client import get, session_for
from async_client.errors import (
    EndpointError,
    FetchError,
    RateLimitError,
    TokenRejectedError,
    TransientError,
)
from async_client.events import CatalogFetched, Event, ResponseReceived, RetryScheduled
from async_client.limits import Limits
from async_client.rate_limit import Turns
from async_client.response import Catalog, judge
from async_client.retry import rate_limit_seconds, retrying
from async_client.settings import Settings
from async_client.status import check_status, out_of_turns
from endpoints import Endpoint


class Fetched(NamedTuple):
    """What became of an endpoint; an exception that is no EndpointError is a bug."""

    endpoint_name: str
    result: Catalog | Exception


async def fetch_all(
    settings: Settings, limits: Limits, put: Callable[[Event | Fetched], None]
) -> None:
    """Request every endpoint of `settings` at once; `put` each event, and each result at its end.

    If one rejects the token, the requests of the others are cancelled, and they have no result.
    """
    async with session_for(settings) as session:
        turns = Turns(asyncio.get_running_loop().time)
        ends = asyncio.get_running_loop().time() + limits.endpoint_seconds
        fetches = (
            _Fetch(session, settings, limits, endpoint, ends, turns, put)
            for endpoint in settings.endpoints
        )
        tasks = [asyncio.create_task(fetch.run()) for fetch in fetches]
        try:
            for task in asyncio.as_completed(tasks):
                if await task:
                    return
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def probe_all(settings: Settings, limits: Limits) -> dict[str, EndpointError | None]:
    """Request every endpoint once, all at the same time, without reading the bodies.

    Return the error of each endpoint by its name, None if there is none.
    """

    async def probe(endpoint: Endpoint) -> EndpointError | None:
        url, seconds = settings.base_url + endpoint.path, limits.endpoint_seconds
        try:
            response = await get(session, settings, limits, url, seconds, reads_body=False)
            now = datetime.now(timezone.utc)
            check_status(endpoint, url, response.status, response.headers, now)
        except FetchError as failure:
            return EndpointError(endpoint.name, url, 1, failure.with_traceback(None))
        return None

    async with session_for(settings) as session:
        results = await asyncio.gather(*map(probe, settings.endpoints))
    names = (endpoint.name for endpoint in settings.endpoints)
    return dict(zip(names, results, strict=True))


@dataclass
class _Fetch:
    """The requests for one catalog, which end at the time `ends` of the event loop."""

    session: aiohttp.ClientSession
    settings: Settings
    limits: Limits
    endpoint: Endpoint
    ends: float
    turns: Turns
    put: Callable[[Event | Fetched], None]
    attempts: int = 0
    rate_limits: int = 0

    async def run(self) -> bool:
        """Put the result of the endpoint; return whether the token was rejected."""
        result: Catalog | Exception
        try:
            result = await retrying(self._attempt, self.limits, self._seconds_left, self._schedule)
        except Exception as bug:  # noqa: BLE001 (raised where the catalog is waited for)
            result = bug
        is_rejected = isinstance(result, TokenRejectedError)
        if isinstance(result, FetchError):
            result = EndpointError(self.endpoint.name, self._url, self.attempts, result)
        self.put(Fetched(self.endpoint.name, result))
        return is_rejected

    async def _attempt(self) -> Catalog | FetchError:
        """Send one request and judge its response.

        Return failures without their traceback, whose frames would keep the body.
        """
        name, url = self.endpoint.name, self._url
        # 1. Send the request, after a rate limit when it is this endpoint's turn.
        async with self.turns.turn(name, self.ends) as is_allowed:
            if not is_allowed:
                return out_of_turns(self.limits.endpoint_seconds)
            self.attempts += 1
            try:
                left = self._seconds_left()
                response = await get(self.session, self.settings, self.limits, url, left)
            except FetchError as failure:
                return failure.with_traceback(None)
        # 2. Judge the response.
        found: Catalog | FetchError
        try:
            found = judge(self.endpoint, url, response, datetime.now(timezone.utc))
        except FetchError as failure:
            found = failure.with_traceback(None)
        # 3. Postpone the others after a rate limit, and report the response.
        left = self._seconds_left()
        if isinstance(found, RateLimitError):
            self.turns.limit(name, rate_limit_seconds(found, self.limits, left))
        seconds, size = self.limits.endpoint_seconds - left, len(response.body)
        received = name, self.attempts, response.status, response.headers, size, seconds, found
        self.put(ResponseReceived(*received))
        if isinstance(found, Catalog):
            self.put(CatalogFetched(name, len(found), size, seconds, self.attempts))
        return found

    def _schedule(self, attempt: int, failure: TransientError, seconds: float) -> None:
        max_attempts: int | None = len(self.limits.wait_caps_seconds) + 1 + self.rate_limits
        if isinstance(failure, RateLimitError):
            self.rate_limits += 1
            max_attempts = None
        name, reason = self.endpoint.name, failure.reason
        self.put(RetryScheduled(name, attempt, max_attempts, reason, seconds))

    def _seconds_left(self) -> float:
        return self.ends - asyncio.get_running_loop().time()

    @property
    def _url(self) -> str:
        return self.settings.base_url + self.endpoint.path
