"""Fetching in a thread of its own: what the caller gets, and that nothing outlives the block."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import threading
import weakref

import pytest

from async_client import (
    CatalogFetched,
    Limits,
    ResponseReceived,
    Settings,
    TokenRejectedError,
    background,
    fetching,
)
from endpoints import ENDPOINTS
from tests.support.fetching import CATALOGS, NAMES, OTHERS, QUICK, TOKEN, misbehave

NEVER_FETCHED = "the catalog was never fetched"


class Stopped(BaseException):
    """An exception such as KeyboardInterrupt, which no `except Exception` catches."""


@pytest.fixture(autouse=True, scope="module")
def _older_objects_are_not_collected():
    """Keep the objects of other modules out of every collection, for speed."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


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


def fetching_from(server, on_event=lambda _: None, limits=QUICK, **others):
    """Fetch from the mock server."""

    def on_other_event(event):
        if not isinstance(event, ResponseReceived):
            on_event(event)

    return fetching(Settings(TOKEN, server.base_url, **others), limits, on_other_event)


def hold_all(server, *, after_half=False):
    """Hold back every response."""
    for name in NAMES:
        server.hold(name, after_half=after_half)


def until_in_flight(server, number):
    """Wait until the server has this many open requests."""
    server.requests.wait_until(lambda requests: requests.in_flight == number)


def all_items(catalogs):
    """Wait for the catalogs and decode their items."""
    return {name: future.result(timeout=10).items() for name, future in catalogs.items()}


def all_errors(catalogs):
    """Wait for the catalogs; return the error of each, None if there is none."""
    return {name: future.exception(timeout=10) for name, future in catalogs.items()}


def test_all_catalogs_are_requested_at_once(server):
    """Six requests are in flight before the first gets a response; each future has its catalog."""
    hold_all(server)
    with fetching_from(server) as catalogs:
        until_in_flight(server, 6)
        assert not any(future.done() for future in catalogs.values())
        for name in NAMES:
            server.release(name)
        assert all_items(catalogs) == CATALOGS
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


def test_futures_are_in_replay_order(server):
    """There is a future for each endpoint of the settings; all may be done before the end."""
    with fetching_from(server, endpoints=ENDPOINTS[1::2]) as catalogs:
        concurrent.futures.wait(catalogs.values(), timeout=10)
        for thread in threading.enumerate():
            if thread.name == "catalogs":
                thread.join(10)
        assert list(catalogs) == NAMES[1::2]


@pytest.mark.parametrize("last", [NAMES[0], NAMES[-1]])
def test_a_catalog_is_available_as_soon_as_it_has_arrived(server, last):
    """Five can be read while the sixth is downloading; each was reported on the loop's thread."""
    server.hold(last, after_half=True)
    reported = set()

    def on_event(event):
        reported.add((event.endpoint_name, type(event), threading.current_thread().name))

    with fetching_from(server, on_event) as catalogs:
        held = {last: catalogs.pop(last)}
        assert {last: CATALOGS[last], **all_items(catalogs)} == CATALOGS
        assert reported == {(name, CatalogFetched, "catalogs") for name in catalogs}
        assert not held[last].done()
        server.release(last)
        assert all_items(held) == {last: CATALOGS[last]}


def test_a_rejected_token_cancels_what_is_in_flight(server):
    """All futures raise the rejection, and the other five requests are closed."""
    misbehave(server, ("401", None))
    hold_all(server)
    with fetching_from(server) as catalogs:
        until_in_flight(server, 6)
        server.release("courses")
        errors = all_errors(catalogs)
        until_in_flight(server, 0)
    assert errors == dict.fromkeys(NAMES, errors["courses"])
    assert type(errors["courses"].failure) is TokenRejectedError
    assert len(server.requests.arrived) == 6


@pytest.mark.parametrize("after_half", [False, True], ids=["before the headers", "in the bodies"])
@pytest.mark.parametrize("kind", [None, ValueError, KeyboardInterrupt, GeneratorExit, Stopped])
def test_leaving_early_closes_the_connections(server, after_half, kind):
    """Leaving waits for no download, whatever exception ends the block."""
    hold_all(server, after_half=after_half)
    block = fetching_from(server)
    catalogs = block.__enter__()
    until_in_flight(server, 6)
    assert not block.__exit__(kind, kind and kind("in the block"), None)  # it is not replaced
    until_in_flight(server, 0)
    assert all(future.done() for future in catalogs.values())


def test_leaving_at_once_is_possible(server):
    """Fetching can be left before its first request; the server still responds to the next one."""
    for _ in range(9):
        with fetching_from(server) as catalogs:
            pass
        assert all(future.done() for future in catalogs.values())
    with fetching_from(server) as catalogs:
        assert all_items(catalogs) == CATALOGS


def test_leaving_ends_a_wait_for_the_next_attempt(server):
    """An endpoint that waits 16 s for its next attempt delays nothing."""
    waiting = threading.Event()
    misbehave(server, ("retry-after-16", None))
    with fetching_from(server, lambda _: waiting.set(), Limits()) as catalogs:
        assert waiting.wait(10)
        assert not catalogs["courses"].done()
    assert isinstance(catalogs["courses"].exception(0), asyncio.CancelledError)


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), Stopped("worse"), None])
def test_no_future_is_left_open(monkeypatch, server, error):
    """Whatever ends the fetching, or forgets a catalog, resolves every future."""

    async def fetch_nothing(*_):
        if error:
            raise error

    monkeypatch.setattr(background, "fetch_all", fetch_nothing)
    with fetching_from(server) as catalogs:
        errors = all_errors(catalogs)
    assert {str(found) for found in errors.values()} == {str(error or NEVER_FETCHED)}


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.InvalidStateError])
def test_an_error_in_the_report_of_an_event_costs_one_endpoint(server, kind):
    """If `on_event` raises on a retry or a catalog, the future of that catalog raises it."""
    server.set_faults("tracks=503x1")

    def on_event(event):
        if event.endpoint_name in ("tracks", "courses"):
            raise kind

    with fetching_from(server, on_event) as catalogs:
        errors = {name: type(error) for name, error in all_errors(catalogs).items()}
    assert errors == {**dict.fromkeys(NAMES, type(None)), "tracks": kind, "courses": kind}


def test_an_exit_in_the_report_of_an_event_leaves_nobody_waiting(server):
    """An exception that is not an Exception ends the fetching, and with it every wait."""
    server.hold("courses")

    def on_event(_):
        raise Stopped

    with fetching_from(server, on_event) as catalogs:
        assert {str(error) for error in all_errors(catalogs).values()} == {NEVER_FETCHED}


def test_a_catalog_is_freed_when_its_caller_drops_it(server):
    """A catalog that was taken out and dropped is freed while others are still downloading."""
    server.hold("courses")
    with fetching_from(server) as catalogs:
        dropped = [weakref.ref(catalogs.pop(name).result(10)) for name in OTHERS]
        until_in_flight(server, 1)
        gc.collect()
        assert [reference() for reference in dropped] == [None] * 5
        server.release("courses")
        assert all_items(catalogs) == {"courses": CATALOGS["courses"]}


def test_a_slow_download_repeats_no_request(server):
    """A download that makes progress may take longer than the silence limit."""
    server.replace("courses", b"[]".ljust(6))
    misbehave(server, ("drip", None))
    events = []
    with fetching_from(server, events.append, request_timeout_seconds=0.2) as catalogs:
        assert all_items(catalogs) == {**CATALOGS, "courses": []}
    assert max(event.seconds for event in events) > 0.2
    assert {(type(event), event.attempts) for event in events} == {(CatalogFetched, 1)}
