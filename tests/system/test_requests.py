"""What only a socket shows of requests that succeed: what is sent, and when connections close."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import weakref

import pytest
from aiohttp import web

from async_client import CatalogFetched, Limits, Settings, fetching, probe_all
from endpoints import ENDPOINTS
from tests.support.fetching import (
    CATALOGS,
    COURSES,
    NAMES,
    OTHERS,
    PATHS,
    QUICK,
    TOKEN,
    crash_report,
    misbehave,
    replying,
)


class Stopped(BaseException):
    """An exception such as KeyboardInterrupt, which no `except Exception` catches."""


@pytest.fixture(autouse=True)
def _nothing_is_left():
    """Check after each test that no thread and no task of the fetching is left.

    An open socket or session warns when it is collected, and any warning is an error.
    """
    yield
    gc.collect()
    assert [thread.name for thread in threading.enumerate() if thread.name == "catalogs"] == []
    tasks = (item for item in gc.get_objects() if isinstance(item, asyncio.Task))
    assert [task for task in tasks if not task.done()] == []


def fetching_from(base_url, on_event=lambda _: None, limits=QUICK, **others):
    """Fetch from a server."""
    return fetching(Settings(TOKEN, base_url, **others), limits, on_event)


def courses_of(base_url, limits=QUICK):
    """Fetch the courses alone; return the catalog or the error."""
    with fetching_from(base_url, limits=limits, endpoints=(COURSES,)) as catalogs:
        return catalogs.take("courses")


def hold_all(server, *, after_half=False):
    """Hold back every response."""
    for name in NAMES:
        server.hold(name, after_half=after_half)


def until_in_flight(server, number):
    """Wait until the server has this many open requests."""
    server.requests.wait_until(lambda requests: requests.in_flight == number)


def test_these_headers_are_sent(server):
    """No connection is kept, so that none is used just as the server closes it."""
    with fetching_from(f"{server.base_url}/lms%20api") as catalogs:
        catalogs.take("courses")
    paths = [f"/lms api{PATHS[name]}" for name in NAMES]
    assert sorted(server.requests.endpoint_names) == sorted(paths)
    headers = {
        "Host": server.base_url.removeprefix("http://"),
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": "datacamp-catalog-connector/1.1.0",
        "Connection": "close",
    }
    assert [dict(request.headers) for request in server.requests.arrived] == [headers] * 6


def test_cookies_are_not_kept(server, monkeypatch):
    """A retry sends none; the mock server is the proxy, as cookies need a host name."""
    misbehave(server, (replying(503, headers={"Set-Cookie": "sticky=1"}), 1))
    monkeypatch.setenv("HTTP_PROXY", server.base_url)
    assert courses_of("http://catalog.invalid").items() == CATALOGS["courses"]
    sent = [(r.headers["Host"], "Cookie" in r.headers) for r in server.requests.arrived]
    assert sent == [("catalog.invalid", False)] * 2


@pytest.mark.parametrize("name", ["HTTP_PROXY", "NO_PROXY"])
def test_netrc_is_never_read(server, tmp_path, monkeypatch, name):
    """An entry for the host never replaces the token, with or without a proxy."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password hunter2\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv(name, server.base_url)
    assert courses_of(server.base_url).items() == CATALOGS["courses"]
    (request,) = server.requests.arrived
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_proxy_that_is_down_is_retried(monkeypatch):
    """A failed connection to the proxy is like one to the server; its password is not shown."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"user:hunter2@127.0.0.1:{closed.getsockname()[1]}")
        error = courses_of("http://api.example")
    reason = "the proxy cannot be reached (Connection refused)"
    assert (error.attempts, error.reason) == (6, reason)
    assert [secret for secret in (TOKEN, "hunter2") if secret in crash_report(error)] == []


@pytest.mark.parametrize("kind", ["stall-headers", "stall-body", "drip"])
def test_a_download_ends_with_the_time_of_its_endpoint(server, kind):
    """It does so whether the server is silent or sends a byte now and then."""
    misbehave(server, (kind, None))
    error = courses_of(server.base_url, Limits((0.0,) * 5, endpoint_seconds=0.1))
    reason = "timed out after 0.1 s in total, retries included"
    assert (error.attempts, error.reason) == (1, reason)


def test_a_slow_download_repeats_no_request(server):
    """A download that makes progress may take longer than the silence limit."""
    server.replace("courses", b"[]".ljust(6))
    misbehave(server, ("drip", None))
    events = []
    with fetching_from(server.base_url, events.append, request_timeout_seconds=0.2) as catalogs:
        assert catalogs.take("courses").items() == []
    (seconds, attempts), *_ = [
        (event.seconds, event.attempts)
        for event in events
        if isinstance(event, CatalogFetched) and event.endpoint_name == "courses"
    ]
    assert (seconds > 0.2, attempts) == (True, 1)


def test_a_caller_that_blocks_longer_than_the_silence_limit_times_no_download_out(server):
    """As an operation does. The server sends more than fits into the buffers of two sockets."""
    is_sent = threading.Event()

    async def respond(exchange):
        response = web.StreamResponse()
        await response.prepare(exchange.request)
        for _ in range(10):
            await response.write(b" " * 1_500_000)
            await asyncio.sleep(0.06)
        await response.write(exchange.body)
        is_sent.set()
        return response

    misbehave(server, (respond, None))
    events = []
    with fetching_from(server.base_url, events.append, request_timeout_seconds=0.3) as catalogs:
        assert catalogs.take("assessments").items() == CATALOGS["assessments"]
        assert is_sent.wait(5)
        assert catalogs.take("courses").items() == CATALOGS["courses"]
    attempts = {e.endpoint_name: e.attempts for e in events if isinstance(e, CatalogFetched)}
    assert attempts["courses"] == 1


def test_the_connection_test_reads_no_body(server):
    """A body that never ends does not delay it."""
    hold_all(server, after_half=True)
    results = asyncio.run(probe_all(Settings(TOKEN, server.base_url), QUICK))
    assert results == dict.fromkeys(NAMES)
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


@pytest.mark.parametrize("last", [NAMES[0], NAMES[-1]])
def test_a_catalog_is_available_as_soon_as_it_has_arrived(server, last):
    """Five can be taken while the sixth is downloading."""
    server.hold(last, after_half=True)
    with fetching_from(server.base_url) as catalogs:
        for name in NAMES:
            if name != last:
                assert catalogs.take(name).items() == CATALOGS[name]
        until_in_flight(server, 1)
        server.release(last)
        assert catalogs.take(last).items() == CATALOGS[last]


def test_a_rejected_token_closes_the_other_connections(server):
    """No other request is sent."""
    misbehave(server, ("401", None))
    hold_all(server)
    with fetching_from(server.base_url) as catalogs:
        until_in_flight(server, 6)
        server.release("courses")
        error = catalogs.take("assessments")
        until_in_flight(server, 0)
    assert error.endpoint_name == "courses"
    assert len(server.requests.arrived) == 6


@pytest.mark.parametrize("after_half", [False, True], ids=["before the headers", "in the bodies"])
@pytest.mark.parametrize("kind", [None, ValueError, KeyboardInterrupt, Stopped])
def test_leaving_early_closes_the_connections(server, after_half, kind):
    """Leaving waits for no download, whatever exception ends the block."""
    hold_all(server, after_half=after_half)
    block = fetching_from(server.base_url)
    block.__enter__()
    until_in_flight(server, 6)
    assert not block.__exit__(kind, kind and kind("in the block"), None)  # it is not replaced
    until_in_flight(server, 0)


def test_a_catalog_is_freed_when_its_caller_drops_it(server):
    """A catalog that was taken and dropped is freed while others are still downloading."""
    server.hold("courses")
    with fetching_from(server.base_url) as catalogs:
        dropped = [weakref.ref(catalogs.take(name)) for name in OTHERS]
        until_in_flight(server, 1)
        gc.collect()
        assert [reference() for reference in dropped] == [None] * 5
        server.release("courses")
        assert catalogs.take("courses").items() == CATALOGS["courses"]


def test_skipped_endpoints_get_no_request(server):
    with fetching_from(server.base_url, endpoints=ENDPOINTS[1::2]) as catalogs:
        for name in NAMES[1::2]:
            catalogs.take(name)
    assert sorted(server.requests.endpoint_names) == sorted(NAMES[1::2])
