"""Rate limits are one limit for all endpoints, which take turns."""

from __future__ import annotations

import asyncio

import pytest

from async_client import Limits, RetryScheduled
from async_client.rate_limit import RateLimitQueue
from tests.support.cases import cases
from tests.support.fetching import NAMES
from tests.support.mocked_api import catalog_reply, fetched, reply

RETRY_AFTER_1 = {"Retry-After": "1"}


def queue_of(**due):
    queue = RateLimitQueue()
    for name, until in due.items():
        queue.limit(name, until)
    return queue


def test_an_endpoint_that_was_never_limited_does_not_queue():
    queue = queue_of(courses=10)
    assert queue.seconds_until_due("tracks", now=1) == 0
    assert (queue.start("tracks"), queue.start("courses")) == (True, True)


def test_the_endpoint_that_is_due_first_has_its_turn():
    queue = queue_of(tracks=2, projects=2)
    assert (queue.start("projects"), queue.start("tracks")) == (False, True)
    queue = queue_of(tracks=2)
    queue.limit("courses", 1)
    assert (queue.start("tracks"), queue.start("courses")) == (False, True)


def test_a_new_rate_limit_postpones_the_whole_queue():
    queue = queue_of(courses=500)
    queue.limit("tracks", 2)
    assert queue.seconds_until_due("courses", now=1) == 499
    queue.limit("tracks", 600)
    assert queue.seconds_until_due("courses", now=1) == 599


def test_one_request_of_the_queue_is_in_flight_at_a_time():
    queue = queue_of(courses=1, tracks=1)
    assert (queue.start("courses"), queue.start("tracks")) == (True, False)
    queue.leave("courses")
    assert queue.start("tracks")


def test_a_request_in_flight_holds_the_queue_when_all_become_due_at_the_same_time():
    """A new rate limit postpones the endpoint in flight too, and another one joined earlier."""
    queue = queue_of(courses=500)
    queue.limit("tracks", 2)
    assert queue.start("tracks")
    queue.limit("projects", 600)
    assert not queue.start("courses")


def test_a_backoff_after_another_failure_does_not_hold_the_queue():
    queue = queue_of(courses=1, tracks=2)
    queue.start("courses")
    queue.leave("courses")
    assert queue.start("tracks")
    assert queue.seconds_until_due("courses", now=5) == 0
    queue.leave("tracks")
    assert queue.start("courses")


def one_at_a_time(seconds, headers):
    """Return a server that rejects each request that arrives while it processes another one."""
    is_busy = False

    async def serve(endpoint_name):
        nonlocal is_busy
        if is_busy:
            return reply(429, headers=headers)
        is_busy = True
        await asyncio.sleep(seconds)
        is_busy = False
        return catalog_reply(endpoint_name)

    return serve


def two_a_minute():
    """Return a server that allows two requests in each minute, and does not say when it does."""
    arrived = []

    async def serve(endpoint_name):
        now = asyncio.get_running_loop().time()
        if arrived[-2:-1] and arrived[-2] > now - 60:
            return reply(429)
        arrived.append(now)
        return catalog_reply(endpoint_name)

    return serve


@cases(
    "server, arguments, expected_seconds",
    {
        "one at a time, 8 s each": (one_at_a_time, (8, RETRY_AFTER_1), 48),
        "one at a time, 30 s each": (one_at_a_time, (30, RETRY_AFTER_1), 180),
        "one at a time without a hint": (one_at_a_time, (8, {}), 55),
        "two a minute without a hint": (two_a_minute, (), 120),
    },
)
async def test_all_endpoints_are_served(api, clock, server, arguments, expected_seconds):
    started, api.serve = clock.now, server(*arguments)
    results, _ = await fetched(Limits())
    assert [*map(type, results.values())] == [type(results["courses"])] * 6
    assert sorted(results) == sorted(NAMES)
    assert clock.now - started == pytest.approx(expected_seconds)


TOO_LATE = "HTTP 429 Too Many Requests; "
NO_TIME = f"{TOO_LATE}no time is left for another attempt"
REQUESTED = f"{TOO_LATE}its Retry-After of 25 s exceeds the time left for retries"
NO_TURN = "the rate limit left no time for another attempt within 60 s"


@cases(
    "headers, sent_seconds, last",
    {
        "nothing is asked": ({}, [15, 30, 45], NO_TIME),
        "a time": ({"Retry-After": "25"}, [25, 50], REQUESTED),
        "less than a second": ({"Retry-After": "0"}, range(1, 60), NO_TIME),
    },
)
async def test_queueing_ends_with_the_time_of_the_endpoints(
    api, clock, headers, sent_seconds, last
):
    async def serve(_):
        return reply(429, headers=headers)

    started, api.serve = clock.now, serve
    results, _ = await fetched(Limits(endpoint_seconds=60.0))
    sent = [request.seconds - started for request in api.requests]
    assert clock.now - started == pytest.approx(sent[-1])  # nobody waits for a turn in vain
    assert sent == pytest.approx([*[0] * 6, *sent_seconds])
    assert sum(error.attempts for error in results.values()) == len(sent)
    assert sorted(error.reason for error in results.values()) == [last, *[NO_TURN] * 5]


async def test_a_401_cancels_the_queue(api, clock):
    api.replies = {name: [reply(429)] for name in NAMES[:3]}
    api.replies["courses"] = [reply(503), reply(401)]
    started = clock.now
    results, _ = await fetched(Limits())
    assert sorted(results) == ["courses", "custom_tracks", "tracks"]
    assert clock.now - started < 2


async def test_attempts_that_end_in_a_rate_limit_do_not_count(api, clock):
    """Six others may fail as well; an attempt is reported with the number of those that may."""
    api.replies["courses"] = [reply(429), reply(503), reply(429), *[reply(503)] * 5]
    results, events = await fetched(Limits())
    assert (results["courses"].attempts, results["courses"].reason) == (
        8,
        "HTTP 503 Service Unavailable",
    )
    retries = [event for event in events if isinstance(event, RetryScheduled)]
    assert [(e.failed_attempt, e.max_attempts) for e in retries] == [
        (1, None),
        (2, 7),
        (3, None),
        *((4, 8), (5, 8), (6, 8), (7, 8)),
    ]
