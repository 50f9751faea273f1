"""Request all catalogs at once over one session, and retry each: the part that needs a socket.

`get` returns a response, `response` judges it, `retry` and `rate_limit` decide about the next
attempt, and `failures` says what an exception of the network means.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiohttp

from async_client.environment import proxy_for, tls_context
from async_client.errors import (
    EndpointError,
    FetchError,
    FinalError,
    RateLimitError,
    TokenRejectedError,
    TransientError,
    too_large,
)
from async_client.events import CatalogFetched, Event, ResponseReceived, RetryScheduled
from async_client.failures import NETWORK_ERRORS, fetch_error
from async_client.limits import MAX_HEADER_BYTES, MAX_HEADERS, Limits
from async_client.rate_limit import Turns
from async_client.response import Catalog, Response, judge
from async_client.retry import rate_limit_seconds, retrying
from async_client.settings import Settings
from async_client.status import check_status
from async_client.version import VERSION
from endpoints import Endpoint

USER_AGENT = f"datacamp-catalog-connector/{VERSION}"

_MIN_SECONDS = 0.001  # as for aiohttp a total of 0 is no limit


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
    async with session_for(settings) as session:
        results = await asyncio.gather(
            *(_probe(session, settings, limits, endpoint) for endpoint in settings.endpoints)
        )
    names = (endpoint.name for endpoint in settings.endpoints)
    return dict(zip(names, results, strict=True))


@asynccontextmanager
async def session_for(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the session for all requests; raise ValueError if CA certificates cannot be read."""
    secure = urlsplit(settings.base_url).scheme.lower() == "https"
    async with aiohttp.ClientSession(
        # A kept connection may be closed just as it is used again, which would cost an attempt.
        connector=aiohttp.TCPConnector(ssl=tls_context() if secure else True, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        max_headers=MAX_HEADERS,
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": USER_AGENT,
        },
    ) as session:
        # aiohttp would send a GET again by itself if the server closes the connection without a
        # response, so that six attempts were twelve requests. There is no public option.
        session._retry_connection = False  # noqa: SLF001 (tests/system/test_faults.py counts)
        yield session


async def get(
    session: aiohttp.ClientSession,
    settings: Settings,
    limits: Limits,
    url: str,
    seconds_left: float,
    *,
    reads_body: bool = True,
) -> Response:
    """Send one GET and return the response, without the headers that contain the token.

    Only the body of a 200 is read, up to the size limit and decompressed. Raise FetchError if the
    network fails, the time is over or the body is larger.
    """
    silence_seconds = settings.request_timeout_seconds
    body = bytearray()
    try:
        async with session.get(
            url,
            # Not a default of the session: aiohttp sends those to a proxy too, unencrypted.
            headers={"Authorization": f"Bearer {settings.bearer_token}"},
            allow_redirects=False,
            proxy=proxy_for(url),
            timeout=aiohttp.ClientTimeout(
                total=max(seconds_left, _MIN_SECONDS),
                connect=silence_seconds,  # includes the name lookup; `sock_connect` does not
                sock_connect=silence_seconds,
                sock_read=silence_seconds,
            ),
        ) as response:
            if response.status == HTTPStatus.OK and reads_body:
                async for chunk in response.content.iter_any():
                    body += chunk
                    # Counted while it grows: aiohttp decompresses a small body to any size.
                    if len(body) > limits.body_bytes:
                        raise too_large(f"a body of more than {limits.body_bytes:,} bytes")
            headers = response.headers.copy()
            for name, value in response.headers.items():
                if settings.bearer_token.lower() in unquote(f"{name}: {value}").lower():
                    headers.popall(name, None)
            return Response(response.status, headers, body)
    except NETWORK_ERRORS as error:
        failure = fetch_error(error, silence_seconds, limits.endpoint_seconds)
    raise failure  # not above: an exception of aiohttp in its context would contain the token


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
    byte_count: int = 0

    async def run(self) -> bool:
        """Put the result of the endpoint; return whether the token was rejected."""
        result: Catalog | Exception
        try:
            result = await self._result()
        except Exception as bug:  # noqa: BLE001 (raised where the catalog is waited for)
            result = bug
        self.turns.leave(self.endpoint.name)  # a rate limit may have queued it
        self.put(Fetched(self.endpoint.name, result))
        return isinstance(result, EndpointError) and isinstance(result.failure, TokenRejectedError)

    async def _result(self) -> Catalog | EndpointError:
        found = await retrying(self._attempt, self.limits, self._seconds_left, self._schedule)
        if isinstance(found, FetchError):
            return EndpointError(self.endpoint.name, self._url, self.attempts, found)
        self.put(
            CatalogFetched(
                self.endpoint.name, len(found), self.byte_count, self._seconds(), self.attempts
            )
        )
        return found

    async def _attempt(self) -> Catalog | FetchError:
        """Send one request, when it is this endpoint's turn; return what the response is."""
        async with self.turns.turn(self.endpoint.name, self.ends) as is_allowed:
            if not is_allowed:
                return FinalError(
                    "the rate limit left no time for another attempt within "
                    f"{self.limits.endpoint_seconds:g} s",
                    "Sync less often, or run fewer clients with this token",
                )
            self.attempts += 1
            try:
                response = await get(
                    self.session, self.settings, self.limits, self._url, self._seconds_left()
                )
            except FetchError as failure:
                return failure.with_traceback(None)  # its frames would keep the body
        found: Catalog | FetchError
        try:
            found = judge(self.endpoint, self._url, response, datetime.now(timezone.utc))
        except FetchError as failure:
            found = failure.with_traceback(None)
        if isinstance(found, RateLimitError):
            seconds = rate_limit_seconds(found, self.limits, self._seconds_left())
            self.turns.limit(self.endpoint.name, seconds)
        self.byte_count = len(response.body)
        self.put(
            ResponseReceived(
                *(self.endpoint.name, self.attempts, response.status, response.headers),
                *(self.byte_count, self._seconds(), found),
            )
        )
        return found

    def _schedule(self, attempt: int, failure: TransientError, seconds: float) -> None:
        max_attempts: int | None = None
        if isinstance(failure, RateLimitError):
            self.rate_limits += 1
        else:
            max_attempts = len(self.limits.wait_caps_seconds) + 1 + self.rate_limits
        self.put(
            RetryScheduled(self.endpoint.name, attempt, max_attempts, failure.reason, seconds)
        )

    def _seconds_left(self) -> float:
        return self.ends - asyncio.get_running_loop().time()

    def _seconds(self) -> float:
        return self.limits.endpoint_seconds - self._seconds_left()

    @property
    def _url(self) -> str:
        return self.settings.base_url + self.endpoint.path


async def _probe(
    session: aiohttp.ClientSession, settings: Settings, limits: Limits, endpoint: Endpoint
) -> EndpointError | None:
    url = settings.base_url + endpoint.path
    try:
        response = await get(
            session, settings, limits, url, limits.endpoint_seconds, reads_body=False
        )
        now = datetime.now(timezone.utc)
        check_status(endpoint, url, response.status, response.headers, now)
    except FetchError as failure:
        return EndpointError(endpoint.name, url, 1, failure.with_traceback(None))
    return None
