"""When another attempt is made: how long the waits are, and when there are no more."""

from __future__ import annotations

import asyncio
import logging
import math

import pytest

from async_client import Limits
from async_client.errors import FinalError, RateLimitError, TransientError
from async_client.retry import retrying, waits

AT_ONCE = Limits(wait_caps_seconds=(0.0,) * 5)


def failure(retry_after_seconds=None):
    """Make a failure that may pass."""
    return TransientError("it is down", "Wait", retry_after_seconds)


def rate_limited(reset_seconds=None, retry_after_seconds=None):
    """Make a failure of a rate limit."""
    return RateLimitError("it is limited", "Wait", retry_after_seconds, reset_seconds)


def longest(_, upper):
    """Draw the upper end of the range."""
    return upper


def shortest(lower, _):
    """Draw the lower end of the range."""
    return lower


def ample():
    """Return more seconds than any test needs."""
    return 600.0


def waited(failures, *, draw=longest, seconds_left=ample, limits=None):
    """Send failures in; return the seconds to wait after each, until there are no more."""
    generator = waits(limits or Limits(), seconds_left, draw)
    assert next(generator) == 0.0  # primed, as backoff does it
    return list(map(generator.send, failures))  # which ends where the generator does


# The waits


def test_the_caps_double_and_the_jitter_is_full():
    """Six attempts have five waits, drawn from 0 to 1, 2, 4, 8 and 16 s, both ends included."""
    ranges = []

    def draw(lower, upper):
        ranges.append((lower, upper))
        return upper / 4

    assert waited([failure()] * 9, draw=draw) == [0.25, 0.5, 1, 2, 4]
    assert ranges == [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16)]
    assert waited([failure()] * 9, draw=shortest) == [0] * 5
    assert waited([failure()] * 9) == [1, 2, 4, 8, 16]


def test_waits_are_drawn_at_random():
    """Many clients that fail together do not return together."""
    firsts = set()
    for _ in range(100):
        generator = waits(Limits(), ample)
        next(generator)
        firsts.add(generator.send(failure()))
    assert len(firsts) > 90
    assert all(0 <= seconds <= 1 for seconds in firsts)


@pytest.mark.parametrize("draw", [shortest, longest])
def test_retry_after_is_a_floor_for_the_next_wait_only(draw):
    """The wait that a server requests is never shortened; a longer draw stands."""
    failures = [failure(60), failure(0.5), failure(0), failure(8), failure()]
    expected = {shortest: [60, 0.5, 0, 8, 0], longest: [60, 2, 4, 8, 16]}
    assert waited(failures, draw=draw) == expected[draw]


@pytest.mark.parametrize(
    ("limited", "expected"),
    [
        (rate_limited(), [15, 15, 15, 15, 16]),
        (rate_limited(reset_seconds=42), [42] * 5),
        (rate_limited(reset_seconds=601), [15, 15, 15, 15, 16]),
        (rate_limited(reset_seconds=42, retry_after_seconds=3), [3, 3, 4, 8, 16]),
    ],
    ids=["no time", "a reset", "a reset beyond the time left", "Retry-After"],
)
def test_a_rate_limit_waits_for_its_reset_or_15_seconds(limited, expected):
    """Six attempts outlive a window of a minute, and a reset too far away ends none of them."""
    assert waited([limited] * 5) == expected


@pytest.mark.parametrize(
    ("retry_after_seconds", "seconds_left", "expected"),
    [
        (9.9, 10, [9.9]),
        (10, 10, []),
        (math.inf, 600, []),
        (None, 1.01, [1]),
        (None, 1, []),
        (0, 0, []),
        (None, -1, []),
    ],
)
def test_a_wait_that_does_not_fit_the_time_left_ends_the_attempts(
    retry_after_seconds, seconds_left, expected
):
    """A wait of all the time that is left leaves none for the attempt after it."""
    failures = [failure(retry_after_seconds)]
    assert waited(failures, seconds_left=lambda: seconds_left) == expected


def test_the_time_left_is_checked_before_each_wait():
    """The waits end when the time does, whatever attempts are left."""
    left = iter([30, 20, 8.5, 8, 1000])
    assert waited([failure()] * 9, seconds_left=lambda: next(left)) == [1, 2, 4]


# The attempts


def attempts(*outcomes):
    """Make an attempt with these outcomes, raised or returned; return it and what it did."""
    done = []

    async def attempt():
        outcome = outcomes[len(done)]
        done.append(outcome)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return attempt, done


async def test_attempts_go_on_until_one_succeeds(monkeypatch):
    """Each wait is reported with the failed attempt and is the wait made; none if all is well."""
    slept, reported = [], []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    first, second = failure(60), failure(7.5)
    attempt, done = attempts(first, second, "catalog", "another")
    retried = retrying(attempt, AT_ONCE, ample, lambda *wait: reported.append(wait))
    assert (await retried(), await retried()) == ("catalog", "another")
    assert done == [first, second, "catalog", "another"]
    assert reported == [(1, first, 60), (2, second, 7.5)]
    assert slept == [60, 7.5]


async def test_the_sixth_failure_is_raised_and_the_library_logs_nothing(caplog):
    """The last failure is raised itself; who hears of the waits decides what is logged."""
    caplog.set_level(logging.DEBUG)
    failures, reported = [failure() for _ in range(7)], []
    attempt, done = attempts(*failures)
    with pytest.raises(TransientError) as last:
        await retrying(attempt, AT_ONCE, ample, lambda number, *_: reported.append(number))()
    assert last.value is failures[5]
    assert done == failures[:6]
    assert reported == [1, 2, 3, 4, 5]
    assert [record for record in caplog.records if record.name.startswith("backoff")] == []


@pytest.mark.parametrize(
    "error", [failure(99999), FinalError("no", "Stop"), KeyError("bug"), KeyboardInterrupt()]
)
async def test_what_cannot_be_retried_is_raised_at_once(error):
    """A wait that does not fit and any exception but a TransientError end the attempts."""
    attempt, done = attempts(failure(), error, "catalog")
    with pytest.raises(type(error)) as raised:
        await retrying(attempt, AT_ONCE, ample, lambda *_: None)()
    assert raised.value is error
    assert len(done) == 2
