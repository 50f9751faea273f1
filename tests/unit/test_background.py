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
    EndpointError,
    Limits,
    Settings,
    TokenRefusedError,
    background,
    decode_item,
    fetching,
)
from endpoints import ENDPOINTS
from mock_api.serving import serving

TOKEN = "t0ken-for-tests"
NAMES = [endpoint.name for endpoint in ENDPOINTS]
CATALOGS = {name: [{"id": f"{name}-1"}, {"id": f"{name}-2"}] for name in NAMES}
QUICK = Limits(wait_caps_seconds=(0.0,) * 5, rate_limit_wait_seconds=0.0)


class Stopped(BaseException):
    """Stands for Ctrl-C and the like, which no `except Exception` sees."""


@pytest.fixture
def server():
    """Run a stand-in with two items in each catalog."""
    with serving(CATALOGS, token=TOKEN) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_left():
    """Check after each test that no thread, task or open loop of the fetching is there.

    What is left open unclosed, a socket or a session, says so when it is collected, and any
    warning is an error.
    """
    yield
    gc.collect()
    assert [thread.name for thread in threading.enumerate() if thread.name == "catalogs"] == []
    tasks = (item for item in gc.get_objects() if isinstance(item, asyncio.Task))
    assert [task for task in tasks if not task.done()] == []


def ignore(_):
    """Hear of an event, and do nothing."""


def settings_for(server, **others):
    """Give the settings that lead to the stand-in."""
    return Settings(TOKEN, server.base_url, **others)


def hold_all(server):
    """Keep every answer back."""
    for name in NAMES:
        server.hold(name)


def until_in_flight(server, number):
    """Wait until the server has this many requests open."""
    server.requests.wait_until(lambda requests: requests.in_flight == number)


def items_of(future):
    """Wait for a catalog and decode its items."""
    return [decode_item(item) for item in future.result(timeout=10).items]


# What the caller gets


def test_all_catalogs_are_asked_for_at_once(server):
    """Six requests are in flight before the first is answered."""
    hold_all(server)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        until_in_flight(server, 6)
        assert sorted(server.requests.endpoint_names) == sorted(NAMES)
        assert not any(future.done() for future in catalogs.values())
        for name in NAMES:
            server.release(name)
        assert {name: items_of(future) for name, future in catalogs.items()} == CATALOGS
    assert server.requests.most_in_flight == 6


@pytest.mark.parametrize("endpoints", [ENDPOINTS, ENDPOINTS[1::2]], ids=["all", "some skipped"])
def test_futures_come_in_the_order_of_the_replay(server, endpoints):
    """There is a future for each endpoint of the settings, in their order."""
    with fetching(settings_for(server, endpoints=endpoints), QUICK, ignore) as catalogs:
        assert list(catalogs) == [endpoint.name for endpoint in endpoints]
        concurrent.futures.wait(catalogs.values(), timeout=10)
        assert list(catalogs) == [endpoint.name for endpoint in endpoints]


@pytest.mark.parametrize("last", NAMES)
def test_a_catalog_is_there_as_soon_as_it_has_arrived(server, last):
    """Five catalogs can be had while the sixth, whichever it is, is still on its way."""
    server.hold(last, after_half=True)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        others = {name: items_of(catalogs[name]) for name in NAMES if name != last}
        assert others == {name: CATALOGS[name] for name in NAMES if name != last}
        assert not catalogs[last].done()
        server.release(last)
        assert items_of(catalogs[last]) == CATALOGS[last]


def test_events_are_told_on_the_other_thread(server):
    """Each catalog's arrival is told before its future gives it."""
    told = {}

    def on_event(event):
        told[event.endpoint_name] = (event, threading.current_thread().name)

    with fetching(settings_for(server), QUICK, on_event) as catalogs:
        for name, future in catalogs.items():
            catalog = future.result(timeout=10)
            assert told[name] == (CatalogFetched(name, catalog), "catalogs")


