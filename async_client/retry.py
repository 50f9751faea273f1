"""When to retry, and after how long: full jitter, with the server's requested wait as a floor.

`waits` decides without I/O; the backoff library does the waiting.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

import backoff

from async_client.errors import RateLimitError, TransientError
from async_client.limits import Limits

Result = TypeVar("Result")
Draw = Callable[[float, float], float]


def waits(
    limits: Limits, seconds_left: Callable[[], float], draw: Draw = random.uniform
) -> Generator[float, TransientError, None]:
    """Yield the seconds to wait after each failure that is sent in; return to end the attempts.

    They end when all are used or when the wait would exceed the time left. Full jitter spreads the
    retries of many clients; it never shortens a `Retry-After`.
    """
    failure = yield 0.0  # backoff primes a wait generator before the first failure
    for cap_seconds in limits.wait_caps_seconds:
        left = seconds_left()
        seconds = max(draw(0.0, cap_seconds), _floor_seconds(failure, limits, left))
        if seconds >= left:
            return
        failure = yield seconds


def _floor_seconds(failure: TransientError, limits: Limits, seconds_left: float) -> float:
    """Return the shortest wait; a reset beyond the time left counts as none."""
    if failure.retry_after_seconds is not None:
        return failure.retry_after_seconds
    if not isinstance(failure, RateLimitError):
        return 0.0
    if failure.reset_seconds is not None and failure.reset_seconds < seconds_left:
        return failure.reset_seconds
    return limits.rate_limit_wait_seconds


def retrying(
    attempt: Callable[[], Awaitable[Result]],
    limits: Limits,
    seconds_left: Callable[[], float],
    on_wait: Callable[[int, TransientError, float], None],
) -> Callable[[], Awaitable[Result]]:
    """Repeat `attempt` while it raises TransientError and `waits` allows another one.

    `on_wait` gets the number of the failed attempt, its failure and the seconds until the next.
    Raise the last TransientError, or at once anything else that `attempt` raises.
    """
    retry = backoff.on_exception(
        lambda: waits(limits, seconds_left),  # type: ignore[arg-type,return-value]
        TransientError,
        jitter=None,  # backoff's own would also shorten a Retry-After
        on_backoff=lambda details: on_wait(
            details["tries"], details["exception"], details["wait"]
        ),
        logger=None,
    )
    return retry(attempt)
