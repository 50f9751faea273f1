"""The HTTP edge: all catalogs requested at once over one session, each try judged and repeated.

All decisions are made elsewhere (`response`, `retry`); here is what needs a socket.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import certifi

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
from async_client.response import (
    NOT_REQUESTED,
    Items,
    SplitBody,
    check_status,
    not_requested,
    split,
    too_large,
)
from async_client.retry import retrying
from async_client.settings import VERSION, Limits, Settings
from endpoints import Endpoint

Result = TypeVar("Result")

USER_AGENT = f"datacamp-catalog-connector/{VERSION}"

_LONGEST_HEADER_BYTES = 64 * 1024
_MOST_HEADERS = 1_000
_NO_TARGET = "https://["  # no address, so that errors do not show it

_CHECK_NETWORK = "Check base_url, the network and the proxy if there is one"


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


class ReceivedResponse(NamedTuple):
    """A response as it was received, usable or not.

    `body` is decompressed and goes as far as it was read; it is empty if status or headers were
    refused. `seconds` is the time from the request to the end of the body.
    """

    endpoint_name: str
    status: int
    headers: Mapping[str, str]
    body: bytearray
    seconds: float


_ENDPOINT_ERRORS: dict[type[FetchError], type[EndpointError]] = {
    UnauthorizedError: TokenRefusedError,
    NotIncludedError: NoSuchCatalogError,
}

OnEvent = Callable[[RetryScheduled | CatalogFetched], None]
OnResponse = Callable[[ReceivedResponse], None]
Catalogs = dict[str, "Future[Catalog]"]


async def fetch_all(
    settings: Settings,
    limits: Limits,
    catalogs: Catalogs,
    on_event: OnEvent,
    on_response: OnResponse = lambda _: None,
) -> None:
    """Request every endpoint of ``settings`` at once; each resolves its future in ``catalogs``.

    A future that is resolved is taken out of ``catalogs``, so that no body is kept here. A failed
    endpoint's future raises EndpointError. A refused token resolves all that are open with
    TokenRefusedError and cancels their requests. `on_event` hears of retries and arrivals, on this
    loop's thread, and `on_response` gets every response.
    """
    async with _session(settings) as session:
        fetch = _Fetch(session, settings, limits, on_event, on_response)
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
    on_response: OnResponse = lambda _: None

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
        body = bytearray()
        async with self._response(endpoint, body) as response:
            async for chunk in response.content.iter_any():
                body += chunk  # counted while it grows: a small body can decompress to a huge one
                if len(body) > self.limits.body_bytes:
                    raise too_large(f"a body of more than {self.limits.body_bytes:,} bytes")
        return split(endpoint, body, response.headers), len(body)

    async def _ask(self, endpoint: Endpoint) -> None:
        async with self._response(endpoint, bytearray()):
            pass

    @asynccontextmanager
    async def _response(
        self, endpoint: Endpoint, body: bytearray
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Request an endpoint and check the status; report it with the `body` that is read."""
        url, started = self._url(endpoint), time.monotonic()
        async with self.session.get(
            url,
            # Not a default of the session: aiohttp sends those to a proxy too, in clear.
            headers={"Authorization": f"Bearer {self.settings.bearer_token}"},
            allow_redirects=False,
            proxy=_proxy(url),
        ) as response:
            headers = _without_token(response.headers, self.settings.bearer_token)
            try:
                check_status(endpoint, url, response.status, headers)
                yield response
            finally:
                received = (response.status, headers, body, time.monotonic() - started)
                self.on_response(ReceivedResponse(endpoint.name, *received))

    async def _within(self, seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
        """Await ``work`` and turn whatever the network does to it into a FetchError."""
        try:
            return await _cut_off(work, seconds)
        except asyncio.TimeoutError as error:
            failure = _timed_out(error, self.settings, self.limits)
        except aiohttp.ClientError as error:
            failure = _network_failure(error)
        except (OSError, ValueError) as error:
            failure = _other_failure(error)
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
        connector=aiohttp.TCPConnector(ssl=_tls_context() if secure else True),
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


def _tls_context() -> ssl.SSLContext:
    """Trust certifi's roots, as a container may have none, or those the environment names."""
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        path = os.environ.get(variable)
        if path and Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        if path:
            try:
                return ssl.create_default_context(cafile=path)
            except OSError as error:  # ssl.SSLError too
                raise ValueError(
                    f"{variable} names {path!r}, which holds no usable certificates "
                    f"({error.strerror or error}): correct or unset it."
                ) from None
    return ssl.create_default_context(cafile=certifi.where())


def _proxy(url: str) -> str | None:
    """Give the proxy that the environment names for a URL; ValueError if it is of another kind.

    aiohttp would look for itself with ``trust_env``, but then also read ``.netrc``, whose entry
    for the host would take the token's place.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        return f"http://{proxy}"
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise ValueError("aiohttp takes every proxy for an HTTP proxy")
    return proxy


def _told_to_wait(failure: FetchError, seconds_left: float) -> FetchError:
    """Say so if it was the server's wait that ended the tries."""
    wait = failure.retry_after_seconds if isinstance(failure, TransientError) else None
    if wait is None or wait < seconds_left:
        return failure
    reason = f"{failure.reason} and asks to wait {wait:.0f} s, longer than this sync waits"
    return FinalError(reason, failure.advice)


def _timed_out(error: asyncio.TimeoutError, settings: Settings, limits: Limits) -> FetchError:
    if isinstance(error, aiohttp.ClientError):
        return TransientError(
            f"nothing was heard for {settings.request_timeout_seconds:g} s",
            f"{_CHECK_NETWORK}, or raise request_timeout_seconds",
        )
    return TransientError(
        f"it was not complete after {limits.endpoint_seconds:g} s, tries and waits included",
        "The network or DataCamp's service is too slow; the next sync asks again",
    )


def _network_failure(error: aiohttp.ClientError) -> FetchError:
    """Say what happened in words of our own: aiohttp's may hold the request with its token."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "") or "it does not fit the host"
        return FinalError(
            f"the server's TLS certificate is not trusted: {why.rstrip('.')}",
            "Check base_url; for a proxy with a certificate of its own, "
            "set REQUESTS_CA_BUNDLE to the file that holds its root",
        )
    if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == 407:
        return FinalError("the proxy wants a user name and password", "Put them into HTTPS_PROXY")
    if isinstance(error, aiohttp.InvalidURL):
        return _other_failure(error)
    for encoding in NOT_REQUESTED:
        # aiohttp names the library that it lacks; other errors have messages that are no text.
        if f"({encoding})" in str(getattr(error, "message", "")):
            return not_requested(encoding)
    for kind, words in _NETWORK_FAILURES:
        if isinstance(error, kind):
            return TransientError(words + _os_reason(error), _CHECK_NETWORK)
    return TransientError(f"the answer broke off ({type(error).__name__})", _CHECK_NETWORK)


_NETWORK_FAILURES: tuple[tuple[type[aiohttp.ClientError], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "the host name is not known"),
    (aiohttp.ClientConnectorSSLError, "the TLS handshake failed"),
    (aiohttp.ClientProxyConnectionError, "the proxy cannot be reached"),
    (aiohttp.ClientHttpProxyError, "the proxy refuses to connect"),
    (aiohttp.ClientConnectorError, "no connection"),
    (aiohttp.ServerDisconnectedError, "the server hung up without an answer"),
    (aiohttp.ClientPayloadError, "the body is broken or cut off"),
    (aiohttp.ClientResponseError, "the answer breaks the rules of HTTP"),
    (aiohttp.ClientOSError, "the connection broke"),
)


# Their numbers are not those of the operating system.
_NUMBERED_OTHERWISE = (ssl.SSLError, socket.gaierror)


def _os_reason(error: aiohttp.ClientError) -> str:
    os_error = getattr(error, "os_error", error)
    words, number = getattr(os_error, "strerror", None), getattr(os_error, "errno", None) or 0
    if number > 0 and not isinstance(os_error, _NUMBERED_OTHERWISE):
        words = os.strerror(number)  # asyncio's words hold the address
    return f" ({words})" if words else ""


def _other_failure(error: Exception) -> FetchError:
    if isinstance(error, ValueError):  # a URL or proxy that aiohttp cannot use
        return FinalError(
            f"no request can be made of the address or its proxy ({type(error).__name__})",
            "Check base_url and HTTPS_PROXY; a proxy must be http:// or https://",
        )
    return TransientError(f"the connection broke ({type(error).__name__})", _CHECK_NETWORK)
