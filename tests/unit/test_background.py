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
    Settings,
    TokenRefusedError,
    background,
    fetching,
)
from endpoints import ENDPOINTS
from tests.support.fetching import CATALOGS, NAMES, OTHERS, QUICK, TOKEN, misbehave


class Stopped(BaseException):
    """Stands for Ctrl-C and the like, which no `except Exception` catches."""


@pytest.fixture(autouse=True, scope="module")
def _older_objects_are_not_collected():
    """Keep the objects of other modules out of every collection, which makes it fast."""
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


def ignore(_):
    """Do nothing with an event."""


def settings_for(server, **others):
    """Return settings that lead to the mock server."""
    return Settings(TOKEN, server.base_url, **others)


def hold_all(server, *, after_half=False):
    """Hold back every response."""
    for name in NAMES:
        server.hold(name, after_half=after_half)


def until_in_flight(server, number):
    """Wait until the server has this many open requests."""
    server.requests.wait_until(lambda requests: requests.in_flight == number)


def items_of(future):
    """Wait for a catalog and decode its items."""
    return list(future.result(timeout=10))


# What the caller gets


def test_all_catalogs_are_requested_at_once(server):
    """Six requests are in flight before the first gets a response; each future has its catalog."""
    hold_all(server)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        until_in_flight(server, 6)
        assert not any(future.done() for future in catalogs.values())
        for name in NAMES:
            server.release(name)
        assert {name: items_of(future) for name, future in catalogs.items()} == CATALOGS
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


@pytest.mark.parametrize("endpoints", [ENDPOINTS, ENDPOINTS[1::2]], ids=["all", "some skipped"])
def test_futures_are_in_replay_order(server, endpoints):
    """There is a future for each endpoint of the settings; all may be done before the end."""
    with fetching(settings_for(server, endpoints=endpoints), QUICK, ignore) as catalogs:
        concurrent.futures.wait(catalogs.values(), timeout=10)
        for thread in threading.enumerate():
            if thread.name == "catalogs":
                thread.join(10)
        assert list(catalogs) == [endpoint.name for endpoint in endpoints]


@pytest.mark.parametrize("last", [NAMES[0], NAMES[-1]])
def test_a_catalog_is_available_as_soon_as_it_has_arrived(server, last):
    """Five catalogs can be read while the sixth is still downloading."""
    server.hold(last, after_half=True)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        others = {name: items_of(catalogs[name]) for name in NAMES if name != last}
        assert others == {name: CATALOGS[name] for name in NAMES if name != last}
        assert not catalogs[last].done()
        server.release(last)
        assert items_of(catalogs[last]) == CATALOGS[last]


def test_events_are_reported_on_the_event_loop_thread(server):
    """Each catalog is reported before its future has it."""
    reported = {}

    def on_event(event):
        reported[event.endpoint_name] = (type(event), threading.current_thread().name)

    with fetching(settings_for(server), QUICK, on_event) as catalogs:
        for name, future in catalogs.items():
            future.result(timeout=10)
            assert reported[name] == (CatalogFetched, "catalogs")


def test_a_rejected_token_cancels_what_is_in_flight(server):
    """All futures raise the rejection, and the other five requests are closed."""
    misbehave(server, ("401", None))
    hold_all(server)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        until_in_flight(server, 6)
        server.release("courses")
        errors = {name: future.exception(10) for name, future in catalogs.items()}
        until_in_flight(server, 0)
    assert errors == dict.fromkeys(NAMES, errors["courses"])
    assert type(errors["courses"]) is TokenRefusedError
    assert len(server.requests.arrived) == 6


# Leaving


@pytest.mark.parametrize("after_half", [False, True], ids=["before the headers", "in the bodies"])
def test_leaving_early_closes_the_connections(server, after_half):
    """Leaving the block waits for no download; the server sees six connections close."""
    hold_all(server, after_half=after_half)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        until_in_flight(server, 6)
    until_in_flight(server, 0)
    assert all(future.done() for future in catalogs.values())


def test_leaving_at_once_is_no_different(server):
    """However early the end comes, before the first request too, it is clean."""
    for _ in range(20):
        with fetching(settings_for(server), QUICK, ignore) as catalogs:
            pass
        assert all(future.done() for future in catalogs.values())
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        assert {name: items_of(future) for name, future in catalogs.items()} == CATALOGS


