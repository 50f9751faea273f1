"""The HTTP edge: all catalogs requested at once over one session, each try judged and repeated.

All decisions are made elsewhere (`response`, `retry`); here is what needs a socket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

import aiohttp

from async_client.environment import proxy_for, tls_context
from async_client.errors import (
    EndpointError,
    FetchError,
    FinalError,
    NoSuchCatalogError,
    NotIncludedError,
    TokenRefusedError,
    TransientError,
    UnauthorizedError,
)
from async_client.failures import network_failure, other_failure, timed_out
from async_client.limits import Limits
from async_client.response import Items, SplitBody, split, too_large
from async_client.retry import retrying
from async_client.settings import Settings
from async_client.status import check_status
from async_client.version import VERSION
from endpoints import Endpoint

Result = TypeVar("Result")

USER_AGENT = f"datacamp-catalog-connector/{VERSION}"

_LONGEST_HEADER_BYTES = 64 * 1024
_MOST_HEADERS = 1_000
_NO_TARGET = "https://["  # no address, so that errors do not show it


class Catalog(NamedTuple):
    """One endpoint's answer: its items, undecoded, and what it took to get them.

    `byte_count` is the size of the body after decompression, `seconds` the time from the first
    request to the last byte, waits included. `shortfall` says that a total in the response is
    greater than the number of items.
    """

    items: Items
    byte_count: int
    seconds: float
    attempts: int
    shortfall: str | None = None


class RetryScheduled(NamedTuple):
    """A try that failed and will be repeated in `wait_seconds`."""

    endpoint_name: str
    failed_attempt: int
    max_attempts: int
    reason: str
    wait_seconds: float


class CatalogFetched(NamedTuple):
    """A catalog that has arrived."""

    endpoint_name: str
    catalog: Catalog


_ENDPOINT_ERRORS: dict[type[FetchError], type[EndpointError]] = {
    UnauthorizedError: TokenRefusedError,
    NotIncludedError: NoSuchCatalogError,
}

OnEvent = Callable[[RetryScheduled | CatalogFetched], None]
Catalogs = dict[str, "Future[Catalog]"]


async def fetch_all(
    settings: Settings, limits: Limits, catalogs: Catalogs, on_event: OnEvent
) -> None:
    """Request every endpoint of ``settings`` at once; each resolves its future in ``catalogs``.

    A future that is resolved is taken out of ``catalogs``, so that no body is kept here. A failed
    endpoint's future raises EndpointError. A refused token resolves all that are open with
    TokenRefusedError and cancels their requests. `on_event` hears of retries and arrivals, on this
    loop's thread.
    """
    async with _session(settings) as session:
        fetch = _Fetch(session, settings, limits, on_event)
        tasks = [
            asyncio.create_task(_deliver(fetch, endpoint, catalogs))
            for endpoint in settings.endpoints
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def probe_all(settings: Settings, limits: Limits) -> dict[str, EndpointError | None]:
    """Ask every endpoint once, all at the same time, and read no body; None for those that answer.

    Raises nothing of its own: what is wrong with an endpoint is its value.
    """
    async with _session(settings) as session:
        fetch = _Fetch(session, settings, limits, lambda _: None)
        results = await asyncio.gather(*(fetch.probe(endpoint) for endpoint in settings.endpoints))
    names = (endpoint.name for endpoint in settings.endpoints)
    return dict(zip(names, results, strict=True))


async def _deliver(fetch: _Fetch, endpoint: Endpoint, catalogs: Catalogs) -> None:
    try:
        catalog = await fetch.catalog(endpoint)
        fetch.on_event(CatalogFetched(endpoint.name, catalog))
    except TokenRefusedError as refused:
        for future in catalogs.values():
            if not future.done():
                future.set_exception(refused)
        raise
    except Exception as failed:  # noqa: BLE001 (whoever waits for this catalog must hear of it)
        catalogs.pop(endpoint.name).set_exception(failed)
    else:
        catalogs.pop(endpoint.name).set_result(catalog)


@dataclass(frozen=True)
class _Fetch:
    session: aiohttp.ClientSession
    settings: Settings
    limits: Limits
    on_event: OnEvent

    async def catalog(self, endpoint: Endpoint) -> Catalog:
        """Try until there is a catalog; raises EndpointError when no further try is allowed."""
        started = time.monotonic()
        tries = 0

        def seconds_left() -> float:
            return self.limits.endpoint_seconds - (time.monotonic() - started)

        async def attempt() -> tuple[SplitBody, int]:
            nonlocal tries
            tries += 1
            return await self._within(seconds_left(), self._read(endpoint))

        def on_wait(failed_attempt: int, failure: TransientError, seconds: float) -> None:
            max_attempts = len(self.limits.wait_caps_seconds) + 1
            self.on_event(
                RetryScheduled(
                    endpoint.name, failed_attempt, max_attempts, failure.reason, seconds
                )
            )

        try:
            body, byte_count = await retrying(attempt, self.limits, seconds_left, on_wait)()
            seconds = time.monotonic() - started
            return Catalog(body.items, byte_count, seconds, tries, body.shortfall)
        except FetchError as error:
            failure = error.with_traceback(None)  # its frames would keep the body
        # Raised out here: no chain of exceptions may lead to aiohttp's, which know the token.
        raise self._endpoint_error(endpoint, tries, _told_to_wait(failure, seconds_left()))

    async def probe(self, endpoint: Endpoint) -> EndpointError | None:
        """Ask once; gives what is wrong, if anything is."""
        try:
            await self._within(self.limits.endpoint_seconds, self._ask(endpoint))
        except FetchError as failure:
            return self._endpoint_error(endpoint, 1, failure)
        return None

    def _endpoint_error(
        self, endpoint: Endpoint, tries: int, failure: FetchError
    ) -> EndpointError:
        kind = _ENDPOINT_ERRORS.get(type(failure), EndpointError)
        return kind(endpoint.name, self._url(endpoint), tries, failure)

    def _url(self, endpoint: Endpoint) -> str:
        return self.settings.base_url + endpoint.path

    async def _read(self, endpoint: Endpoint) -> tuple[SplitBody, int]:
        async with self._response(endpoint) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk  # counted while it grows: a small body can decompress to a huge one
                if len(body) > self.limits.body_bytes:
                    raise too_large(f"a body of more than {self.limits.body_bytes:,} bytes")
        return split(endpoint, body, response.headers), len(body)

    async def _ask(self, endpoint: Endpoint) -> None:
        async with self._response(endpoint):
            pass

    @asynccontextmanager
    async def _response(self, endpoint: Endpoint) -> AsyncIterator[aiohttp.ClientResponse]:
        url = self._url(endpoint)
        async with self.session.get(
            url,
            # Not a default of the session: aiohttp sends those to a proxy too, in clear.
            headers={"Authorization": f"Bearer {self.settings.bearer_token}"},
            allow_redirects=False,
            proxy=proxy_for(url),
        ) as response:
            headers = _without_token(response.headers, self.settings.bearer_token)
            check_status(endpoint, url, response.status, headers)
            yield response

    async def _within(self, seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
        """Await ``work`` and turn whatever the network does to it into a FetchError."""
        try:
            return await _cut_off(work, seconds)
        except asyncio.TimeoutError as error:
            failure = timed_out(error, self.settings, self.limits)
        except aiohttp.ClientError as error:
            failure = network_failure(error)
        except (OSError, ValueError) as error:
            failure = other_failure(error)
        raise failure


def _without_token(headers: Mapping[str, str], token: str) -> Mapping[str, str]:
    """Return the headers with a target that cannot be shown if ``Location`` repeats the token."""
    if token.lower() not in unquote(headers.get("Location", "")).lower():
        return headers
    return {**headers, "Location": _NO_TARGET}


async def _cut_off(work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """Await ``work``; raises TimeoutError, with ``work`` cancelled, when the time is up.

    Before Python 3.12 `asyncio.wait_for` loses a cancellation that meets a result, so that leaving
    early would wait for all the tries to come.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    if task.cancelled():
        raise asyncio.TimeoutError
    return task.result()


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    silence = settings.request_timeout_seconds
    secure = urlsplit(settings.base_url).scheme == "https"  # however it is spelled
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context() if secure else True),
        # No total: a large download that makes progress is healthy. `connect` includes the name
        # look-up, which `sock_connect` leaves out.
        timeout=aiohttp.ClientTimeout(connect=silence, sock_connect=silence, sock_read=silence),
        cookie_jar=aiohttp.DummyCookieJar(),
        # aiohttp's own limits, 8,190 bytes and 128 headers, are below what some proxies send.
        max_line_size=_LONGEST_HEADER_BYTES,
        max_field_size=_LONGEST_HEADER_BYTES,
        max_headers=_MOST_HEADERS,
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": USER_AGENT,
        },
    ) as session:
        yield session


def _told_to_wait(failure: FetchError, seconds_left: float) -> FetchError:
    """Say so if it was the server's wait that ended the tries."""
    wait = failure.retry_after_seconds if isinstance(failure, TransientError) else None
    if wait is None or wait < seconds_left:
        return failure
    reason = f"{failure.reason} and asks to wait {wait:.0f} s, longer than this sync waits"
    return FinalError(reason, failure.advice)
