"""The messages about the configuration, requests and responses."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Iterator
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import aiohttp

from async_client import FetchError, Limits
from async_client.environment import proxy_for
from async_client.errors import too_large
from async_client.failures import fetch_error
from async_client.response import Response, judge
from async_client.retry import waits
from async_client.status import out_of_turns
from devkit.messages.rows import (
    NEXT_SYNC,
    NOW,
    Row,
    environment_variable,
    failure_of,
    failures,
)
from endpoints import ENDPOINTS

COURSES = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "courses")
LIMITS = Limits()
_URL = f"https://lms-catalog-api.datacamp.com{COURSES.path}"
_NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)


def of_requests() -> Iterator[Row]:
    """Yield the failures of a request, by what DataCamp's service or the network did."""
    yield failures("wrong, expired or revoked token", NOW, status_failure(401))
    yield failures("your license does not include the catalog", NOW, status_failure(403))
    page = {"Content-Type": "text/html"}
    yield failures("a firewall or proxy responded, not the API", NOW, status_failure(403, page))
    yield failures(
        "wrong `base_url`, or there is no such catalog",
        NOW,
        *(status_failure(status) for status in (404, 410, 204)),
    )
    yield failures("too many requests with this token", NEXT_SYNC, status_failure(429))
    yield failures(
        "too many requests; the response has `Retry-After` or no remaining requests",
        NEXT_SYNC,
        status_failure(403, {"Retry-After": "1"}),
    )
    yield failures(
        "DataCamp's service has a problem",
        NEXT_SYNC,
        *(status_failure(status) for status in (500, 502, 503, 504, 520, 408, 425)),
    )
    yield failures(
        "the request is refused as such",
        NOW,
        *(status_failure(status) for status in (400, 405, 501)),
    )
    elsewhere = ("https://login.example/", "https://[")
    yield failures(
        "the API has moved, or a login page intervenes",
        NOW,
        *(status_failure(302, {"Location": target}) for target in elsewhere),
    )
    yield failures("the API has moved on its host", NOW, status_failure(301, {"Location": "/v2"}))
    yield from _of_the_network()
    yield from _of_waiting()


def of_responses() -> Iterator[Row]:
    """Yield the reasons why a response of HTTP 200 is no catalog."""
    bodies = (b"<html>", b"", b"{", b"7", b"{}", b"\xff")
    yield failures(
        "something else than the API responded", NEXT_SYNC, *(_judged(body) for body in bodies)
    )
    yield failures("a proxy encodes bodies", NEXT_SYNC, _judged(b"", {"Content-Encoding": "br"}))
    errors = (b'{"data": [], "success": false}', b'{"data": [], "error": "\xc3\xa4"}')
    yield failures(
        "the service reports an error beside the list", NEXT_SYNC, *map(_judged, errors)
    )
    yield failures(
        "the API renamed the id, or sends something else",
        NEXT_SYNC,
        _judged(b'{"data": [{"key": "course-1"}]}'),
    )
    pages = (b'{"data": [], "hasMore": true}', b'{"data": [], "meta": {"total": 9, "limit": 0}}')
    linked = _judged(b"[]", {"Link": '<https://a/?page=2>; rel="next"'})
    more = (b'{"data": [{"id": "a"}], "total": 9, "limit": 1}',)
    yield failures("the API paginates now", NOW, _judged(pages[0]), linked, *map(_judged, more))
    large = (
        b"[" + b"0," * 1_000_001 + b"0]",
        b"[" + b"0," * 100_001 + b"0]",
    )
    yield failures(
        "not a catalog, or an API that changed",
        NOW,
        too_large(f"a body of more than {LIMITS.body_bytes:,} bytes"),
        _judged(b" " * (LIMITS.body_bytes + 1)),
        *map(_judged, large),
    )


