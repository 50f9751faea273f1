"""The fault matrix: what each way to fail, over real sockets, comes to, and that no token leaks.

One endpoint, `courses`, misbehaves, and the other five must give their catalogs all the same; or
the whole server does.
"""

from __future__ import annotations

import gzip
import logging
import re
import socket
import struct
import threading
import traceback
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from aiohttp import web

from async_client import (
    Catalog,
    CatalogFetched,
    EndpointError,
    Limits,
    RetryScheduled,
    Settings,
    TokenRefusedError,
    decode_item,
    fetching,
)
from async_client.errors import NoSuchCatalogError
from async_client.response import UnreadableItem
from endpoints import ENDPOINTS
from mock_api.fault_kinds import kind_of
from mock_api.faults import Fault
from mock_api.serving import serving
from tests.support.tls import self_signed, serving_tls

TOKEN = "t0ken-that-must-not-leak"
PATHS = {endpoint.name: endpoint.path for endpoint in ENDPOINTS}
NAMES = list(PATHS)
OTHERS = NAMES[:-1]
COURSES = [{"id": "course-1", "timeNeededInHours": 4, "title": "Joins"}, {"id": "course-2"}]
CATALOGS = {**{name: [{"id": f"{name}-1"}] for name in OTHERS}, "courses": COURSES}
QUICK = Limits(wait_caps_seconds=(0.0,) * 5, endpoint_seconds=30.0, rate_limit_wait_seconds=0.0)

NEXT_SYNC = "DataCamp's service has trouble; the next sync asks again"
CHECK_URL = "Check base_url, and the proxy if there is one"
CHECK_NETWORK = "Check base_url, the network and the proxy if there is one"
ASK_SUPPORT = f"{CHECK_URL}; if both are right, ask DataCamp's support"
NO_SUCH_CATALOG = f"{CHECK_URL}; if your license has no courses, add courses to skip_endpoints"
ASK_FOR_IT = (
    "The token may not read courses: ask DataCamp to include it, or add courses to skip_endpoints"
)
NEW_TOKEN = "Check bearer_token: it is wrong, expired or revoked; DataCamp issues a new one"
NO_CATALOG = f"{CHECK_URL}; if both are right, {NEXT_SYNC}"
NEW_RELEASE = "DataCamp's API has begun to paginate: update this connector"
TRUST_IT = "If you trust that address, set base_url to it"
ELSEWHERE_HERE = (
    "Check base_url, and the proxy if there is one: the API is at another path of this host"
)
RAISE_TIMEOUT = f"{CHECK_NETWORK}, or raise request_timeout_seconds"
CHECK_PROXY = "Check base_url and HTTPS_PROXY; a proxy must be http:// or https://"
TOO_SLOW = "The network or DataCamp's service is too slow; the next sync asks again"
NAME_THE_ROOT = (
    "Check base_url; for a proxy with a certificate of its own, "
    "set REQUESTS_CA_BUNDLE to the file that holds its root"
)


@pytest.fixture(scope="module")
def running():
    """Run one stand-in for all rows."""
    with serving(CATALOGS, token=TOKEN) as server:
        yield server


@pytest.fixture
def server(running):
    """Give the stand-in in good health."""
    running.set_faults()
    running.requests.clear()
    yield running
    running.release_all()


@pytest.fixture
def sync(caplog):
    """Fetch all catalogs; gives what became of each endpoint, and the events told.

    Whatever happens, the token is in none of it, and each error is a whole account.
    """
    caplog.set_level(logging.DEBUG)

    def run(base_url, limits=QUICK, request_timeout_seconds=10.0):
        settings = Settings(TOKEN, base_url, request_timeout_seconds)
        events = []
        with fetching(settings, limits, events.append) as futures:
            results = {
                name: future.exception(20) or future.result(0) for name, future in futures.items()
            }
        for error in results.values():
            if isinstance(error, Exception):
                assert_tells_all(error, base_url)
                assert_tells_no_secret(error)
        assert TOKEN not in f"{events!r} {[str(event) for event in events]} {caplog.text}"
        return results, events

    return run


