"""What each kind of misbehaviour on a real socket comes to, and that no token leaks.

The courses misbehave, and the other five endpoints must have their catalogs all the same. Texts
and advice of statuses, bodies and exceptions are proven by the tests of their modules.
"""

from __future__ import annotations

import gzip
import logging
import math
import socket
import struct
import threading
import tracemalloc
import zlib

import pytest
from aiohttp import web

from async_client import Catalog, EndpointError, Limits, Settings, UnreadableItem, fetching
from async_client.errors import CHECK_URL
from mock_api.serving import serving
from tests.support.fetching import (
    NAMES,
    OTHERS,
    TOKEN,
    crash_report,
    misbehave,
    replying,
)
from tests.support.tls import self_signed, serving_tls

COURSES = [{"id": "course-1", "timeNeededInHours": 4, "title": "Joins"}, {"id": "course-2"}]
CATALOGS = {**{name: [{"id": f"{name}-1"}] for name in OTHERS}, "courses": COURSES}
TWICE = Limits(wait_caps_seconds=(0.0,), rate_limit_wait_seconds=0.0)


@pytest.fixture(scope="module")
def running():
    """Run one mock server for all rows."""
    with serving(CATALOGS, token=TOKEN) as server:
        yield server


@pytest.fixture
def server(running):
    """Return the mock server without faults."""
    running.set_faults()
    running.requests.clear()
    return running


@pytest.fixture
def sync(caplog):
    """Fetch all catalogs; return the catalog or error of each endpoint.

    No error, event or log line contains the token.
    """
    caplog.set_level(logging.DEBUG)

    def run(base_url, limits=TWICE, request_timeout_seconds=10.0):
        events = []
        settings = Settings(TOKEN, base_url, request_timeout_seconds)
        with fetching(settings, limits, events.append) as futures:
            results = {
                name: future.exception(20) or future.result(0) for name, future in futures.items()
            }
        for error in results.values():
            if isinstance(error, Exception):
                assert TOKEN.lower() not in crash_report(error).lower()
        assert TOKEN not in f"{events!r} {caplog.text}"
        return results

    return run


def of_courses(results):
    """Return what became of the courses, after a check that the others arrived."""
    others = {name: list(results[name]) for name in OTHERS}
    assert others == {name: CATALOGS[name] for name in OTHERS}
    return results["courses"]


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


# Faults that may pass

CLOSED = "the server closed the connection without a response"
RESET = "the connection was lost (Connection reset by peer)"
BROKEN = "the body is corrupt or incomplete"
MALFORMED = "malformed HTTP response"
NOT_JSON = "HTTP 200, but the body is not valid JSON"
NO_LIST = "HTTP 200, but the body is JSON without exactly one `courses` list"
NO_ENVELOPE = "HTTP 200, but the body is JSON that is neither an object nor a list"
NO_CHARSET = "HTTP 200, but the body is neither valid UTF-8 nor valid in its declared charset"