def test_a_failed_endpoint_raises_where_it_is_waited_for(server):
    """The error of one endpoint is its future's, and the other five give their catalogs."""
    server.set_faults("projects=404")
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        with pytest.raises(EndpointError, match=r"^projects: GET .* failed after 1 try: .* 404 "):
            catalogs["projects"].result(timeout=10)
        assert all(items_of(catalogs[name]) for name in NAMES if name != "projects")


def test_a_refused_token_ends_what_is_in_flight(server):
    """All futures raise the refusal, and the other five requests are hung up on."""
    server.set_faults("courses=401")
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


def test_leaving_early_hangs_up(server):
    """Whoever leaves the block waits for no download; the server sees six connections close."""
    hold_all(server)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        until_in_flight(server, 6)
    until_in_flight(server, 0)
    assert all(future.done() for future in catalogs.values())


def test_leaving_in_the_middle_of_bodies_hangs_up(server):
    """The same with bodies half read."""
    for name in NAMES:
        server.hold(name, after_half=True)
    with fetching(settings_for(server), QUICK, ignore):
        until_in_flight(server, 6)
    until_in_flight(server, 0)


def test_leaving_at_once_is_no_different(server):
    """However early the end comes, before the first request too, it is a clean one."""
    for _ in range(20):
        with fetching(settings_for(server), QUICK, ignore) as catalogs:
            pass
        assert all(future.done() for future in catalogs.values())
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        assert {name: items_of(future) for name, future in catalogs.items()} == CATALOGS


def test_leaving_ends_a_wait_for_the_next_try(server):
    """An endpoint that waits 16 s for its next try keeps nobody from leaving."""
    told = threading.Event()
    server.set_faults("courses=retry-after-16")
    with fetching(settings_for(server), Limits(), lambda _: told.set()) as catalogs:
        assert told.wait(10)
        assert not catalogs["courses"].done()
    assert isinstance(catalogs["courses"].exception(0), asyncio.CancelledError)


@pytest.mark.parametrize(
    "kind", [ValueError, KeyboardInterrupt, SystemExit, Stopped, GeneratorExit]
)
def test_an_error_in_the_block_leaves_as_clean(server, kind):
    """Whatever ends the block comes out of it unchanged, with all connections closed."""
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


def test_another_thread_that_waits_is_let_go(server):
    """A future that is left behind raises, so that nobody waits on it for ever."""
    server.hold("courses")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with fetching(settings_for(server), QUICK, ignore) as catalogs:
            waiting = pool.submit(catalogs["courses"].exception, 10)
            until_in_flight(server, 1)
        assert isinstance(waiting.result(10), asyncio.CancelledError)


def test_leaving_after_the_end_is_no_error(server):
    """The thread is gone by itself once all is fetched."""
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        concurrent.futures.wait(catalogs.values(), timeout=10)
        for thread in threading.enumerate():
            if thread.name == "catalogs":
                thread.join(10)


def test_two_fetchings_are_strangers(server):
    """Each has its own thread, loop and session, also one inside the other."""
    server.hold("courses")
    with fetching(settings_for(server), QUICK, ignore) as outer:
        until_in_flight(server, 1)
        with fetching(settings_for(server, endpoints=ENDPOINTS[:1]), QUICK, ignore) as inner:
            assert items_of(inner["assessments"]) == CATALOGS["assessments"]
        server.release("courses")
        assert items_of(outer["courses"]) == CATALOGS["courses"]


async def test_a_caller_may_have_a_loop_of_its_own(server):
    """The caller's running loop is none of the fetcher's concern."""
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        future = asyncio.wrap_future(catalogs["courses"])
        assert [decode_item(item) for item in (await future).items] == CATALOGS["courses"]


# Errors that nobody expects


