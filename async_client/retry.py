"""When to retry, after how long, and why not again.

`waits` decides without I/O; the backoff library does the waiting.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

import backoff

from async_client.errors import FetchError, FinalError, RateLimitError, TransientError
from async_client.limits import Limits

Result = TypeVar("Result")
SecondsLeft = Callable[[], float]
Draw = Callable[[float, float], float]


def waits(
    limits: Limits, seconds_left: SecondsLeft, draw: Draw = random.uniform
) -> Generator[float, Any, None]:
    """Yield the seconds to wait after each TransientError that is sent in.

    Full jitter spreads the retries of many clients, and a requested wait is its lower bound. After
    a rate limit, the wait is what the server requests, and the attempt does not count. Because of
    these two rules, backoff's own generators, jitter and `max_tries` do not suffice.

    Return once the attempts are used up; raise FinalError if the next wait exceeds the time left.
    """
    failure = yield 0.0  # backoff primes a wait generator before the first failure
    caps_seconds = iter(limits.wait_caps_seconds)
    while True:
        left = seconds_left()
        if isinstance(failure, RateLimitError):
            seconds = rate_limit_seconds(failure, limits, left)
        else:
            cap_seconds = next(caps_seconds, None)
            if cap_seconds is None:
                return
            seconds = max(draw(0.0, cap_seconds), failure.retry_after_seconds or 0.0)
        if seconds >= left:
            why = "no time is left for another attempt"
            requested = failure.retry_after_seconds
            if requested is not None and requested >= left:
                why = f"its Retry-After of {requested:.0f} s exceeds the time left for retries"
            raise FinalError(f"{failure.reason}; {why}", failure.advice)
        failure = yield seconds


def rate_limit_seconds(failure: RateLimitError, limits: Limits, seconds_left: float) -> float:
    """Return the wait that a rate limit requests; a reset beyond the time left counts as none."""
    seconds = failure.retry_after_seconds
    if seconds is None and (failure.reset_seconds or 0.0) < seconds_left:
        seconds = failure.reset_seconds
    if seconds is None:
        return limits.rate_limit_wait_seconds
    return max(seconds, limits.min_rate_limit_wait_seconds)


async def retrying(
    attempt: Callable[[], Awaitable[Result | FetchError]],
    limits: Limits,
    seconds_left: SecondsLeft,
    on_wait: Callable[[int, TransientError, float], None],
) -> Result | FetchError:
    """Repeat `attempt` while it returns a TransientError and `waits` allows another one.

    Return what it returned last, or the FinalError that says why there was no other attempt.
    `on_wait` gets the number of the failed attempt, its failure and the seconds until the next.
    Failures are values here: the traceback of an exception would keep the body that it is about.
    """
    repeated = backoff.on_predicate(
        lambda: waits(limits, seconds_left),
        lambda found: isinstance(found, TransientError),
        jitter=None,  # backoff's own would shorten a Retry-After
        on_backoff=lambda details: on_wait(details["tries"], details["value"], details["wait"]),
        logger=None,
    )(attempt)
    try:
        return await repeated()
    except FinalError as failure:
        return failure.with_traceback(None)
