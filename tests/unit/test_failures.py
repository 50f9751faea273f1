"""What each exception of aiohttp and of the network is as a failure."""

from __future__ import annotations

import asyncio
import socket
import ssl
from types import SimpleNamespace

import aiohttp
import pytest

from async_client.errors import CHECK_NETWORK, CHECK_URL, NEXT_SYNC, FinalError, TransientError
from async_client.failures import fetch_error
from tests.support.fetching import TOKEN, crash_report

CHECK_PROXY = "Check base_url and HTTPS_PROXY; a proxy must be http:// or https://"
RAISE_TIMEOUT = f"{CHECK_NETWORK}, or raise request_timeout_seconds"
TOO_SLOW = "The network or DataCamp's service is too slow; the next sync will retry"
UNTRUSTED = "the server's TLS certificate is not trusted: "
NAME_THE_CA = (
    "Check base_url; if a proxy intercepts TLS, "
    "set REQUESTS_CA_BUNDLE to a file with its CA certificate"
)


def response_error(kind, status, message):
    """Make an error of aiohttp with the request in it, token included."""
    request = SimpleNamespace(real_url="http://a", headers={"Authorization": f"Bearer {TOKEN}"})
    return kind(request, (), status=status, message=message)


UNVERIFIED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNVERIFIED.verify_message = "certificate is not valid for '127.0.0.1'."
UNKNOWN_NAME = socket.gaierror(-2, "Name or service not known")
WRONG_VERSION = ssl.SSLError(1, "wrong version number")
REFUSED = OSError(111, "Connect call failed ('10.0.0.1', 443)")
UNRESOLVED = aiohttp.ClientConnectorDNSError(None, UNKNOWN_NAME)
NO_HANDSHAKE = aiohttp.ClientConnectorSSLError(None, WRONG_VERSION)
ALERT = ssl.SSLError(1, "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure")
NO_PROXY = aiohttp.ClientProxyConnectionError(None, REFUSED)
RESET = aiohttp.ClientOSError(104, "Connection reset by peer")
CLOSING = aiohttp.ClientConnectionResetError("Cannot write to closing transport")
MISMATCH = aiohttp.ClientConnectorCertificateError(None, UNVERIFIED)
NO_KEY_ID = ssl.SSLCertVerificationError(1, "certificate verify failed")
NO_KEY_ID.verify_message, NO_KEY_ID.verify_code = "Missing Authority Key Identifier", 85
NO_KEY_USAGE = ssl.SSLCertVerificationError(1, "certificate verify failed")
NO_KEY_USAGE.verify_message, NO_KEY_USAGE.verify_code = "Path length given without key usage", 81
REFUSED_FROM_3_13 = " (refused by Python 3.13 and later: ssl.VERIFY_X509_STRICT)"
REISSUE = (
    "The CA is known, so no setting of the connector helps: "
    "ask the company that runs the CA to reissue {}"
)
WITHOUT_MESSAGE = aiohttp.ClientConnectorCertificateError(None, ValueError())
TIMEOUTS = [
    (aiohttp.ConnectionTimeoutError(""), "no data received for 30 s", RAISE_TIMEOUT),
    (aiohttp.SocketTimeoutError(""), "no data received for 30 s", RAISE_TIMEOUT),
]
CONNECTION_FAILURES = {
    "the host name cannot be resolved (Name or service not known)": UNRESOLVED,
    "the TLS handshake failed (wrong version number)": NO_HANDSHAKE,
    "the TLS handshake failed (TLS alert: handshake failure)": aiohttp.ClientConnectorSSLError(
        None, ALERT
    ),
    "the connection was lost (TLS alert: internal error)": aiohttp.ClientOSError(
        1, "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:2580)"
    ),
    "the connection was lost (TLS: bad record type)": aiohttp.ClientOSError(
        1, "[SSL: BAD_RECORD_TYPE] bad record type (_ssl.c:2580)"
    ),
    "the proxy cannot be reached (Connection refused)": NO_PROXY,
    "the proxy refused to connect to the server": response_error(
        aiohttp.ClientHttpProxyError, 502, "Bad Gateway"
    ),
    "the connection failed (Connection refused)": aiohttp.ClientConnectorError(None, REFUSED),
    "the connection failed": aiohttp.ClientConnectorError(None, OSError("Multiple errors")),
    "the server closed the connection without a response": aiohttp.ServerDisconnectedError(),
    "the body is corrupt or incomplete": aiohttp.ClientPayloadError("broken"),
    "malformed HTTP response": response_error(aiohttp.ClientResponseError, 400, "Bad chunk"),
    "the connection was lost (Connection reset by peer)": RESET,
    "the request failed (ClientConnectionResetError)": CLOSING,
    "the connection was lost (OSError)": OSError(24, "Too many open files"),
}
UNREQUESTED = (
    response_error(aiohttp.ClientResponseError, 400, "Can not decode content-encoding (br)"),
    "HTTP 200, but the body is encoded as br, which was not requested",
    f"{CHECK_URL}; if both are correct, {NEXT_SYNC}",
)
INVALID_URL = "base_url or the proxy URL is invalid"
FINAL = [
    (asyncio.TimeoutError(), "timed out after 600 s in total, retries included", TOO_SLOW),
    (MISMATCH, f"{UNTRUSTED}certificate is not valid for '127.0.0.1'", NAME_THE_CA),
    (
        aiohttp.ClientConnectorCertificateError(None, NO_KEY_ID),
        f"{UNTRUSTED}Missing Authority Key Identifier{REFUSED_FROM_3_13}",
        REISSUE.format("the server's certificate with an Authority Key Identifier"),
    ),
    (
        aiohttp.ClientConnectorCertificateError(None, NO_KEY_USAGE),
        f"{UNTRUSTED}Path length given without key usage{REFUSED_FROM_3_13}",
        REISSUE.format("its certificates as RFC 5280 requires"),
    ),
    (
        aiohttp.ClientOSError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert"),
        "the server demands a client certificate (TLS alert: certificate required)",
        "The connector has none: check base_url and the proxy, if any",
    ),
    (WITHOUT_MESSAGE, f"{UNTRUSTED}it is not valid for the host", NAME_THE_CA),
    (
        response_error(aiohttp.ClientHttpProxyError, 407, "Authenticate"),
        "the proxy requires a user name and password",
        "Add them to the URL in HTTPS_PROXY",
    ),
    (aiohttp.InvalidURL("http://a:hunter2"), f"{INVALID_URL} (InvalidURL)", CHECK_PROXY),
    (ValueError("http://user:hunter2@proxy"), f"{INVALID_URL} (ValueError)", CHECK_PROXY),
]
NETWORK = [(error, reason, CHECK_NETWORK) for reason, error in CONNECTION_FAILURES.items()]


@pytest.mark.parametrize(
    ("kind", "error", "reason", "advice"),
    [(TransientError, *case) for case in (*TIMEOUTS, *NETWORK, UNREQUESTED)]
    + [(FinalError, *case) for case in FINAL],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value)[:40],
)
def test_each_exception_has_a_class_a_reason_and_an_advice(kind, error, reason, advice):
    """The texts are our own, and nothing refers to the exception, which may hold a secret."""
    failure = fetch_error(error, silence_seconds=30, endpoint_seconds=600)
    assert (type(failure), failure.reason, failure.advice) == (kind, reason, advice)
    assert (failure.__cause__, failure.__context__) == (None, None)
    for secret in (TOKEN, "hunter2", "10.0.0.1"):
        assert secret not in crash_report(failure)
