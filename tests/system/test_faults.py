"""What each kind of fault on a real socket leads to, and that no token leaks.

The courses have the fault, and the other five endpoints must return their catalogs all the same.
Further texts, statuses and bodies are tested with the modules that decide about them.
"""

from __future__ import annotations

import gzip
import logging
import math
import socket
import ssl
import struct
import threading
import tracemalloc
import zlib

import pytest
from aiohttp import web

from async_client import Catalog, EndpointError, Limits, Settings, fetching
from async_client.errors import CHECK_URL
from tests.support.cases import cases
from tests.support.fetching import (
    CATALOGS,
    NAMES,
    TOKEN,
    crash_report,
    misbehave,
    of_courses,
    replying,
)
from tests.support.tls import (
    demanding_certificates,
    self_signed,
    serving_tls,
    signed_by_an_old_ca,
)

COURSES = CATALOGS["courses"]
TWICE = Limits(wait_caps_seconds=(0.0,), rate_limit_wait_seconds=0.0)


@pytest.fixture
def sync(caplog):
    """Fetch all catalogs; return the catalog or error of each endpoint.

    No error, event or log line contains the token.
    """
    caplog.set_level(logging.DEBUG)

    def run(base_url, limits=TWICE, request_timeout_seconds=10.0):
        events = []
        settings = Settings(TOKEN, base_url, request_timeout_seconds)
        with fetching(settings, limits, events.append) as catalogs:
            results = {name: catalogs.take(name) for name in NAMES}
        reports = [crash_report(r) for r in results.values() if isinstance(r, Exception)]
        assert TOKEN.lower() not in f"{reports} {events} {caplog.text}".lower()
        return results

    return run


def sending(raw, *, reset=False):
    """Respond with bytes that need not be HTTP, then close the connection, or reset it."""

    async def respond(exchange):
        transport = exchange.request.transport
        transport.write(raw)
        if reset:
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        transport.close()
        return web.Response()

    return respond


def encoded(encode, name):
    """Respond with the healthy body encoded by a function, under a name."""

    async def respond(exchange):
        return web.Response(body=encode(exchange.body), headers={"Content-Encoding": name})

    return respond


def by_kind(expected):
    """Return cases of kinds of the mock server, named after the kind."""
    return {kind: (kind, result) for kind, result in expected.items()}


CLOSED = "the server closed the connection without a response"
RESET = "the connection was lost (Connection reset by peer)"
BROKEN = "the body is corrupt or incomplete"
MALFORMED = "malformed HTTP response"
NOT_JSON = "HTTP 200, but the body is not valid JSON"
NO_LIST = "HTTP 200, but the body is JSON without exactly one `courses` list"
NO_ENVELOPE = "HTTP 200, but the body is JSON that is neither an object nor a list"
NO_CHARSET = "HTTP 200, but the body is neither valid UTF-8 nor valid in its declared charset"

