"""Send one request and return its response: the only module that needs a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

import aiohttp

from async_client.environment import proxy_for, tls_context
from async_client.errors import too_large
from async_client.failures import NETWORK_ERRORS, fetch_error
from async_client.limits import MAX_HEADER_BYTES, MAX_HEADERS, Limits
from async_client.response import Response
from async_client.settings import Settings
from async_client.version import VERSION

USER_AGENT = f"datacamp-catalog-connector/{VERSION}"

_MIN_SECONDS = 0.001  # as for aiohttp a total of 0 is no limit


@asynccontextmanager
async def session_for(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the session for all requests; raise ValueError if CA certificates cannot be read."""
    secure = urlsplit(settings.base_url).scheme == "https"  # in any case
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