def assert_tells_all(error, base_url):
    """Check that an error names endpoint, URL, reason, tries and advice, and can be logged."""
    name = error.endpoint_name
    times = "1 try" if error.attempts == 1 else f"{error.attempts} tries"
    assert error.url == base_url + PATHS[name]
    assert str(error) == (
        f"{name}: GET {error.url} failed after {times}: {error.reason}. {error.advice}."
    )
    assert str(error).encode()
    assert re.fullmatch(r"\w.*[^.]", error.reason)
    assert re.fullmatch(r"\w.*[^.]", error.advice)


def assert_tells_no_secret(error):
    """Check whatever a log or a reporter of crashes could show of an error and its chain."""
    for shown in chain(error):
        crash = traceback.TracebackException.from_exception(shown, capture_locals=True)
        text = "".join(crash.format())
        for part in (text, str(shown), repr(shown), repr(shown.args), repr(vars(shown))):
            assert TOKEN not in part


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Walk an exception, its causes and its contexts, suppressed ones too."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def misbehave(server, *faults):
    """Let courses respond in these ways in turn, each a kind of the stand-in or a function.

    Each comes with how often it does, None for ever.
    """
    server.set_faults(
        *(
            Fault(("courses",), kind_of(kind) if isinstance(kind, str) else kind, times)
            for kind, times in faults
        )
    )


def items_of(result):
    """Decode the items of a catalog."""
    assert isinstance(result, Catalog), result
    return [decode_item(item) for item in result.items]


def assert_others_arrived(results):
    """Check that the endpoints without a fault give their catalogs."""
    assert {name: items_of(results[name]) for name in OTHERS} == {
        name: CATALOGS[name] for name in OTHERS
    }


# Ways to misbehave that the stand-in has no name for


def replying(status, body=b"", **headers):
    """Respond with a status, a body and headers, spelled with underscores."""

    async def respond(_):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return respond


def saying(raw):
    """Respond with bytes that need not be HTTP, and hang up."""

    async def respond(exchange):
        exchange.request.transport.write(raw)
        exchange.request.transport.close()
        return web.Response()

    return respond


def resetting(raw):
    """Respond with bytes, then reset the connection, which is harsher than closing it."""

    async def respond(exchange):
        transport = exchange.request.transport
        transport.write(raw)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return web.Response()

    return respond


def encoded(encode, name):
    """Respond with the healthy body encoded by a function, under a name."""

    async def respond(exchange):
        return web.Response(body=encode(exchange.body), headers={"Content-Encoding": name})

    return respond


def in_seconds(seconds):
    """Give a date of HTTP that many seconds from now."""
    date = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return format_datetime(date, usegmt=True)


# Faults that may pass: tried again


def answers(status_text):
    """Give the words for a status."""
    return f"the server answers {status_text}"


def body_is(what):
    """Give the words for a 200 without a catalog."""
    return f"HTTP 200, but the body is {what}"


NO_JSON = body_is("not valid JSON")
NO_UTF_8 = body_is("neither valid UTF-8 nor text in a declared charset")
NO_LIST = body_is("JSON without exactly one courses list")
NO_ENVELOPE = body_is("JSON that is neither an object nor a list")
HUNG_UP = "the server hung up without an answer"
RESET = "the connection broke (Connection reset by peer)"
BROKEN = "the body is broken or cut off"
NO_HTTP = "the answer breaks the rules of HTTP"