TRANSIENT = {
    "reset": CLOSED,
    "reset-headers": CLOSED,
    "reset-body": BROKEN,
    "length-long": BROKEN,
    "length-short": MALFORMED,
    "cut-chunked": BROKEN,
    "stall-headers": "no data received for 0.2 s",
    "stall-body": "no data received for 0.2 s",
    "empty": "HTTP 200, but the body is empty",
    "huge-integer": NOT_JSON,
    "html": "HTTP 200, but the body is HTML, not JSON",
    "text": NOT_JSON,
    "null": NO_ENVELOPE,
    "scalar": NO_ENVELOPE,
    "object": NO_LIST,
    "error-object": NO_LIST,
    "data-null": NO_LIST,
    "garbage": NOT_JSON,
    "cut-json": NOT_JSON,
    "latin1": NO_CHARSET,
    "renamed-ids": "HTTP 200, but only 0 of 2 items have a readable id",
    "error-beside": "HTTP 200, but the body reports an error: error is present",
    "gzip-bad": BROKEN,
}
BAD_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n[]\r\n0\r\n\r\n"
HALF_A_BODY = b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"data":['
TRANSIENT_ON_THE_WIRE = {
    "reset before the headers": (sending(b"", reset=True), RESET),
    "reset in the headers": (sending(b"HTTP/1.1 200 OK\r\nConte", reset=True), RESET),
    "reset in the body": (sending(HALF_A_BODY, reset=True), BROKEN),
    "a chunk of an invalid size": (sending(BAD_CHUNK), MALFORMED),
    "not HTTP": (sending(b"SSH-2.0-OpenSSH_9.6\r\n"), MALFORMED),
    "a header of 100 kB": (replying(200, b"[]", {"X-Long": "x" * 100_000}), MALFORMED),
    "truncated gzip": (encoded(lambda body: gzip.compress(body)[:-20], "gzip"), NOT_JSON),
    "gzip declared but not used": (encoded(bytes, "gzip"), BROKEN),
    "deflate declared but not used": (encoded(bytes, "deflate"), BROKEN),
    "an unknown encoding": (encoded(zlib.compress, "snappy"), NO_CHARSET),
}


@cases("respond, reason", by_kind(TRANSIENT) | TRANSIENT_ON_THE_WIRE)
def test_a_transient_fault_is_retried(server, sync, respond, reason):
    """An attempt is one request, also where aiohttp would repeat it by itself.

    The endpoint fails if the fault stays; the next sync without the fault succeeds.
    """
    misbehave(server, (respond, None))
    silence_seconds = 0.2 if reason.endswith("0.2 s") else 10.0
    error = of_courses(sync(server.base_url, request_timeout_seconds=silence_seconds))
    assert (type(error), error.attempts, error.reason) == (EndpointError, 2, reason)
    assert server.requests.endpoint_names.count("courses") == 2
    server.set_faults()
    assert of_courses(sync(server.base_url)).items() == COURSES


FINAL = {
    "204": "HTTP 204 No Content",
    "206": "HTTP 206 Partial Content",
    "304": "HTTP 304 Not Modified",
    "404": "HTTP 404 Not Found",
    "redirect": "HTTP 302 Found, a redirect to https://elsewhere.example; ",
    "redirect-same": "HTTP 302 Found, a redirect to http://127.0.0.1",
    "redirect-loop": "HTTP 302 Found, a redirect to http://127.0.0.1",
    "redirect-nowhere": "HTTP 302 Found",
    "pages": "the response is paginated: meta.numberOfPages is 3; ",
    "next-link": "the response is paginated: links.next is present; ",
    "first-page": "the response is paginated: X-Next-Page is 2; ",
}


@cases("respond, reason", by_kind(FINAL))
def test_a_final_fault_is_not_retried(server, sync, respond, reason):
    """One request is sent, so no redirect is followed; the other catalogs arrive."""
    misbehave(server, (respond, None))
    error = of_courses(sync(server.base_url))
    assert error.attempts == 1
    assert error.reason.startswith(reason)
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


def with_first(**fields):
    """Return the courses with these fields added to the first."""
    return [{**COURSES[0], **fields}, COURSES[1]]


ONE = b'[{"id":"1"}]'
READABLE = {
    "bare-list": COURSES,
    "own-name": COURSES,
    "empty-list": [],
    "bom": COURSES,
    "total": COURSES,
    "nan": with_first(timeNeededInHours=math.nan),
    "huge-number": with_first(timeNeededInHours=math.inf),
    "surrogate": with_first(title="half of a pair: \ud83d"),
    "latin1-declared": with_first(title="Décisions à Zürich"),
    "duplicate-keys": with_first(title="the second"),
    "encoding-unknown": COURSES,
}
READABLE_ON_THE_WIRE = {
    "a header of 60 kB": (replying(200, ONE, {"X-Policy": "x" * 60_000}), [{"id": "1"}]),
    "900 headers": (replying(200, ONE, {f"X-{n}": "x" for n in range(900)}), [{"id": "1"}]),
    "deflate": (encoded(zlib.compress, "deflate"), COURSES),
    "gzip": (encoded(gzip.compress, "gzip"), COURSES),
    "another type": (replying(200, b"[]", {"Content-Type": "text/html"}), []),
}


@cases("respond, items", by_kind(READABLE) | READABLE_ON_THE_WIRE)
def test_an_unusual_catalog_is_read(server, sync, respond, items):
    """One request is sent, and every item that can be decoded is."""
    misbehave(server, (respond, None))
    found = of_courses(sync(server.base_url)).items()
    assert repr(found) == repr(items)  # NaN is not equal to NaN
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


def test_a_gzip_bomb_is_refused_while_it_is_read(server, sync):
    """Reading 64 MiB out of a few kB stops at the limit, and the error keeps none of it."""
    misbehave(server, ("gzip-bomb-64", None))
    tracemalloc.start()
    try:
        results = sync(server.base_url, Limits((0.0,), body_bytes=4 * 1024 * 1024))
        kept_bytes, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    error = of_courses(results)
    assert (error.attempts, error.reason, error.advice) == (
        1,
        "the response has a body of more than 4,194,304 bytes",
        f"No catalog is that large. {CHECK_URL}",
    )
    assert peak_bytes < 24 * 1024 * 1024
    assert kept_bytes < 4 * 1024 * 1024


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(("length", "kind"), [(100, Catalog), (101, EndpointError)])
def test_the_limit_counts_bytes_after_decompression(server, sync, pack, length, kind):
    """A body as large as the limit is read, and one byte more is refused, compressed or not."""
    body = pack(b'{"data":[]}'.ljust(length))
    headers = {} if pack is bytes else {"Content-Encoding": "gzip"}
    misbehave(server, (replying(200, body, headers), None))
    assert type(of_courses(sync(server.base_url, Limits((0.0,), body_bytes=100)))) is kind


def assert_all_fail(results, attempts, reason):
    """Check that every endpoint failed in the same way."""
    failures = {(type(error), error.attempts, error.reason) for error in results.values()}
    assert failures == {(EndpointError, attempts, reason)}


def test_a_name_lookup_has_the_silence_limit(sync, monkeypatch):
    """A resolver that does not answer times out, and leaving does not wait for its thread."""
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(20) and [])
    try:
        results = sync("http://catalog.invalid", request_timeout_seconds=0.1)
    finally:
        answered.set()
    assert_all_fail(results, 2, "no data received for 0.1 s")