TRANSIENT = {
    "408": "HTTP 408 Request Timeout",
    "425": "HTTP 425 Too Early",
    "429": "HTTP 429 Too Many Requests",
    "599": "HTTP 599",
    "retry-after-0": "HTTP 429 Too Many Requests",
    "reset": CLOSED,
    "reset-headers": CLOSED,
    "reset-body": BROKEN,
    "length-long": BROKEN,
    "length-short": MALFORMED,
    "cut-chunked": BROKEN,
    "stall-headers": "no data received for 0.2 s",
    "stall-body": "no data received for 0.2 s",
    "empty": "HTTP 200, but the body is empty",
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
TRANSIENT_ON_THE_WIRE = {
    "reset before the headers": (sending(b"", reset=True), RESET),
    "reset in the headers": (sending(b"HTTP/1.1 200 OK\r\nConte", reset=True), RESET),
    "reset in the body": (
        sending(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"data":[', reset=True),
        BROKEN,
    ),
    "a chunk of a bad size": (
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n[]\r\n0\r\n\r\n"),
        MALFORMED,
    ),
    "not HTTP": (sending(b"SSH-2.0-OpenSSH_9.6\r\n"), MALFORMED),
    "a header of 100 kB": (replying(200, b"[]", {"X-Long": "x" * 100_000}), MALFORMED),
    "an encoding that was not requested": (
        replying(200, b"not JSON", {"Content-Encoding": "br"}),
        "HTTP 200, but the body is encoded as br, which was not requested",
    ),
    "gzip cut off": (encoded(lambda body: gzip.compress(body)[:-20], "gzip"), NOT_JSON),
    "gzip that is not": (encoded(bytes, "gzip"), BROKEN),
    "deflate that is not": (encoded(bytes, "deflate"), BROKEN),
    "an unknown encoding": (encoded(zlib.compress, "snappy"), NO_CHARSET),
}


@pytest.mark.parametrize(
    ("respond", "reason"),
    [*TRANSIENT.items(), *TRANSIENT_ON_THE_WIRE.values()],
    ids=[*TRANSIENT, *TRANSIENT_ON_THE_WIRE],
)
def test_a_fault_that_may_pass_is_retried(server, sync, respond, reason):
    """The endpoint fails if the fault stays, and arrives in the next sync if it has passed."""
    misbehave(server, (respond, None))
    silence_seconds = 0.2 if reason.endswith("0.2 s") else 10.0
    error = of_courses(sync(server.base_url, request_timeout_seconds=silence_seconds))
    assert (type(error), error.attempts, error.reason) == (EndpointError, 2, reason)
    server.set_faults()
    assert list(of_courses(sync(server.base_url))) == COURSES


@pytest.mark.parametrize(
    "faults",
    [
        [(sending(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), 1)],
        [("503", 1), (sending(b""), 1)],
        [("503", 1), (sending(b"", reset=True), 1)],
    ],
    ids=["while idle", "by the next request", "by the next request, with a reset"],
)
def test_a_kept_connection_that_is_closed_costs_no_attempt(server, sync, faults):
    """The second attempt after a 503 finds its connection closed, and is sent over another."""
    misbehave(server, *faults)
    assert list(of_courses(sync(server.base_url))) == COURSES


# Final faults

FINAL = {
    "204": "HTTP 204 No Content",
    "206": "HTTP 206 Partial Content",
    "304": "HTTP 304 Not Modified",
    "400": "HTTP 400 Bad Request",
    "403": "HTTP 403 Forbidden",
    "404": "HTTP 404 Not Found",
    "501": "HTTP 501 Not Implemented",
    "redirect": "HTTP 302 Found, a redirect to https://elsewhere.example; ",
    "redirect-same": "HTTP 302 Found, a redirect to http://127.0.0.1",
    "redirect-loop": "HTTP 302 Found, a redirect to http://127.0.0.1",
    "redirect-nowhere": "HTTP 302 Found",
    "pages": "the response is paginated: meta.numberOfPages is 3; ",
    "next-link": "the response is paginated: links.next is present; ",
    "first-page": "the response is paginated: X-Next-Page is 2; ",
}
HIDDEN = "HTTP 302 Found, a redirect to an address that cannot be shown; "
ENCODED_TOKEN = "".join(f"%{ord(character):02x}" for character in TOKEN)
FINAL_ON_THE_WIRE = {
    f"a redirect to {host}": (replying(302, headers={"Location": f"https://{host}/"}), HIDDEN)
    for host in (TOKEN.upper(), ENCODED_TOKEN)
}


@pytest.mark.parametrize(
    ("respond", "reason"),
    [*FINAL.items(), *FINAL_ON_THE_WIRE.values()],
    ids=[*FINAL, *FINAL_ON_THE_WIRE],
)
def test_a_final_fault_is_not_retried(server, sync, respond, reason):
    """One request, and the endpoint is left out of this sync; the others are not."""
    misbehave(server, (respond, None))
    error = of_courses(sync(server.base_url))
    assert error.attempts == 1
    assert error.reason.startswith(reason)
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


@pytest.fixture
def trap():
    """Listen on a port that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.setblocking(False)  # noqa: FBT003 (a positional argument)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_token_to_another_host(server, sync, trap, status):
    """The other port is named and gets no connection."""
    location = {"Location": f"http://{trap}/x?key=hunter2"}
    misbehave(server, (replying(status, headers=location), None))
    error = of_courses(sync(server.base_url))
    assert f", a redirect to http://{trap}; redirects are not followed" in error.reason
    assert "hunter2" not in str(error)


# Odd responses that are catalogs all the same


def with_first(**fields):
    """Return the courses with other fields in the first."""
    return [{**COURSES[0], **fields}, COURSES[1]]


ONE = [{"id": "1"}]
READABLE = {
    "bare-list": COURSES,
    "own-name": COURSES,
    "empty-list": [],
    "bom": COURSES,
    "total": COURSES,
    "nan": with_first(timeNeededInHours=math.nan),
    "huge-number": with_first(timeNeededInHours=math.inf),
    "huge-integer": [UnreadableItem("it is JSON that cannot be decoded"), COURSES[1]],
    "surrogate": with_first(title="half of a pair: \ud83d"),
    "latin1-declared": with_first(title="Décisions à Zürich"),
    "duplicate-keys": with_first(title="the second"),
    "encoding-unknown": COURSES,
}
READABLE_ON_THE_WIRE = {
    "a header of 60 kB": (replying(200, b'[{"id":"1"}]', {"X-Policy": "x" * 60_000}), ONE),
    "900 headers": (
        replying(200, b'[{"id":"1"}]', {f"X-Trace-{n}": "x" for n in range(900)}),
        ONE,
    ),
    "deflate": (encoded(zlib.compress, "deflate"), COURSES),
    "gzip": (encoded(gzip.compress, "gzip"), COURSES),
    "another type": (replying(200, b"[]", {"Content-Type": "text/html"}), []),
}


@pytest.mark.parametrize(
    ("respond", "items"),
    [*READABLE.items(), *READABLE_ON_THE_WIRE.values()],
    ids=[*READABLE, *READABLE_ON_THE_WIRE],
)
def test_what_is_odd_but_readable_arrives(server, sync, respond, items):
    """One request, and all that can be read is read."""
    misbehave(server, (respond, None))
    assert repr(list(of_courses(sync(server.base_url)))) == repr(items)  # NaN is not equal to NaN
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


# Bodies that are too large


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
    assert error.attempts == 1
    assert error.reason == "the response has a body of more than 4,194,304 bytes"
    assert error.advice == f"No catalog is that large. {CHECK_URL}"
    assert peak_bytes < 24 * 1024 * 1024
    assert kept_bytes < 4 * 1024 * 1024


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(("length", "kind"), [(100, Catalog), (101, EndpointError)])
def test_the_limit_counts_bytes_after_decompression(server, sync, pack, length, kind):
    """A body as large as the limit is read; one byte more is too much, however small it was."""
    body = pack(b'{"data":[]}'.ljust(length))
    headers = {} if pack is bytes else {"Content-Encoding": "gzip"}
    misbehave(server, (replying(200, body, headers), None))
    assert type(of_courses(sync(server.base_url, Limits((0.0,), body_bytes=100)))) is kind


# A server that is absent or another


def assert_all_fail(results, attempts, reason):
    """Check that every endpoint failed in the same way."""
    failures = {(type(error), error.attempts, error.reason) for error in results.values()}
    assert failures == {(EndpointError, attempts, reason)}


def test_a_silent_resolver_is_not_waited_for(sync, monkeypatch):
    """The silence limit covers the lookup, and leaving does not wait for its thread."""
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(20) and [])
    try:
        results = sync("http://catalog.invalid", request_timeout_seconds=0.1)
    finally:
        answered.set()
    assert_all_fail(results, 2, "no data received for 0.1 s")


def test_a_host_that_cannot_be_looked_up_is_final(sync):
    """A name that no resolver accepts is a mistake in base_url."""
    for error in sync("http://a..b").values():
        assert error.attempts == 1
        assert error.reason.startswith("base_url or the proxy URL is invalid (")


def test_a_tls_handshake_has_the_silence_limit(sync):
    """A server that accepts a connection and is silent times out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base_url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        results = sync(base_url, request_timeout_seconds=0.2)
    assert_all_fail(results, 2, "no data received for 0.2 s")


# TLS

UNTRUSTED = "the server's TLS certificate is not trusted: "


@pytest.mark.parametrize(
    ("made_for", "trusted", "why"),
    [
        ({"host": "127.0.0.1"}, False, "self-signed certificate"),
        (
            {"host": "elsewhere.example"},
            True,
            "IP address mismatch, certificate is not valid for '127.0.0.1'",
        ),
        ({"host": "127.0.0.1", "valid_days": -1}, True, "certificate has expired"),
    ],
    ids=["not trusted", "of another host", "expired"],
)
def test_a_bad_certificate_is_final(sync, tmp_path, monkeypatch, made_for, trusted, why):
    """Issuer, host and date are verified before any request is sent."""
    certificate = self_signed(tmp_path, **made_for)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving_tls(certificate, CATALOGS, TOKEN) as secure:
        assert_all_fail(sync(secure.base_url), 1, UNTRUSTED + why)
    assert secure.requests.arrived == []
