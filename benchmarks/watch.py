"""When things happen in a sync, without a line of measurement in the connector."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from async_client import Catalog, CatalogFetched
from benchmarks.results import DOWNLOAD, REPLAY, Sample, Span
from benchmarks.sinks import Row, Sink
from changes import Outcome, Snapshot
from endpoints import Endpoint

Text = TypeVar("Text")


class Watch:
    """Stands in for the SDK's operations, hands them on, and notes when what happened.

    Rows go straight to the sink's own functions; only checkpoints are timed, of which there are
    seven. A replay is over with the checkpoint that follows it.
    """

    def __init__(self, sink: Sink) -> None:
        self.upsert = sink.upsert
        self.delete = sink.delete
        self.truncate = sink.truncate
        self.warning = sink.warning
        self.body_bytes = 0
        self._checkpoint = sink.checkpoint
        self._spans: list[Span] = []
        self._replaying: tuple[str, float] | None = None
        self._started = self._finished = self._cpu_started = self._cpu_finished = 0.0
        self._before_bytes = 0

    def start(self) -> None:
        """Begin to measure: update() is about to be called."""
        self._before_bytes = _peak_bytes()
        self._cpu_started = time.process_time()
        self._started = time.perf_counter()

    def checkpoint(self, state: Row, /) -> None:
        """Hand a checkpoint on; the last one ends what is measured."""
        self._checkpoint(state)
        self._finished, self._cpu_finished = time.perf_counter(), time.process_time()
        if self._replaying:
            self.passed(REPLAY, *self._replaying)
            self._replaying = None

    def passed(self, kind: str, endpoint_name: str, started: float) -> None:
        """Note a span that ends now."""
        start, end = (at - self._started for at in (started, time.perf_counter()))
        self._spans.append(Span(endpoint_name, kind, start, end))

    def replays(self, endpoint_name: str) -> None:
        """Note that the endpoint's rows are about to be written."""
        self._replaying = (endpoint_name, time.perf_counter())

    def arriving(
        self, fetched: Callable[[CatalogFetched, str | None], Text]
    ) -> Callable[[CatalogFetched, str | None], Text]:
        """Note each arrival that the connector tells of."""

        def noted(arrival: CatalogFetched, waiting_for: str | None) -> Text:
            started = time.perf_counter() - arrival.catalog.seconds
            self.passed(DOWNLOAD, arrival.endpoint_name, started)
            self.body_bytes += arrival.catalog.byte_count
            return fetched(arrival, waiting_for)

        return noted

    def replaying(
        self, process: Callable[[Endpoint, Catalog, Snapshot | None], Outcome]
    ) -> Callable[[Endpoint, Catalog, Snapshot | None], Outcome]:
        """Note the beginning of each replay."""

        def noted(endpoint: Endpoint, catalog: Catalog, before: Snapshot | None) -> Outcome:
            self.replays(endpoint.name)
            return process(endpoint, catalog, before)

        return noted

    def sample(self) -> Sample:
        """Give what was measured from `start` to the last checkpoint."""
        return Sample(
            seconds=self._finished - self._started,
            cpu_seconds=self._cpu_finished - self._cpu_started,
            peak_bytes=_peak_bytes(),
            before_bytes=self._before_bytes,
        )

    def spans(self) -> list[Span]:
        """Give the spans in the order of their beginnings."""
        return sorted(self._spans, key=lambda span: span.start)


def _peak_bytes() -> int:
    """Give the largest resident size that this process has had."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