def test_a_tls_handshake_has_the_silence_limit(sync):
    """A server that accepts a connection and is silent times out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base_url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        results = sync(base_url, request_timeout_seconds=0.2)
    assert_all_fail(results, 2, "no data received for 0.2 s")


def test_an_invalid_host_name_is_final(sync):
    """A name that no resolver accepts is a mistake in base_url."""
    for error in sync("http://a..b").values():
        assert error.attempts == 1
        assert error.reason.startswith("base_url or the proxy URL is invalid (")


# asyncio of Python 3.10 does not close the transport of a connection that ends in an alert.
@pytest.mark.filterwarnings("ignore:unclosed transport <asyncio.sslproto:ResourceWarning")
def test_a_demanded_client_certificate_is_final_and_named(sync, tmp_path, monkeypatch):
    """The alert arrives after the handshake, as an OSError with the error number of OpenSSL."""
    certificate = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with demanding_certificates(certificate) as base_url:
        reason = "the server demands a client certificate (TLS alert: certificate required)"
        assert_all_fail(sync(base_url), 1, reason)


def test_a_known_ca_that_is_refused_by_python_3_13_is_named(sync, tmp_path, monkeypatch):
    """Older versions do not set the flag by default."""
    make = ssl.create_default_context

    def make_strict(**options):
        context = make(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", make_strict)
    certificate, ca = signed_by_an_old_ca(tmp_path, "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
    with serving_tls(certificate, CATALOGS, TOKEN) as secure:
        results = sync(secure.base_url)
    why = "Missing Authority Key Identifier"
    rule = "refused by Python 3.13 and later: ssl.VERIFY_X509_STRICT"
    assert_all_fail(results, 1, f"the server's TLS certificate is not trusted: {why} ({rule})")


MISMATCH = "IP address mismatch, certificate is not valid for '127.0.0.1'"


@cases(
    "made_for, trusted, why",
    {
        "not trusted": ({"host": "127.0.0.1"}, False, "self-signed certificate"),
        "of another host": ({"host": "elsewhere.example"}, True, MISMATCH),
        "expired": ({"host": "127.0.0.1", "valid_days": -1}, True, "certificate has expired"),
    },
)
def test_a_bad_certificate_is_final(sync, tmp_path, monkeypatch, made_for, trusted, why):
    """Issuer, host and date are verified before any request is sent."""
    certificate = self_signed(tmp_path, **made_for)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving_tls(certificate, CATALOGS, TOKEN) as secure:
        reason = f"the server's TLS certificate is not trusted: {why}"
        assert_all_fail(sync(secure.base_url), 1, reason)
    assert secure.requests.arrived == []