TRIED_AGAIN = {
    "408": ("408", answers("408 Request Timeout"), NEXT_SYNC),
    "425": ("425", answers("425 Too Early"), NEXT_SYNC),
    "429": ("429", answers("429 Too Many Requests"), NEXT_SYNC),
    "500": ("500", answers("500 Internal Server Error"), NEXT_SYNC),
    "502": ("502", answers("502 Bad Gateway"), NEXT_SYNC),
    "503": ("503", answers("503 Service Unavailable"), NEXT_SYNC),
    "504": ("504", answers("504 Gateway Timeout"), NEXT_SYNC),
    "429, wait 0 s": ("retry-after-0", answers("429 Too Many Requests"), NEXT_SYNC),
    "429, wait -1 s": ("retry-after--1", answers("429 Too Many Requests"), NEXT_SYNC),
    "429, wait 0.0 s": ("retry-after-0.0", answers("429 Too Many Requests"), NEXT_SYNC),
    "429, wait soon": ("retry-after-soon", answers("429 Too Many Requests"), NEXT_SYNC),
    "429, wait until 2015": (
        "retry-after-Wed, 21 Oct 2015 07:28:00 GMT",
        answers("429 Too Many Requests"),
        NEXT_SYNC,
    ),
    "503, wait until a minute ago": (
        replying(503, Retry_After=in_seconds(-60)),
        answers("503 Service Unavailable"),
        NEXT_SYNC,
    ),
    "cut in the body": ("reset-body", BROKEN, CHECK_NETWORK),
    "reset in the body": (
        resetting(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"data":['),
        BROKEN,
        CHECK_NETWORK,
    ),
    "Content-Length too long": ("length-long", BROKEN, CHECK_NETWORK),
    "Content-Length too short": ("length-short", NO_HTTP, CHECK_NETWORK),
    "chunked without an end": ("cut-chunked", BROKEN, CHECK_NETWORK),
    "chunked with a bad size": (
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n[]\r\n0\r\n\r\n"),
        NO_HTTP,
        CHECK_NETWORK,
    ),
    "no HTTP": (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), NO_HTTP, CHECK_NETWORK),
    "an endless header": (replying(200, b"[]", X_Long="x" * 100_000), NO_HTTP, CHECK_NETWORK),
    "an encoding that was not requested": (
        replying(200, b"not JSON", Content_Encoding="br"),
        "HTTP 200, but the body is encoded as br, which was not requested",
        NO_CATALOG,
    ),
    "no body": ("empty", body_is("empty"), NO_CATALOG),
    "HTML": ("html", body_is("HTML, not JSON"), NO_CATALOG),
    "text": ("text", NO_JSON, NO_CATALOG),
    "null": ("null", NO_ENVELOPE, NO_CATALOG),
    "a scalar": ("scalar", NO_ENVELOPE, NO_CATALOG),
    "an empty object": ("object", NO_LIST, NO_CATALOG),
    "an error object": ("error-object", NO_LIST, NO_CATALOG),
    "data null": ("data-null", NO_LIST, NO_CATALOG),
    "garbage at the end": ("garbage", NO_JSON, NO_CATALOG),
    "half a document": ("cut-json", NO_JSON, NO_CATALOG),
    "nested too deep": (
        replying(200, b'{"data":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}"),
        "HTTP 200, but only 0 of 1 items have a readable id",
        NO_CATALOG,
    ),
    "gzip with a bad checksum": ("gzip-bad", BROKEN, CHECK_NETWORK),
    "gzip cut off": (
        encoded(lambda body: gzip.compress(body)[:-20], "gzip"),
        NO_JSON,
        NO_CATALOG,
    ),
    "gzip that is none": (encoded(bytes, "gzip"), BROKEN, CHECK_NETWORK),
    "deflate that is none": (encoded(bytes, "deflate"), BROKEN, CHECK_NETWORK),
    "an unknown encoding": (encoded(zlib.compress, "snappy"), NO_UTF_8, NO_CATALOG),
}

# aiohttp sends a request once more by itself if the connection ends without an answer, so that
# each of our tries is two requests.
ASKED_TWICE = {
    "cut before the headers": ("reset", HUNG_UP, CHECK_NETWORK),
    "cut in the headers": ("reset-headers", HUNG_UP, CHECK_NETWORK),
    "reset before the headers": (resetting(b""), RESET, CHECK_NETWORK),
    "reset in the headers": (resetting(b"HTTP/1.1 200 OK\r\nConte"), RESET, CHECK_NETWORK),
}


may_pass = pytest.mark.parametrize(
    ("kind", "reason", "advice", "requests_per_try"),
    [(*row, 1) for row in TRIED_AGAIN.values()] + [(*row, 2) for row in ASKED_TWICE.values()],
    ids=[*TRIED_AGAIN, *ASKED_TWICE],
)


@may_pass
def test_a_fault_that_stays_is_tried_six_times(
    server, sync, kind, reason, advice, requests_per_try
):
    """The endpoint fails, with a retry told for each try but the last, and the others arrive."""
    misbehave(server, (kind, None))
    results, events = sync(server.base_url)
    error = results["courses"]
    assert (type(error), error.attempts) == (EndpointError, 6)
    assert (error.reason, error.advice) == (reason, advice)
    assert_others_arrived(results)
    assert server.requests.endpoint_names.count("courses") == 6 * requests_per_try
    assert len(server.requests.arrived) == 5 + 6 * requests_per_try
    assert [event for event in events if isinstance(event, RetryScheduled)] == [
        RetryScheduled("courses", tried, 6, reason, 0.0) for tried in range(1, 6)
    ]


@may_pass
def test_a_fault_that_passes_costs_only_tries(
    server, sync, kind, reason, advice, requests_per_try
):
    """The third try is as good as a first."""
    misbehave(server, (kind, 2 * requests_per_try))
    results, events = sync(server.base_url)
    assert items_of(results["courses"]) == COURSES
    assert results["courses"].attempts == 3
    assert_others_arrived(results)
    assert [event for event in events if event.endpoint_name == "courses"] == [
        RetryScheduled("courses", 1, 6, reason, 0.0),
        RetryScheduled("courses", 2, 6, reason, 0.0),
        CatalogFetched("courses", results["courses"]),
    ]


@pytest.mark.parametrize("kind", ["stall-headers", "stall-body"])
def test_silence_that_stays_is_given_up(server, sync, kind):
    """A server that says nothing for `request_timeout_seconds` is given up, and asked again."""
    misbehave(server, (kind, None))
    results, _ = sync(server.base_url, Limits((0.0,)), request_timeout_seconds=0.2)
    error = results["courses"]
    assert (error.attempts, error.reason) == (2, "nothing was heard for 0.2 s")
    assert error.advice == RAISE_TIMEOUT
    assert_others_arrived(results)


@pytest.mark.parametrize("kind", ["stall-headers", "stall-body"])
def test_silence_that_passes_costs_a_try(server, sync, kind):
    """The try after the silence gives the catalog."""
    misbehave(server, (kind, 1))
    results, _ = sync(server.base_url, request_timeout_seconds=0.2)
    assert items_of(results["courses"]) == COURSES
    assert results["courses"].attempts == 2


def test_one_byte_at_a_time_is_cut_when_the_time_is_up(server, sync):
    """A download that is never silent, and never done, ends with the endpoint's time."""
    misbehave(server, ("drip", None))
    results, _ = sync(server.base_url, Limits((0.0,) * 5, endpoint_seconds=0.4))
    error = results["courses"]
    assert (error.attempts, error.reason, error.advice) == (
        1,
        "it was not complete after 0.4 s, tries and waits included",
        TOO_SLOW,
    )
    assert_others_arrived(results)


@pytest.mark.parametrize(
    "closing",
    [
        [(saying(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), 1)],
        [("503", 1), (saying(b""), 1)],
        [("503", 1), (resetting(b""), 1)],
    ],
    ids=["idle", "closed by the next request", "reset by the next request"],
)
def test_a_kept_connection_that_is_closed_costs_no_try(server, sync, closing):
    """The second try of a 503 finds its connection closed, and is made over another."""
    misbehave(server, *closing)
    results, _ = sync(server.base_url)
    assert items_of(results["courses"]) == COURSES
    assert results["courses"].attempts == 2


# Faults that stay: final


def wait_named(seconds):
    """Give the words for a server's wait that is too long."""
    return f"the server answers {seconds} s, longer than this sync waits"


def points_to(address):
    """Give the words for a redirect."""
    found = f"the server answers 302 Found and points to {address}"
    return f"{found}; redirects are not followed, to keep the token here"


def paginated(evidence):
    """Give the words for one page of several."""
    return f"the response is paginated: {evidence}; a partial catalog would delete the rest"


FINAL = {
    "204": ("204", answers("204 No Content"), NO_SUCH_CATALOG),
    "206": ("206", answers("206 Partial Content"), ASK_SUPPORT),
    "304": ("304", answers("304 Not Modified"), ASK_SUPPORT),
    "400": ("400", answers("400 Bad Request"), ASK_SUPPORT),
    "403": ("403", answers("403 Forbidden"), ASK_FOR_IT),
    "404": ("404", answers("404 Not Found"), NO_SUCH_CATALOG),
    "405": ("405", answers("405 Method Not Allowed"), ASK_SUPPORT),
    "410": ("410", answers("410 Gone"), NO_SUCH_CATALOG),
    "501": ("501", answers("501 Not Implemented"), ASK_SUPPORT),
    "505": ("505", answers("505 HTTP Version Not Supported"), ASK_SUPPORT),
    "429, wait 99999 s": (
        "retry-after-99999",
        wait_named("429 Too Many Requests and asks to wait 99999"),
        NEXT_SYNC,
    ),
    "503, wait 30 s": (
        replying(503, Retry_After="30"),
        wait_named("503 Service Unavailable and asks to wait 30"),
        NEXT_SYNC,
    ),
    "a redirect to nowhere": ("redirect-nowhere", answers("302 Found"), ASK_SUPPORT),
    "a redirect to no text": (
        saying(
            b"HTTP/1.1 302 Found\r\nLocation: //b\xfccher.example\r\nContent-Length: 0\r\n\r\n"
        ),
        points_to("an address that cannot be shown"),
        TRUST_IT,
    ),
    "a redirect to a host with the token": (
        replying(302, Location=f"https://{TOKEN.upper()}.example/"),
        points_to("an address that cannot be shown"),
        TRUST_IT,
    ),
    "a redirect to a host with the token, encoded": (
        replying(
            302, Location="https://" + "".join(f"%{ord(c):02x}" for c in TOKEN) + ".example/"
        ),
        points_to("an address that cannot be shown"),
        TRUST_IT,
    ),
    "more values than fit": (
        replying(200, b"[" + b"1," * 1_000_001 + b"1]"),
        "the response has 1,000,001 commas, more than 1,000,000",
        f"No catalog is that large. {CHECK_URL}",
    ),
    "further pages": ("pages", paginated("meta.numberOfPages is 3"), NEW_RELEASE),
    "a link to the next page": (
        "next-link",
        paginated("links.next is present"),
        NEW_RELEASE,
    ),
}


@pytest.mark.parametrize(("kind", "reason", "advice"), FINAL.values(), ids=FINAL)
def test_a_final_fault_is_not_tried_again(server, sync, kind, reason, advice):
    """One try, and the endpoint is left out of this sync; the others are not."""
    misbehave(server, (kind, None))
    results, events = sync(server.base_url)
    error = results["courses"]
    expected = NoSuchCatalogError if kind in ("204", "403", "404", "410") else EndpointError
    assert (type(error), error.attempts) == (expected, 1)
    assert (error.reason, error.advice) == (reason, advice)
    assert_others_arrived(results)
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)
    assert {type(event) for event in events} == {CatalogFetched}


def test_a_date_too_far_is_named_as_seconds(server, sync):
    """A `Retry-After` in an hour does not fit, and is told as the wait that it is."""
    misbehave(server, (replying(503, Retry_After=in_seconds(3600)), None))
    error = sync(server.base_url)[0]["courses"]
    wait = re.fullmatch(wait_named("503 Service Unavailable and asks to wait (.*)"), error.reason)
    assert 3500 < int(wait[1]) <= 3600
    assert error.attempts == 1


def test_a_refused_token_ends_the_sync(server, sync):
    """A 401 is the error of every endpoint that has not arrived; none is asked again."""
    for name in OTHERS:
        server.hold(name)
    misbehave(server, ("401", None))
    results, events = sync(server.base_url)
    error = results["courses"]
    assert (type(error), error.attempts) == (TokenRefusedError, 1)
    assert (error.reason, error.advice) == (answers("401 Unauthorized"), NEW_TOKEN)
    assert results == dict.fromkeys(NAMES, error)
    assert events == []
    server.requests.wait_until(lambda requests: requests.in_flight == 0)
    assert len(server.requests.arrived) <= 6


# Redirects: the token goes nowhere else


@pytest.fixture
def trap():
    """Listen on a port that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
        listener.setblocking(False)  # noqa: FBT003 (sockets take it so)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["http://127.0.0.1:{}", "http://localhost:{}", "//[::1]:{}"])
def test_a_redirect_elsewhere_is_not_followed(server, sync, trap, status, target):
    """The other host or port is named, and sees neither token nor connection."""
    location = target.format(trap)
    misbehave(server, (replying(status, Location=f"{location}/x?key=hunter2"), None))
    results, _ = sync(server.base_url)
    host = location.removeprefix("http:")
    error = results["courses"]
    assert f" and points to http:{host}; redirects are not followed" in error.reason
    assert "hunter2" not in str(error)
    assert (error.attempts, error.advice) == (1, TRUST_IT)
    assert_others_arrived(results)


@pytest.mark.parametrize("kind", ["redirect", "redirect-same", "redirect-loop"])
def test_a_redirect_is_final_wherever_it_points_to(server, sync, kind):
    """Another host, the same one, the same address: each endpoint is asked once."""
    misbehave(server, (kind, None))
    results, _ = sync(server.base_url)
    target = "https://elsewhere.example" if kind == "redirect" else server.base_url
    error = results["courses"]
    advice = TRUST_IT if kind == "redirect" else ELSEWHERE_HERE
    assert (error.attempts, error.reason, error.advice) == (1, points_to(target), advice)
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


def test_a_redirect_from_https_to_http_is_not_followed(sync, trap, tmp_path, monkeypatch):
    """The token does not leave the encrypted connection."""
    certificate = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving_tls(certificate, CATALOGS, TOKEN) as secure:
        misbehave(secure, (replying(301, Location=f"http://127.0.0.1:{trap}/"), None))
        results, _ = sync(secure.base_url)
    assert f" and points to http://127.0.0.1:{trap}; " in results["courses"].reason
    assert_others_arrived(results)


# Odd answers that are catalogs all the same

SECOND = COURSES[1]


def with_first(**fields):
    """Give the courses with other fields in the first."""
    return [{**COURSES[0], **fields}, SECOND]


READABLE = {
    "a bare list": ("bare-list", COURSES),
    "a list under its own name": ("own-name", COURSES),
    "an empty list": ("empty-list", []),
    "a byte order mark": ("bom", COURSES),
    "1e400": ("huge-number", with_first(timeNeededInHours=float("inf"))),
    "a lone surrogate": ("surrogate", with_first(title="half of a pair: \ud83d")),
    "duplicate keys": ("duplicate-keys", with_first(title="the second")),
    "a header of 60 kB": (
        replying(200, b'[{"id":"1"}]', Content_Security_Policy="x" * 60_000),
        [{"id": "1"}],
    ),
    "900 headers": (
        replying(200, b'[{"id":"1"}]', **{f"X_Trace_{n}": "x" for n in range(900)}),
        [{"id": "1"}],
    ),
    "deflate": (encoded(zlib.compress, "deflate"), COURSES),
    "an encoding that is none": ("encoding-unknown", COURSES),
    "a wrong type": (replying(200, b"[]", Content_Type="text/html"), []),
    "blanks to keep the connection": (
        replying(200, b"\n" * 5000 + b'{"data":[{"id":"1"}]}'),
        [{"id": "1"}],
    ),
}


@pytest.mark.parametrize(("kind", "items"), READABLE.values(), ids=READABLE)
def test_what_is_odd_but_readable_arrives(server, sync, kind, items):
    """One try, and all that can be read has been read."""
    misbehave(server, (kind, None))
    results, _ = sync(server.base_url)
    assert items_of(results["courses"]) == items
    assert results["courses"].attempts == 1
    assert_others_arrived(results)


def test_nan_arrives(server, sync):
    """NaN is not equal to itself, and is read all the same."""
    misbehave(server, ("nan", None))
    first, second = items_of(sync(server.base_url)[0]["courses"])
    assert repr(first) == repr(with_first(timeNeededInHours=float("nan"))[0])
    assert second == SECOND


def test_a_declared_charset_is_read(server, sync):
    """Accents in ISO-8859-1 arrive as they are when Content-Type declares it."""
    misbehave(server, ("latin1-declared", None))
    first, second = items_of(sync(server.base_url)[0]["courses"])
    assert (first["title"], second) == ("Décisions à Zürich", SECOND)


def test_an_item_that_no_decoder_reads_arrives_among_the_others(server, sync):
    """5,000 digits cost one item, which the flattening counts."""
    misbehave(server, ("huge-integer", None))
    results, _ = sync(server.base_url)
    first, second = items_of(results["courses"])
    assert isinstance(first, UnreadableItem)
    assert second == SECOND
    assert_others_arrived(results)


# Bodies that are too large


def test_a_gzip_bomb_is_cut_while_it_is_read(server, sync):
    """64 MiB out of a few kB are given up after the first, and not kept by the error."""
    bomb = kind_of("gzip-bomb-64")
    misbehave(server, (bomb, None))
    limits = Limits((0.0,) * 5, body_bytes=4 * 1024 * 1024)
    tracemalloc.start()
    try:
        results, _ = sync(server.base_url, limits)
        kept_bytes, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    error = results["courses"]
    assert (error.attempts, error.reason, error.advice) == (
        1,
        "the response has a body of more than 4,194,304 bytes",
        f"No catalog is that large. {CHECK_URL}",
    )
    assert peak_bytes < 24 * 1024 * 1024
    assert kept_bytes < 4 * 1024 * 1024
    assert_others_arrived(results)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(("length", "kind"), [(100, Catalog), (101, EndpointError)])
def test_the_limit_counts_bytes_after_decompression(server, sync, pack, length, kind):
    """A body as large as the limit is read; one byte more is too much, however small it was."""
    body = b'{"data":[]}'.ljust(length)
    name = "identity" if pack is bytes else "gzip"
    misbehave(server, (encoded(lambda _: pack(body), name), None))
    results, _ = sync(server.base_url, Limits((0.0,) * 5, body_bytes=100))
    assert type(results["courses"]) is kind
    assert_others_arrived(results)


# A server that is not there, or is another


def assert_all_fail(results, tries, reason, advice):
    """Check that every endpoint failed in the same way."""
    assert [
        (type(error), error.attempts, re.sub(r" \(.*\)$", "", error.reason), error.advice)
        for error in results.values()
    ] == [(EndpointError, tries, reason, advice)] * 6


def test_a_refused_connection_is_tried_again(sync):
    """Nobody listens: all endpoints fail after six tries."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        results, events = sync(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert_all_fail(results, 6, "no connection", CHECK_NETWORK)
    assert len(events) == 5 * 6


def test_an_unknown_host_is_tried_again(sync, monkeypatch):
    """No address for the name, which a resolver may have a minute later."""

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    results, _ = sync("http://catalog.invalid")
    assert_all_fail(results, 6, "the host name is not known", CHECK_NETWORK)


def test_a_silent_resolver_is_not_waited_for(sync, monkeypatch):
    """The look-up counts as silence, and leaving does not wait for its thread."""
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(20) and [])
    try:
        results, _ = sync("http://catalog.invalid", Limits((0.0,)), request_timeout_seconds=0.1)
    finally:
        answered.set()
    assert_all_fail(results, 2, "nothing was heard for 0.1 s", RAISE_TIMEOUT)