def test_an_error_before_the_first_request_is_everybodys(server, monkeypatch, tmp_path):
    """Roots that cannot be read resolve every future with the reason; nothing is asked."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    settings = Settings(TOKEN, server.base_url.replace("http", "https"))
    with fetching(settings, QUICK, ignore) as catalogs:
        errors = [future.exception(10) for future in catalogs.values()]
    assert [type(error) for error in errors] == [ValueError] * 6
    assert {str(error) for error in errors} == {str(errors[0])}
    assert str(errors[0]).startswith("SSL_CERT_FILE names ")
    assert server.requests.arrived == []


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), Stopped("worse")])
def test_an_error_in_the_fetcher_is_everybodys(monkeypatch, server, error):
    """Whatever ends the fetcher resolves every future, so that nobody waits for ever."""

    async def fetch_nothing(*_):
        raise error

    monkeypatch.setattr(background, "fetch_all", fetch_nothing)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        assert [future.exception(10) for future in catalogs.values()] == [error] * 6


def test_a_fetcher_that_forgets_a_catalog_is_found_out(monkeypatch, server):
    """A future that nobody resolved says so."""

    async def fetch_nothing(*_):
        pass

    monkeypatch.setattr(background, "fetch_all", fetch_nothing)
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        errors = [str(future.exception(10)) for future in catalogs.values()]
    assert errors == ["the catalog was never fetched"] * 6


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.InvalidStateError])
def test_an_error_in_telling_costs_one_endpoint(server, kind):
    """The log may fail; the catalog it was told of then raises the log's own error."""
    server.set_faults("tracks=503x1")

    def on_event(event):
        if event.endpoint_name in ("tracks", "courses"):
            raise kind

    with fetching(settings_for(server), QUICK, on_event) as catalogs:
        errors = {name: type(future.exception(10)) for name, future in catalogs.items()}
    failed = {"tracks": kind, "courses": kind}
    assert errors == {**dict.fromkeys(NAMES, type(None)), **failed}


def test_an_exit_in_telling_keeps_nobody_waiting(server):
    """What is no Exception ends the fetcher, and with it every wait."""
    server.hold("courses")

    def on_event(_):
        raise Stopped

    with fetching(settings_for(server), QUICK, on_event) as catalogs:
        errors = [str(future.exception(10)) for future in catalogs.values()]
    assert errors == ["the catalog was never fetched"] * 6


# Memory and time


def test_a_catalog_lives_as_long_as_its_caller_wants(server):
    """A catalog that was taken out and dropped is gone, while others are still on their way."""
    server.hold("courses")
    with fetching(settings_for(server), QUICK, ignore) as catalogs:
        concurrent.futures.wait([catalogs[name] for name in NAMES[:-1]], timeout=10)
        dropped = [weakref.ref(catalogs.pop(name)) for name in NAMES[:-1]]
        gc.collect()
        assert [reference() for reference in dropped] == [None] * 5
        server.release("courses")
        assert items_of(catalogs["courses"]) == CATALOGS["courses"]


def test_a_caller_that_takes_long_repeats_no_request(server):
    """The first catalog is used for longer than the silence limit, and nothing is asked twice.

    What takes long here is another download, one byte at a time: it makes progress, so that the
    silence limit, a third of its time, does not end it either.
    """
    server.replace("courses", b'{"data":[]' + b" " * 14 + b"}")
    server.set_faults("courses=drip")
    settings = settings_for(server, request_timeout_seconds=0.4)
    with fetching(settings, QUICK, ignore) as catalogs:
        first = catalogs["assessments"].result(timeout=10)
        slowest = catalogs["courses"].result(timeout=10)
        assert slowest.seconds > 3 * 0.4
        assert {name: items_of(catalogs[name]) for name in NAMES[:-1]} == {
            name: CATALOGS[name] for name in NAMES[:-1]
        }
    assert [decode_item(item) for item in first.items] == CATALOGS["assessments"]
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)
    assert {catalog.attempts for catalog in (first, slowest)} == {1}


def test_a_caller_that_takes_long_loses_nothing_of_a_stalled_download(server):
    """Tries are made in the background: when the caller looks, the endpoint has recovered."""
    server.set_faults("practices=stall-headersx1")
    settings = settings_for(server, request_timeout_seconds=0.2)
    with fetching(settings, QUICK, ignore) as catalogs:
        concurrent.futures.wait(catalogs.values(), timeout=10)
        assert {name: future.result(0).attempts for name, future in catalogs.items()} == {
            **dict.fromkeys(NAMES, 1),
            "practices": 2,
        }
