"""The bound: when the last checkpoint could be done if nothing but network and SDK took time."""

from __future__ import annotations

from collections.abc import Sequence


def finish(arrivals: Sequence[float], alone_seconds: Sequence[float]) -> float:
    """Give the earliest end of a replay in order: no endpoint is written before it has arrived.

    Both are per endpoint in replay order: when its answer is complete, and how long the SDK by
    itself takes for its operations.
    """
    finished = 0.0
    for arrival, seconds in zip(arrivals, alone_seconds, strict=True):
        finished = max(finished, arrival) + seconds
    return finished