@pytest.mark.parametrize("base_url", ["http://a..b", "http://" + "a" * 64 + ".example"])
def test_a_host_that_cannot_be_looked_up_is_final(sync, base_url):
    """A name that no look-up takes gets no request, and no second try."""
    results, _ = sync(base_url)
    assert_all_fail(results, 1, "no request can be made of the address or its proxy", CHECK_PROXY)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_accepts_and_is_silent_is_given_up(sync, scheme):
    """The TLS handshake is part of connecting, and is not waited for any longer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base_url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        results, _ = sync(base_url, Limits((0.0,)), request_timeout_seconds=0.2)
    assert_all_fail(results, 2, "nothing was heard for 0.2 s", RAISE_TIMEOUT)


# TLS

UNTRUSTED = "the server's TLS certificate is not trusted: "


@pytest.fixture
def certificate(tmp_path):
    """Write a certificate that is trusted where it is named."""
    return self_signed(tmp_path, "127.0.0.1")


def test_a_certificate_that_is_not_trusted_is_final(sync, certificate):
    """One try, no request, and the advice names the variable that would help."""
    with serving_tls(certificate, CATALOGS, TOKEN) as secure:
        results, _ = sync(secure.base_url)
    assert {type(error) for error in results.values()} == {EndpointError}
    assert {error.attempts for error in results.values()} == {1}
    assert {error.reason for error in results.values()} == {f"{UNTRUSTED}self-signed certificate"}
    assert {error.advice for error in results.values()} == {NAME_THE_ROOT}
    assert secure.requests.arrived == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_that_is_named_is_trusted(sync, certificate, monkeypatch, variable):
    """The advice works: the same server, with the variable set, gives its catalogs."""
    monkeypatch.setenv(variable, str(certificate))
    with serving_tls(certificate, CATALOGS, TOKEN) as secure:
        results, _ = sync(secure.base_url)
    assert {name: items_of(result) for name, result in results.items()} == CATALOGS


@pytest.mark.parametrize(
    ("host", "valid_days", "why"),
    [
        ("elsewhere.example", 1, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("127.0.0.2", 1, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("127.0.0.1", -1, "certificate has expired"),
    ],
    ids=["of another host", "of another address", "expired"],
)
def test_a_trusted_certificate_may_still_be_wrong(
    sync, tmp_path, monkeypatch, host, valid_days, why
):
    """Host and date are verified too, and another try would not mend them."""
    certificate = self_signed(tmp_path, host, valid_days=valid_days)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving_tls(certificate, CATALOGS, TOKEN) as secure:
        results, _ = sync(secure.base_url)
    assert {(error.attempts, error.reason) for error in results.values()} == {(1, UNTRUSTED + why)}
    assert secure.requests.arrived == []


def test_a_server_without_tls_is_a_failed_handshake(server, sync):
    """A plain server behind https is tried again, as the handshake may fail by accident."""
    results, _ = sync(server.base_url.replace("http", "https"))
    assert_all_fail(results, 6, "the TLS handshake failed", CHECK_NETWORK)
    assert server.requests.arrived == []


def test_a_tls_server_without_https_hangs_up(sync, certificate):
    """The other way round there is no answer to a request in clear."""
    with serving_tls(certificate, CATALOGS, TOKEN) as secure:
        results, _ = sync(secure.base_url.replace("https", "http"))
    assert_all_fail(results, 6, HUNG_UP, CHECK_NETWORK)
    assert secure.requests.arrived == []
