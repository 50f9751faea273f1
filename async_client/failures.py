"""Turn the exceptions of aiohttp and the network into FetchError. No I/O."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl

import aiohttp

from async_client.errors import FetchError, FinalError, TransientError
from async_client.limits import Limits
from async_client.response import NOT_REQUESTED, not_requested
from async_client.settings import Settings

_CHECK_NETWORK = "Check base_url, the network and the proxy if there is one"


def timed_out(error: asyncio.TimeoutError, settings: Settings, limits: Limits) -> FetchError:
    """Return the failure of silence, or of an endpoint whose time is up."""
    if isinstance(error, aiohttp.ClientError):
        return TransientError(
            f"nothing was heard for {settings.request_timeout_seconds:g} s",
            f"{_CHECK_NETWORK}, or raise request_timeout_seconds",
        )
    return TransientError(
        f"it was not complete after {limits.endpoint_seconds:g} s, tries and waits included",
        "The network or DataCamp's service is too slow; the next sync asks again",
    )


def network_failure(error: aiohttp.ClientError) -> FetchError:
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
        return other_failure(error)
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


def other_failure(error: Exception) -> FetchError:
    """Return the failure of a broken connection, or of a URL that cannot be used."""
    if isinstance(error, ValueError):  # a URL or proxy that aiohttp cannot use
        return FinalError(
            f"no request can be made of the address or its proxy ({type(error).__name__})",
            "Check base_url and HTTPS_PROXY; a proxy must be http:// or https://",
        )
    return TransientError(f"the connection broke ({type(error).__name__})", _CHECK_NETWORK)
