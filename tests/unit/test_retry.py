"""When another attempt is made: how long the waits are, and when there are no more."""

from __future__ import annotations

import asyncio
import logging
import math

import pytest

from async_client import Limits
from async_client.errors import FinalError, RateLimitError, TransientError
from async_client.retry import retrying, waits
from tests.support.cases import cases
from tests.support.fetching import QUICK


def failure(retry_after_seconds=None):
    """Return a transient failure."""
    return TransientError("it is down", "Wait", retry_after_seconds)


def rate_limited(reset_seconds=None, retry_after_seconds=None):
    """Return the failure of a rate limit."""
    return RateLimitError("it is limited", "Wait", retry_after_seconds, reset_seconds)


def ample():
    """Return more seconds than any test needs."""
    return 600.0


def waited(failures, *draw, seconds_left=ample):
    """Send failures in; return the seconds to wait after each, until there are no more."""
    generator = waits(Limits(), seconds_left, *draw)
    assert next(generator) == 0.0  # primed, as backoff does it
    return list(map(generator.send, failures))  # which ends where the generator does


def test_the_caps_double_and_the_jitter_is_full():
    """Six attempts have five waits, drawn from 0 to 1, 2, 4, 8 and 16 s, both ends included."""
    ranges = []
    waited([failure()] * 9, lambda *limits: ranges.append(limits) or 0.0)
    assert ranges == [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16)]
    assert waited([failure()] * 9, min) == [0] * 5
    assert waited([failure()] * 9, max) == [1, 2, 4, 8, 16]


def test_waits_are_drawn_at_random():
    """Many clients that fail at the same time do not retry at the same time."""
    firsts = {waited([failure()])[0] for _ in range(100)}
    assert len(firsts) > 90
    assert all(0 <= seconds <= 1 for seconds in firsts)


@pytest.mark.parametrize(
    ("draw", "expected"), [(min, [60, 0.5, 0, 8, 0]), (max, [60, 2, 4, 8, 16])]
)
def test_retry_after_is_a_floor_for_the_next_wait_only(draw, expected):
    """The wait that a server requests is never shortened, and a longer draw is kept."""
    failures = [failure(60), failure(0.5), failure(0), failure(8), failure()]
    assert waited(failures, draw) == expected


@cases(
    "limited, expected",
    {
        "no time": (rate_limited(), [15, 15, 15, 15, 16]),
        "a reset": (rate_limited(42), [42] * 5),
        "a reset beyond the time left": (rate_limited(601), [15, 15, 15, 15, 16]),
        "Retry-After": (rate_limited(42, retry_after_seconds=3), [3, 3, 4, 8, 16]),
    },
)
def test_a_rate_limit_waits_for_its_reset_or_15_seconds(limited, expected):
    """Six attempts take more than a minute, and a reset too far away ends none of them."""
    assert waited([limited] * 5, max) == expected


@pytest.mark.parametrize(
    ("requested", "left", "expected"),
    [
        *((9.9, 10, [9.9]), (10, 10, []), (math.inf, 600, [])),
        *((None, 1.01, [1]), (None, 1, []), (0, 0, []), (None, -1, [])),
    ],
)
def test_a_wait_that_does_not_fit_the_time_left_ends_the_attempts(requested, left, expected):
    """A wait of all the time that is left leaves none for the attempt after it."""
    assert waited([failure(requested)], max, seconds_left=lambda: left) == expected


def test_the_time_left_is_checked_before_each_wait():
    """The waits end when the time is over, however many attempts are left."""
    left = iter([30, 20, 8.5, 8, 1000])
    assert waited([failure()] * 9, max, seconds_left=lambda: next(left)) == [1, 2, 4]


def attempts(*outcomes):
    """Return retried attempts with these outcomes, what they did, and the waits they reported."""
    done, reported = [], []

    async def attempt():
        done.append(outcomes[len(done)])
        if isinstance(done[-1], BaseException):
            raise done[-1]
        return done[-1]

    return retrying(attempt, QUICK, ample, lambda *wait: reported.append(wait)), done, reported


async def test_attempts_go_on_until_one_succeeds(monkeypatch):
    """Each failed attempt is reported with the wait that follows; success has no wait."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    first, second = failure(60), failure(7.5)
    retried, done, reported = attempts(first, second, "catalog", "another")
    assert (await retried(), await retried()) == ("catalog", "another")
    assert done == [first, second, "catalog", "another"]
    assert reported == [(1, first, 60), (2, second, 7.5)]
    assert slept == [60, 7.5]


async def test_the_sixth_failure_is_raised_and_the_library_logs_nothing(caplog):
    """The last failure is raised itself; backoff leaves logging to the callback."""
    caplog.set_level(logging.DEBUG)
    failures = [failure() for _ in range(7)]
    retried, done, reported = attempts(*failures)
    with pytest.raises(TransientError) as last:
        await retried()
    assert last.value is failures[5]
    assert done == failures[:6]
    assert [number for number, *_ in reported] == [1, 2, 3, 4, 5]
    assert [record for record in caplog.records if record.name.startswith("backoff")] == []


@pytest.mark.parametrize(
    "error", [failure(99999), FinalError("no", "Stop"), KeyError("bug"), KeyboardInterrupt()]
)
async def test_what_cannot_be_retried_is_raised_at_once(error):
    """A wait that does not fit and any exception but a TransientError end the attempts."""
    retried, done, _ = attempts(failure(), error, "catalog")
    with pytest.raises(type(error)) as raised:
        await retried()
    assert raised.value is error
    assert len(done) == 2
