"""Turn the exceptions of aiohttp and of the network into FetchError. No I/O.

The texts are our own: those of aiohttp may contain the request with its token.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl

import aiohttp

from async_client.errors import (
    CHECK_NETWORK,
    UNREQUESTED_ENCODINGS,
    FetchError,
    FinalError,
    TransientError,
    unrequested,
)

NETWORK_ERRORS = (asyncio.TimeoutError, aiohttp.ClientError, OSError, ValueError)

_CONNECTION_FAILURES: tuple[tuple[type[aiohttp.ClientError], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "the host name cannot be resolved"),
    (aiohttp.ClientConnectorSSLError, "the TLS handshake failed"),
    (aiohttp.ClientProxyConnectionError, "the proxy cannot be reached"),
    (aiohttp.ClientHttpProxyError, "the proxy refused to connect to the server"),
    (aiohttp.ClientConnectorError, "the connection failed"),
    (aiohttp.ServerDisconnectedError, "the server closed the connection without a response"),
    (aiohttp.ClientPayloadError, "the body is corrupt or incomplete"),
    (aiohttp.ClientResponseError, "malformed HTTP response"),
    (aiohttp.ClientOSError, "the connection was lost"),
)
# Their error numbers are not those of the operating system.
_NUMBERED_OTHERWISE = (ssl.SSLError, socket.gaierror)
# After the handshake, aiohttp raises what OpenSSL reports as an OSError of its number and text.
_TLS_REASON = re.compile(r"\[SSL: (\w+)\]")

# What OpenSSL refuses only with VERIFY_X509_STRICT, which Python sets by default from 3.13 on:
# X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA to X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3.
_STRICT_CODES = range(80, 94)
_TO_REISSUE = {
    85: "the server's certificate with an Authority Key Identifier",
    86: "its CA certificate with a Subject Key Identifier",
    89: "its CA certificate with Basic Constraints that are marked critical",
    92: "its CA certificate with a Key Usage",
}


def fetch_error(error: Exception, silence_seconds: float, endpoint_seconds: float) -> FetchError:
    """Return the failure that one of `NETWORK_ERRORS` is; the seconds are the two time limits.

    An exception is judged by its class, never by its `status`: aiohttp raises a broken body of a
    200 as a status of 400.
    """
    if isinstance(error, asyncio.TimeoutError) and isinstance(error, aiohttp.ClientError):
        return TransientError(
            f"no data received for {silence_seconds:g} s",
            f"{CHECK_NETWORK}, or raise request_timeout_seconds",
        )
    if isinstance(error, asyncio.TimeoutError):  # no time is left for another attempt
        return FinalError(
            f"timed out after {endpoint_seconds:g} s in total, retries included",
            "The network or DataCamp's service is too slow; the next sync will retry",
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):  # a ValueError too
        return _certificate_error(error.certificate_error)
    if isinstance(error, ValueError):  # aiohttp.InvalidURL too
        return FinalError(
            f"base_url or the proxy URL is invalid ({type(error).__name__})",
            "Check base_url and HTTPS_PROXY; a proxy must be http:// or https://",
        )
    if isinstance(error, aiohttp.ClientError):
        return _connection_error(error)
    return TransientError(f"the connection was lost ({type(error).__name__})", CHECK_NETWORK)


def _connection_error(error: aiohttp.ClientError) -> FetchError:
    if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == 407:
        return FinalError(
            "the proxy requires a user name and password", "Add them to the URL in HTTPS_PROXY"
        )
    for encoding in UNREQUESTED_ENCODINGS:
        # aiohttp names the library that it lacks; the message of other errors may be no text.
        if f"({encoding})" in str(getattr(error, "message", "")):
            return unrequested(encoding)
    detail = _read_detail(error)
    if detail == " (TLS alert: certificate required)":
        return FinalError(
            f"the server demands a client certificate{detail}",
            "The connector has none: check base_url and the proxy, if any",
        )
    for kind, words in _CONNECTION_FAILURES:
        if isinstance(error, kind):
            return TransientError(words + detail, CHECK_NETWORK)
    return TransientError(f"the request failed ({type(error).__name__})", CHECK_NETWORK)


def _certificate_error(error: Exception) -> FinalError:
    why = getattr(error, "verify_message", "") or "it is not valid for the host"
    reason = f"the server's TLS certificate is not trusted: {why.rstrip('.')}"
    code = getattr(error, "verify_code", 0)
    if code in _STRICT_CODES:
        what = _TO_REISSUE.get(code, "its certificates as RFC 5280 requires")
        return FinalError(
            f"{reason} (refused by Python 3.13 and later: ssl.VERIFY_X509_STRICT)",
            "The CA is known, so no setting of the connector helps: "
            f"ask the company that runs the CA to reissue {what}",
        )
    return FinalError(
        reason,
        "Check base_url; if a proxy intercepts TLS, "
        "set REQUESTS_CA_BUNDLE to a file with its CA certificate",
    )


def _read_detail(error: aiohttp.ClientError) -> str:
    """Return what OpenSSL or the operating system reports, in parentheses, if anything."""
    os_error = getattr(error, "os_error", error)
    tls = _TLS_REASON.search(str(os_error))
    if tls:
        _, alert, words = tls[1].rpartition("ALERT_")
        return f" (TLS{' alert' if alert else ''}: {words.replace('_', ' ').lower()})"
    words, number = getattr(os_error, "strerror", None), getattr(os_error, "errno", None) or 0
    if number > 0 and not isinstance(os_error, _NUMBERED_OTHERWISE):
        words = os.strerror(number)  # the text of asyncio contains the address
    return f" ({words})" if words else ""