def _of_the_network() -> Iterator[Row]:
    refused, silent = OSError(errno.ECONNREFUSED, ""), aiohttp.SocketTimeoutError("")
    yield failures("the API or a proxy does not respond", NEXT_SYNC, _network(silent))
    yield failures(
        "the network or the service is slow", NEXT_SYNC, _network(asyncio.TimeoutError())
    )
    lost: tuple[Exception, ...] = (
        aiohttp.ClientConnectorDNSError(_connection(), OSError(-2, "unknown name")),
        aiohttp.ClientConnectorError(_connection(), refused),
        aiohttp.ClientConnectorSSLError(_connection(), ssl.SSLError(1, "")),
        aiohttp.ClientProxyConnectionError(_connection(), refused),
        _response_error(aiohttp.ClientHttpProxyError, 502),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError(),
        _response_error(aiohttp.ClientResponseError, 400),
        aiohttp.ClientOSError(1, "[SSL: TLSV1_ALERT_INTERNAL_ERROR]"),
        ConnectionResetError(),
        aiohttp.ClientError(),
    )
    yield failures("the network, a proxy or the service", NEXT_SYNC, *map(_network, lost))
    certificate = ssl.SSLCertVerificationError(1, "")
    certificate.verify_message = "self-signed certificate in certificate chain"
    unnamed = aiohttp.ClientConnectorCertificateError(_connection(), ValueError())
    yield failures(
        "a proxy with its own CA, or a wrong host",
        NOW,
        _network(aiohttp.ClientConnectorCertificateError(_connection(), certificate)),
        _network(unnamed),
    )
    strict = [_strict(code) for code in (85, 86, 89, 92, 81)]
    advice, word, _ = strict[0].advice.partition("reissue ")
    remedies = [failure.advice.partition(word)[2] for failure in strict]
    yield Row(
        (strict[0].reason,),
        "a certificate of your own CA that Python 3.12 still accepted",
        f"{advice}{word}{', '.join(remedies[:-1])} or {remedies[-1]}.",
        NOW,
    )
    demanded = aiohttp.ClientOSError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]")
    yield failures("another server than DataCamp's", NOW, _network(demanded))
    unauthorized = _response_error(aiohttp.ClientHttpProxyError, 407)
    yield failures("a proxy with accounts", NOW, _network(unauthorized))
    yield failures("an address that cannot be used", NOW, _network(aiohttp.InvalidURL("")))
    with environment_variable("HTTPS_PROXY", "socks5://a"):
        yield failures(
            "a SOCKS proxy, or no URL, in the variable or the system's proxy setting",
            NOW,
            failure_of(proxy_for, _URL),
        )


def _of_waiting() -> Iterator[Row]:
    """Yield the failures after which no time is left."""
    limited, unavailable = status_failure(429, {"Retry-After": "900"}), status_failure(503)
    yield failures("the requested wait exceeds 10 minutes", NEXT_SYNC, _stopped(limited))
    yield failures("the attempts took 10 minutes", NEXT_SYNC, _stopped(unavailable))
    yield failures(
        "too many requests with this token, for 10 minutes",
        NEXT_SYNC,
        out_of_turns(LIMITS.endpoint_seconds),
    )


def status_failure(status: int, headers: dict[str, str] | None = None) -> FetchError:
    """Return the failure of a response with this status and no body."""
    return failure_of(judge, COURSES, _URL, Response(status, headers or {}, b""), _NOW)


def _judged(body: bytes, headers: dict[str, str] | None = None) -> FetchError:
    return failure_of(judge, COURSES, _URL, Response(200, headers or {}, body), _NOW)


def _network(error: Exception) -> FetchError:
    return fetch_error(error, 30.0, LIMITS.endpoint_seconds)


def _stopped(failure: FetchError) -> FetchError:
    """Return what a failure becomes if the next attempt would be later than the endpoint's end."""
    generator = waits(LIMITS, lambda: 0.0)
    generator.send(None)
    return failure_of(generator.send, failure)


def _strict(code: int) -> FetchError:
    """Return the failure of a certificate that OpenSSL refuses only if it is strict."""
    error = ssl.SSLCertVerificationError(1, "")
    error.verify_message, error.verify_code = "Missing Authority Key Identifier", code
    return _network(aiohttp.ClientConnectorCertificateError(_connection(), error))


def _connection() -> Any:
    return SimpleNamespace(host="", port=443, ssl=True)


def _response_error(kind: type[aiohttp.ClientResponseError], status: int) -> Exception:
    request: Any = SimpleNamespace(real_url="")
    return kind(request, (), status=status)
