"""When another try is made: how long the waits are, when there is none, and what is told of it."""

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
    """Make a failure that another try may mend."""
    return TransientError("it is down", "Wait", retry_after_seconds)


def most(_, upper):
    """Draw the upper end of the range."""
    return upper


def least(lower, _):
    """Draw the lower end of the range."""
    return lower


def ample():
    """Give more time than any test needs."""
    return 600.0


def waited(failures, *, draw=most, seconds_left=ample, limits=None):
    """Send failures in; gives the seconds to wait after each, until there is no next try."""
    generator = waits(limits or Limits(), seconds_left, draw)
    assert next(generator) == 0.0  # primed, as backoff does it
    return list(map(generator.send, failures))  # which ends where the generator does


# The waits


def rate_limited(reset_seconds=None, retry_after_seconds=None):
    """Make a failure of a rate limit."""
    return RateLimitError("it is limited", "Wait", retry_after_seconds, reset_seconds)


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


def test_there_are_at_most_five_waits_and_their_caps_double():
    """Six tries have five waits between them: 1, 2, 4, 8 and 16 s at the longest."""
    assert waited([failure()] * 9) == [1, 2, 4, 8, 16]


def test_the_jitter_is_full():
    """Each wait is drawn from 0 to its cap, each end included."""
    asked = []

    def draw(lower, upper):
        asked.append((lower, upper))
        return upper / 4

    assert waited([failure()] * 9, draw=draw) == [0.25, 0.5, 1, 2, 4]
    assert asked == [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16)]
    assert waited([failure()] * 9, draw=least) == [0, 0, 0, 0, 0]


def test_waits_are_drawn_at_random():
    """Many clients that fail together do not come back together."""
    firsts = {next_wait(waits(Limits(), ample)) for _ in range(100)}
    assert len(firsts) > 90
    assert all(0 <= seconds <= 1 for seconds in firsts)


def next_wait(generator):
    """Give a primed generator its first failure."""
    next(generator)
    return generator.send(failure())


@pytest.mark.parametrize("draw", [least, most])
def test_retry_after_is_a_floor(draw):
    """What the server asks for is never shortened, and a longer draw stands."""
    asked = [failure(60), failure(0.5), failure(0), failure(8), failure(100)]
    expected = {least: [60, 0.5, 0, 8, 100], most: [60, 2, 4, 8, 100]}
    assert waited(asked, draw=draw) == expected[draw]


def test_retry_after_does_not_carry_over():
    """Each wait looks at the failure before it, and at no other."""
    assert waited([failure(60), failure(), failure(30), failure()]) == [60, 2, 30, 8]


@pytest.mark.parametrize(
    ("retry_after_seconds", "seconds_left", "expected"),
    [
        (9.9, 10, [9.9]),
        (10, 10, []),
        (99999, 600, []),
        (math.inf, 600, []),
        (None, 1.01, [1]),
        (None, 1, []),
        (0, 0, []),
        (None, -1, []),
    ],
)
def test_a_wait_that_does_not_fit_the_time_left_ends_the_tries(
    retry_after_seconds, seconds_left, expected
):
    """A wait that would use up all that is left leaves no time for the try after it."""
    failures = [failure(retry_after_seconds)]
    assert waited(failures, seconds_left=lambda: seconds_left) == expected


def test_the_time_left_is_looked_at_anew_each_time():
    """The waits end when the time does, whatever tries are left."""
    left = iter([30, 20, 8.5, 8, 1000])
    assert waited([failure()] * 9, seconds_left=lambda: next(left)) == [1, 2, 4]


def test_the_limits_say_how_many_waits_there_are():
    """One try more than there are caps, however many."""
    assert waited([failure()] * 9, limits=Limits(wait_caps_seconds=(3, 5))) == [3, 5]
    assert waited([failure()] * 9, limits=Limits(wait_caps_seconds=())) == []


# The tries


def attempts(*outcomes):
    """Make an attempt with these outcomes, raised or returned; gives it and the list of tries."""
    tries = []

    async def attempt():
        outcome = outcomes[min(len(tries), len(outcomes) - 1)]
        tries.append(outcome)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return attempt, tries


async def test_a_first_try_that_succeeds_is_the_only_one():
    """Nothing is repeated, nothing is told."""
    attempt, tries = attempts("catalog")
    told = []
    assert await retrying(attempt, AT_ONCE, ample, lambda *wait: told.append(wait))() == "catalog"
    assert (tries, told) == (["catalog"], [])


async def test_tries_go_on_until_one_succeeds():
    """Each wait is told with the try that failed, why, and how long it is."""
    first, second = failure(), failure()
    attempt, tries = attempts(first, second, "catalog")
    told = []
    assert await retrying(attempt, AT_ONCE, ample, lambda *wait: told.append(wait))() == "catalog"
    assert tries == [first, second, "catalog"]
    assert told == [(1, first, 0.0), (2, second, 0.0)]


async def test_the_sixth_failure_is_the_last():
    """After six tries the last failure is raised itself, and no wait is told after it."""
    failures = [failure() for _ in range(7)]
    attempt, tries = attempts(*failures)
    told = []
    with pytest.raises(TransientError) as last:
        await retrying(attempt, AT_ONCE, ample, lambda *wait: told.append(wait))()
    assert last.value is failures[5]
    assert tries == failures[:6]
    assert [number for number, _, _ in told] == [1, 2, 3, 4, 5]


async def test_a_wait_that_does_not_fit_raises_at_once():
    """The failure that asks for it is the one that is raised."""
    busy = failure(99999)
    attempt, tries = attempts(failure(), busy, "catalog")
    with pytest.raises(TransientError) as last:
        await retrying(attempt, AT_ONCE, ample, lambda *_: None)()
    assert last.value is busy
    assert len(tries) == 2


async def test_the_wait_told_is_the_wait_made(monkeypatch):
    """What is announced, a floor of the server's included, is what passes until the next try."""
    told, slept = [], []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    attempt, _ = attempts(failure(60), failure(7.5), failure(), "catalog")
    await retrying(attempt, AT_ONCE, ample, lambda *wait: told.append(wait))()
    assert [seconds for _, _, seconds in told] == slept == [60, 7.5, 0]


@pytest.mark.parametrize("error", [FinalError("no", "Stop"), KeyError("bug"), KeyboardInterrupt()])
async def test_whatever_else_is_raised_ends_the_tries_at_once(error):
    """Only a TransientError is worth another try."""
    attempt, tries = attempts(error)
    told = []
    with pytest.raises(type(error)) as raised:
        await retrying(attempt, AT_ONCE, ample, lambda *wait: told.append(wait))()
    assert raised.value is error
    assert (tries, told) == ([error], [])


async def test_the_library_logs_nothing_of_its_own(caplog):
    """Whoever hears of the waits decides what is logged."""
    caplog.set_level(logging.DEBUG)
    attempt, _ = attempts(failure())
    with pytest.raises(TransientError):
        await retrying(attempt, AT_ONCE, ample, lambda *_: None)()
    assert [record for record in caplog.records if record.name.startswith("backoff")] == []


async def test_each_call_begins_anew():
    """The tries of one call are not counted against the next."""
    attempt, tries = attempts(failure())
    repeated = retrying(attempt, Limits(wait_caps_seconds=(0.0,)), ample, lambda *_: None)
    for _ in range(2):
        with pytest.raises(TransientError):
            await repeated()
    assert len(tries) == 4
