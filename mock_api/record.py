"""Record the requests that the mock server receives, in order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Condition
from typing import NamedTuple


class Arrived(NamedTuple):
    """A request: its headers, and the endpoint's name or, if there is none, the path."""

    endpoint_name: str
    headers: dict[str, str]


class Requests:
    """A record that one thread writes and any thread may read."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._changed = Condition()

    @property
    def endpoint_names(self) -> list[str]:
        """The endpoint of each request."""
        return [request.endpoint_name for request in self.arrived]

    def wait_until(
        self, reached: Callable[[Requests], bool], timeout_seconds: float = 10.0
    ) -> None:
        """Block until `reached` returns true for the record; raise TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: reached(self), timeout_seconds):
                raise TimeoutError(f"only {self.endpoint_names} arrived, {self.in_flight} open")

    def clear(self) -> None:
        """Delete all requests, but not the number of those in flight."""
        with self._changed:
            self.arrived = []
            self.most_in_flight = self.in_flight

    @contextmanager
    def recording(self, endpoint_name: str, headers: Mapping[str, str]) -> Iterator[None]:
        """Record a request, in flight until the end of the block."""
        with self._changed:
            self.arrived.append(Arrived(endpoint_name, dict(headers)))
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.in_flight -= 1
                self._changed.notify_all()
