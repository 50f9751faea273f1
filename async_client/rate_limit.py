"""Take turns after a rate limit: which endpoint sends the next request, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class RateLimitQueue:
    """The endpoints that were rate-limited, each with the time at which it is due. No I/O.

    A rate limit holds for all endpoints, as they share the token and the address. Retried
    independently, they use up what the server allows, and one that allows a single request at a
    time rejects the others again and again. So one request of the queue is in flight at a time,
    the one that is due first, and a new rate limit postpones the whole queue. An endpoint that was
    never limited does not queue. Times are seconds of the caller's clock.
    """

    def __init__(self) -> None:
        self._limited: set[str] = set()
        self._due: dict[str, float] = {}  # in the order in which they joined
        self._in_flight: str | None = None

    def limit(self, endpoint_name: str, until: float) -> None:
        """Queue an endpoint that was limited; postpone it and all that are due earlier."""
        self._limited.add(endpoint_name)
        self._due.setdefault(endpoint_name, until)
        self._due = {name: max(due, until) for name, due in self._due.items()}

    def seconds_until_due(self, endpoint_name: str, now: float) -> float:
        """Return how long an endpoint has to wait at least."""
        if endpoint_name not in self._limited:
            return 0.0
        # An endpoint that comes back from a failure of another kind is due at once.
        return max(0.0, self._due.setdefault(endpoint_name, now) - now)

    def start(self, endpoint_name: str) -> bool:
        """Return whether it is the turn of an endpoint that is due, and record that it starts."""
        if endpoint_name not in self._limited:
            return True
        first = min(self._due, key=self._due.__getitem__)  # of equals, the first that joined
        if self._in_flight or first != endpoint_name:
            return False
        self._in_flight = endpoint_name
        return True

    def leave(self, endpoint_name: str) -> None:
        """Remove an endpoint whose request has ended; if it was limited, `limit` follows."""
        self._due.pop(endpoint_name, None)
        if self._in_flight == endpoint_name:
            self._in_flight = None


class Turns:
    """Lets endpoints wait for their turn in a RateLimitQueue."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._queue = RateLimitQueue()
        self._changed = asyncio.get_running_loop().create_future()

    def limit(self, endpoint_name: str, seconds: float) -> None:
        """Let no endpoint of the queue, this one included, send a request for so long."""
        self._queue.limit(endpoint_name, self._clock() + seconds)

    @asynccontextmanager
    async def turn(self, endpoint_name: str, ends: float) -> AsyncIterator[bool]:
        """Wait until an endpoint may send a request; yield False if that is not before `ends`."""
        try:
            yield await self._wait(endpoint_name, ends)
        finally:
            self._queue.leave(endpoint_name)
            self._changed.set_result(None)
            self._changed = asyncio.get_running_loop().create_future()

    async def _wait(self, endpoint_name: str, ends: float) -> bool:
        while (left := ends - self._clock()) > 0:
            seconds = self._queue.seconds_until_due(endpoint_name, self._clock())
            if seconds >= left:
                return False
            if seconds == 0 and self._queue.start(endpoint_name):
                return True
            # Unlike `wait_for` in Python 3.11 and older, `wait` never swallows a cancellation.
            await asyncio.wait([self._changed], timeout=seconds or left)
        return False