def test_leaving_ends_a_wait_for_the_next_attempt(server):
    """An endpoint that waits 16 s for its next attempt delays nobody."""
    waiting = threading.Event()
    misbehave(server, ("retry-after-16", None))
    with fetching(settings_for(server), Limits(), lambda _: waiting.set()) as catalogs:
        assert waiting.wait(10)
        assert not catalogs["courses"].done()
    assert isinstance(catalogs["courses"].exception(0), asyncio.CancelledError)


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, GeneratorExit, Stopped])
def test_an_error_in_the_block_leaves_as_cleanly(server, kind):
    """Whatever ends the block is raised unchanged, with all connections closed."""
    hold_all(server)
    error = kind("in the block")

    def use_catalogs():
        with fetching(settings_for(server), QUICK, ignore):
            until_in_flight(server, 6)
            raise error

    with pytest.raises(kind) as raised:
        use_catalogs()
    assert raised.value is error
    until_in_flight(server, 0)


# Unexpected errors


def test_an_error_before_the_first_request_is_in_every_future(server, monkeypatch, tmp_path):
    """CA certificates that cannot be read fail every endpoint; nothing is requested."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    settings = Settings(TOKEN, server.base_url.replace("http", "https"))
    with fetching(settings, QUICK, ignore) as catalogs:
        errors = [future.exception(10) for future in catalogs.values()]
    assert [type(error) for error in errors] == [ValueError] * 6
    assert server.requests.arrived == []


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), Stopped("worse"), None])
def test_no_future_is_left_open(monkeypatch, server, error):
    """Whatever ends the fetching, or forgets a catalog, resolves every future."""

    async def fetch_nothing(*_):
        if error:
            raise error

    monkeypatch.setattr(background, "fetch_all", fetch_nothing)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        errors = [future.exception(10) for future in catalogs.values()]
    assert [found if error else str(found) for found in errors] == [
        error or "the catalog was never fetched"
    ] * 6


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.InvalidStateError])
def test_an_error_in_the_report_of_an_event_costs_one_endpoint(server, kind):
    """The log may fail on a retry or a catalog; its future then raises the error of the log."""
    server.set_faults("tracks=503x1")

    def on_event(event):
        if event.endpoint_name in ("tracks", "courses"):
            raise kind

    with fetching(settings_for(server), QUICK, on_event) as catalogs:
        errors = {name: type(future.exception(10)) for name, future in catalogs.items()}
    assert errors == {**dict.fromkeys(NAMES, type(None)), "tracks": kind, "courses": kind}


def test_an_exit_in_the_report_of_an_event_leaves_nobody_waiting(server):
    """What is no Exception ends the fetching, and with it every wait."""
    server.hold("courses")

    def on_event(_):
        raise Stopped

    with fetching(settings_for(server), QUICK, on_event) as catalogs:
        errors = [str(future.exception(10)) for future in catalogs.values()]
    assert errors == ["the catalog was never fetched"] * 6


# Memory and time


def test_a_catalog_is_freed_when_its_caller_drops_it(server):
    """A catalog that was taken out and dropped is freed while others are still downloading."""
    server.hold("courses")
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        dropped = [weakref.ref(catalogs.pop(name).result(10)) for name in OTHERS]
        until_in_flight(server, 1)
        gc.collect()
        assert [reference() for reference in dropped] == [None] * 5
        server.release("courses")
        assert items_of(catalogs["courses"]) == CATALOGS["courses"]


def test_a_slow_caller_and_a_slow_download_repeat_no_request(server):
    """A download that makes progress outlasts the silence limit, as does the caller."""
    server.replace("courses", b"[]".ljust(9))
    misbehave(server, ("drip", None))
    events = []
    settings = settings_for(server, request_timeout_seconds=0.2)
    with fetching(settings, QUICK, events.append) as catalogs:
        assert {name: items_of(future) for name, future in catalogs.items()} == {
            **CATALOGS,
            "courses": [],
        }
    slowest = next(event for event in events if event.endpoint_name == "courses")
    assert slowest.seconds > 2 * 0.2
    assert {(type(event), event.attempts) for event in events} == {(CatalogFetched, 1)}
