"""Request all catalogs at once over one session, and retry each: the part that needs a socket.

What a response means is decided in `status` and `response`, what an exception means in `failures`
and when to retry in `retry`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import unquote, urlsplit

import aiohttp

from async_client.environment import proxy_for, tls_context
from async_client.errors import (
    EndpointError,
    FetchError,
    FinalError,
    TokenRejectedError,
    TransientError,
    too_large,
)
from async_client.events import CatalogFetched, Event, ResponseReceived, RetryScheduled
from async_client.failures import NETWORK_ERRORS, fetch_error
from async_client.limits import MAX_HEADER_BYTES, MAX_HEADERS, Limits
from async_client.response import Catalog, Response, judge
from async_client.retry import retrying
from async_client.settings import Settings
from async_client.status import check_status
from async_client.version import VERSION
from endpoints import Endpoint

Result = TypeVar("Result")
Headers = Mapping[str, str]
Read = Callable[[aiohttp.ClientResponse], Awaitable[Result]]

USER_AGENT = f"datacamp-catalog-connector/{VERSION}"

_SHORTEST_SECONDS = 0.001  # as for aiohttp a total of 0 is no limit
_NO_TARGET = "https://["  # not a URL, so that errors do not show it


OnEvent = Callable[[Event], None]
Catalogs = dict[str, "Future[Catalog]"]


async def fetch_all(
    settings: Settings,
    limits: Limits,
    catalogs: Catalogs,
    on_event: OnEvent,
) -> None:
    """Request every endpoint of `settings` at once and resolve its future in `catalogs`.

    A resolved future is removed from `catalogs`, so that no body is kept here. The future of a
    failed endpoint raises EndpointError. If one rejects the token, all open futures raise its
    error and their requests are cancelled. `on_event` and `on_response`, which gets each
    response, are called on this loop's thread.
    """
    async with _session(settings) as session:
        tasks = [
            asyncio.create_task(
                _deliver(_Fetch(session, settings, limits, on_event, endpoint), catalogs)
            )
            for endpoint in settings.endpoints
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def probe_all(settings: Settings, limits: Limits) -> dict[str, EndpointError | None]:
    """Request every endpoint once, all at the same time, without reading the bodies.

    Return the error of each endpoint by its name, None if there is none.
    """
    async with _session(settings) as session:
        results = await asyncio.gather(
            *(
                _Fetch(session, settings, limits, lambda _: None, endpoint).probe()
                for endpoint in settings.endpoints
            )
        )
    names = (endpoint.name for endpoint in settings.endpoints)
    return dict(zip(names, results, strict=True))


async def _deliver(fetch: _Fetch, catalogs: Catalogs) -> None:
    try:
        catalog = await fetch.catalog()
    except Exception as failed:  # raised where the catalog is waited for
        if isinstance(failed, EndpointError) and isinstance(failed.failure, TokenRejectedError):
            for future in catalogs.values():
                if not future.done():
                    future.set_exception(failed)
            raise
        catalogs.pop(fetch.endpoint.name).set_exception(failed)
    else:
        catalogs.pop(fetch.endpoint.name).set_result(catalog)


@dataclass
class _Fetch:
    """The requests for one catalog; all attempts together have `limits.endpoint_seconds`."""

    session: aiohttp.ClientSession
    settings: Settings
    limits: Limits
    on_event: OnEvent
    endpoint: Endpoint
    started: float = field(default_factory=time.monotonic)
    attempts: int = 0

    async def catalog(self) -> Catalog:
        """Return the catalog; raise EndpointError when no further attempt is allowed."""
        read = retrying(self._read, self.limits, self._seconds_left, self._retry_scheduled)
        try:
            catalog, byte_count = await read()
        except FetchError as error:
            failure = error.with_traceback(None)  # its frames would keep the body
        else:
            seconds = time.monotonic() - self.started
            self.on_event(
                CatalogFetched(
                    self.endpoint.name, len(catalog), byte_count, seconds, self.attempts
                )
            )
            return catalog
        # Raised here, as no chain of exceptions may lead to one of aiohttp, which has the token.
        raise self._endpoint_error(_ended_by_wait(failure, self._seconds_left()))

    async def probe(self) -> EndpointError | None:
        """Send one request; return its failure, if any."""
        try:
            await self._attempt(self._checked)
        except FetchError as failure:
            return self._endpoint_error(failure)
        return None

    def _seconds_left(self) -> float:
        return self.limits.endpoint_seconds - (time.monotonic() - self.started)

    def _retry_scheduled(
        self, failed_attempt: int, failure: TransientError, seconds: float
    ) -> None:
        max_attempts = len(self.limits.wait_caps_seconds) + 1
        self.on_event(
            RetryScheduled(
                self.endpoint.name, failed_attempt, max_attempts, failure.reason, seconds
            )
        )

    async def _read(self) -> tuple[Catalog, int]:
        response = await self._attempt(self._received)
        found: Catalog | FetchError
        try:
            found = judge(self.endpoint, self._url, response, _now())
        except FetchError as error:
            found = error.with_traceback(None)
        self.on_event(
            ResponseReceived(
                self.endpoint.name,
                self.attempts,
                response.status,
                response.headers,
                len(response.body),
                time.monotonic() - self.started,
                found,
            )
        )
        if isinstance(found, FetchError):
            raise found
        return found, len(response.body)

    async def _received(self, response: aiohttp.ClientResponse) -> Response:
        body = bytearray()
        headers = _without_token(response.headers, self.settings.bearer_token)
        if response.status == HTTPStatus.OK:
            check_status(self.endpoint, self._url, response.status, headers, _now())
            async for chunk in response.content.iter_any():
                body += chunk
                # Counted while it grows: aiohttp decompresses a small body to any size.
                if len(body) > self.limits.body_bytes:
                    raise too_large(f"a body of more than {self.limits.body_bytes:,} bytes")
        return Response(response.status, headers, body)

    async def _checked(self, response: aiohttp.ClientResponse) -> None:
        headers = _without_token(response.headers, self.settings.bearer_token)
        check_status(self.endpoint, self._url, response.status, headers, _now())

    async def _attempt(self, read: Read[Result]) -> Result:
        """Send one request and `read` the response; raise only FetchError."""
        self.attempts += 1
        try:
            async with self._request() as response:
                return await read(response)
        except NETWORK_ERRORS as error:
            silence_seconds = self.settings.request_timeout_seconds
            failure = fetch_error(error, silence_seconds, self.limits.endpoint_seconds)
        raise failure

    def _request(self) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        silence_seconds = self.settings.request_timeout_seconds
        return self.session.get(
            self._url,
            # Not a default of the session: aiohttp sends those to a proxy too, unencrypted.
            headers={"Authorization": f"Bearer {self.settings.bearer_token}"},
            allow_redirects=False,
            proxy=proxy_for(self._url),
            timeout=aiohttp.ClientTimeout(
                total=max(self._seconds_left(), _SHORTEST_SECONDS),
                connect=silence_seconds,  # includes the name lookup; `sock_connect` does not
                sock_connect=silence_seconds,
                sock_read=silence_seconds,
            ),
        )

    @property
    def _url(self) -> str:
        return self.settings.base_url + self.endpoint.path

    def _endpoint_error(self, failure: FetchError) -> EndpointError:
        return EndpointError(self.endpoint.name, self._url, self.attempts, failure)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _without_token(headers: Headers, token: str) -> Headers:
    """Return the headers with a target that cannot be shown if `Location` repeats the token."""
    if token.lower() not in unquote(headers.get("Location", "")).lower():
        return headers
    return {**headers, "Location": _NO_TARGET}


def _ended_by_wait(failure: FetchError, seconds_left: float) -> FetchError:
    """Return the failure, with the requested wait in its reason if that ended the attempts."""
    wait = failure.retry_after_seconds if isinstance(failure, TransientError) else None
    if wait is None or wait < seconds_left:
        return failure
    reason = f"{failure.reason}; its Retry-After of {wait:.0f} s exceeds the time left for retries"
    return FinalError(reason, failure.advice)


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    secure = urlsplit(settings.base_url).scheme == "https"  # in any case
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context() if secure else True),
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
        yield session
