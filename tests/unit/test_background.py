"""Taking catalogs out of the fetching thread, and that nothing outlives the block."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from queue import SimpleQueue

import pytest

from async_client import CatalogFetched, Catalogs, RetryScheduled, Settings, fetching
from async_client.fetch import Fetched
from endpoints import ENDPOINTS
from tests.support.fetching import CATALOGS, NAMES, QUICK, TOKEN
from tests.support.mocked_api import BASE_URL, reply
from tests.support.recording import catalog_of, failed, token_rejected

RETRY = RetryScheduled("courses", 1, 6, "HTTP 503", 0.5)


class Stopped(BaseException):
    """An exception such as KeyboardInterrupt, which no `except Exception` catches."""


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "catalogs"] == []


def catalogs_of(*arrivals):
    """Return catalogs into which these have arrived, and the list of handled events."""
    queue, events = SimpleQueue(), []
    for arrival in arrivals:
        queue.put(arrival)
    return Catalogs(queue, events.append), events


def test_a_catalog_is_taken_whatever_arrived_before_it():
    first, second = catalog_of([1]), catalog_of([2])
    catalogs, _ = catalogs_of(Fetched("courses", second), Fetched("tracks", first))
    assert (catalogs.take("tracks"), catalogs.take("courses")) == (first, second)


def test_events_are_handled_before_the_catalog_is_returned():
    """Also those that arrived after it; the others wait for the next catalog."""
    catalogs, events = catalogs_of(RETRY, Fetched("tracks", catalog_of([])), RETRY)
    catalogs.take("tracks")
    assert events == [RETRY, RETRY]


def test_a_failure_is_returned():
    catalogs, _ = catalogs_of(Fetched("tracks", failed("tracks")))
    assert catalogs.take("tracks").endpoint_name == "tracks"


def test_a_rejected_token_is_the_failure_of_every_endpoint():
    """Whatever has arrived before or after it."""
    rejection = token_rejected("courses")
    catalogs, _ = catalogs_of(
        Fetched("tracks", catalog_of([])),
        Fetched("courses", rejection),
        Fetched("projects", failed("projects")),
    )
    assert [catalogs.take(name) for name in ("tracks", "projects", "courses", "tracks")] == (
        [rejection] * 4
    )


def test_a_catalog_that_was_taken_is_not_kept():
    catalogs, _ = catalogs_of(Fetched("tracks", catalog_of([])))
    reference = weakref.ref(catalogs.take("tracks"))
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("end", [LookupError("taken"), Stopped("in the thread")])
def test_nobody_waits_for_what_does_not_arrive(end):
    """What ended the fetching is raised, after what had arrived was taken."""
    catalogs, _ = catalogs_of(Fetched("tracks", catalog_of([])), end)
    catalogs.take("tracks")
    for name in ("tracks", "courses"):
        with pytest.raises(type(end)) as raised:
            catalogs.take(name)
        assert raised.value is end


def test_an_unexpected_error_is_raised_where_its_catalog_is_taken():
    bug, arrived = ZeroDivisionError("a bug"), catalog_of([])
    catalogs, _ = catalogs_of(Fetched("tracks", bug), Fetched("courses", arrived))
    with pytest.raises(ZeroDivisionError) as raised:
        catalogs.take("tracks")
    assert (raised.value, catalogs.take("courses")) == (bug, arrived)


def test_an_error_in_the_handling_of_an_event_is_raised_to_the_caller():
    queue = SimpleQueue()
    queue.put(RETRY)
    with pytest.raises(ZeroDivisionError):
        Catalogs(queue, lambda _: 1 / 0).take("courses")


def fetching_mocked(on_event=lambda _: None, limits=QUICK, endpoints=ENDPOINTS):
    """Fetch from the mocked API in a thread."""
    return fetching(Settings(TOKEN, BASE_URL, endpoints=endpoints), limits, on_event)


def test_catalogs_are_fetched_in_a_thread_and_events_are_handled_by_the_caller(api):
    """There is an event for each catalog."""
    events = []

    def on_event(event):
        if isinstance(event, CatalogFetched):
            events.append((event.endpoint_name, threading.current_thread()))

    with fetching_mocked(on_event) as catalogs:
        assert {name: catalogs.take(name).items() for name in NAMES} == CATALOGS
    assert sorted(events) == [(name, threading.current_thread()) for name in sorted(NAMES)]


def test_a_catalog_can_be_taken_once(api):
    """Taking what is not fetched or was taken is an error, not an endless wait."""
    with fetching_mocked(endpoints=ENDPOINTS[:1]) as catalogs:
        catalogs.take(NAMES[0])
        for name in NAMES[:2]:
            with pytest.raises(LookupError, match="every catalog has been taken"):
                catalogs.take(name)


@pytest.mark.parametrize("kind", [None, ValueError, KeyboardInterrupt, GeneratorExit, Stopped])
def test_leaving_early_cancels_what_is_in_flight(api, kind):
    """Leaving waits for no download, whatever exception ends the block."""
    in_flight = threading.Event()

    async def serve(_):
        if api.in_flight == 6:
            in_flight.set()
        await asyncio.Event().wait()

    api.serve = serve
    block = fetching_mocked()
    catalogs = block.__enter__()
    assert in_flight.wait(10)
    assert not block.__exit__(kind, kind and kind("in the block"), None)  # it is not replaced
    assert api.in_flight == 0
    with pytest.raises(asyncio.CancelledError):
        catalogs.take("courses")


def test_leaving_at_once_is_possible(api):
    """Fetching can be left before its first request."""
    for _ in range(9):
        with fetching_mocked():
            pass
    with fetching_mocked() as catalogs:
        assert catalogs.take("courses").items() == CATALOGS["courses"]


def test_leaving_ends_a_wait_for_the_next_attempt(api):
    """An endpoint that waits 16 s for its next attempt delays nothing."""
    api.replies["courses"] = [reply(503, headers={"Retry-After": "16"})]
    waiting = []

    def on_event(event):
        if isinstance(event, RetryScheduled):
            waiting.append(event)
            raise Stopped

    with pytest.raises(Stopped), fetching_mocked(on_event) as catalogs:
        catalogs.take("courses")
    assert [event.wait_seconds for event in waiting] == [16]


def test_an_error_before_the_first_request_is_raised(api, monkeypatch, tmp_path):
    """It is raised wherever a catalog is taken."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    with fetching_mocked() as catalogs:
        for name in NAMES:
            with pytest.raises(ValueError, match=r"^SSL_CERT_FILE is "):
                catalogs.take(name)
