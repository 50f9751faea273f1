"""When another attempt is made: how long the waits are, and when there are no more."""

from __future__ import annotations

import logging

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
def test_retry_after_is_the_lower_bound_of_the_next_wait_only(draw, expected):
    """The wait that a server requests is never shortened, and a longer draw is kept."""
    failures = [failure(60), failure(0.5), failure(0), failure(8), failure(), failure(8)]
    assert waited(failures, draw) == expected


@cases(
    "limited, expected",
    {
        "no time": (rate_limited(), 15),
        "a reset": (rate_limited(42), 42),
        "a reset beyond the time left": (rate_limited(601), 15),
        "Retry-After and a reset": (rate_limited(42, retry_after_seconds=3), 3),
        "a Retry-After of 0": (rate_limited(retry_after_seconds=0), 1),
        "less than a second": (rate_limited(0.2), 1),
    },
)
def test_a_rate_limit_waits_as_requested_and_does_not_count(limited, expected):
    """Any number of them may precede the six attempts that count."""
    failures = [*[limited] * 9, failure(), limited, *[failure()] * 9]
    assert waited(failures, max) == [*[expected] * 9, 1, expected, 2, 4, 8, 16]


REQUESTED = "it is down; its Retry-After of {} s exceeds the time left for retries"
NO_TIME = "it is down; no time is left for another attempt"


@cases(
    "requested, left, why",
    {
        "all the time left": (10, 10, REQUESTED.format(10)),
        "a draw of all the time left": (None, 1, NO_TIME),
        "no time at all": (0, 0, REQUESTED.format(0)),
        "no time left": (None, -1, NO_TIME),
    },
)
def test_a_wait_beyond_the_time_left_is_the_final_failure(requested, left, why):
    """A wait of all the time that is left leaves none for the attempt after it."""
    with pytest.raises(FinalError) as final:
        waited([failure(requested)], max, seconds_left=lambda: left)
    assert (final.value.reason, final.value.advice) == (why, "Wait")


def test_the_time_left_is_checked_before_each_wait():
    left = iter([30, 20, 8.5, 8])
    with pytest.raises(FinalError):
        waited([failure()] * 9, max, seconds_left=lambda: next(left))
    assert next(left, None) is None


async def attempts(*outcomes):
    """Return the result of attempts with these outcomes, their number, and the reported waits."""
    done, reported = [], []

    async def attempt():
        done.append(outcomes[len(done)])
        return done[-1]

    result = await retrying(attempt, QUICK, ample, lambda *wait: reported.append(wait))
    return result, len(done), reported


async def test_attempts_go_on_until_one_succeeds(clock):
    """Each failed attempt is reported with the wait that follows; success has no wait."""
    first, second, started = failure(60), rate_limited(7.5), clock.now
    result, count, reported = await attempts(first, second, "catalog", "another")
    assert (result, count) == ("catalog", 3)
    assert reported == [(1, first, 60), (2, second, 7.5)]
    assert clock.now - started == pytest.approx(67.5)


async def test_the_sixth_failure_is_returned_and_the_library_logs_nothing(caplog):
    """A sixth failure is not blamed on its `Retry-After`; backoff leaves logging to others."""
    caplog.set_level(logging.DEBUG)
    failures = [*(failure() for _ in range(5)), failure(99999), failure()]
    result, count, reported = await attempts(*failures)
    assert (result, count) == (failures[5], 6)
    assert [number for number, *_ in reported] == [1, 2, 3, 4, 5]
    assert [record for record in caplog.records if record.name.startswith("backoff")] == []


async def test_a_final_failure_is_returned_at_once():
    first, final = failure(), FinalError("no", "Stop")
    assert await attempts(first, final, "catalog") == (final, 2, [(1, first, 0)])


async def test_a_wait_that_does_not_fit_is_returned_as_the_final_failure():
    """It is no exception with a traceback, whose frames could keep a body."""
    result, count, reported = await attempts(failure(99999), "catalog")
    assert (type(result), count, reported) == (FinalError, 1, [])
    assert result.__traceback__ is result.__context__ is None
