"""Whether the connector is as fast as it shall be."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from benchmarks.profiles import COLD, UNCHANGED
from benchmarks.results import ALONE, CONNECTOR, DLT, Cell, Results


class Target(NamedTuple):
    """A limit, and what was measured; `pattern` writes either."""

    what: str
    limit: float
    measured: float
    pattern: str

    @property
    def met(self) -> bool:
        """Tell whether the limit is kept."""
        return self.measured <= self.limit


def targets(results: Results) -> Iterator[Target]:
    """Compare every target with the worst of the latency profiles."""
    cold, unchanged = results.of_state(COLD), results.of_state(UNCHANGED)
    yield Target("first sync, in times of the bound", 1.10, max(map(to_bound, cold)), "{:.2f}")
    late = max(map(after_slowest_answer, unchanged))
    yield Target("sync without a change, after the slowest answer", 0.35, late, "{:.2f} s")
    share = max(map(own_share, cold))
    yield Target("processor time of the connector, in parts of the SDK's", 0.25, share, "{:.0%}")
    steps = results.costs.item_microseconds
    item = sum(steps[name] for name in ("decode", "flatten", "digest"))
    yield Target("decoding, flattening and digesting an item", 30, item, "{:.0f} µs")
    seconds = median(results.costs.connector_import_seconds)
    yield Target("import of `connector`, over the SDK's own", 0.3, seconds, "{:.2f} s")
    if results.dlt:
        first, next_ = (results.dlt.ratio(DLT, state) for state in (COLD, UNCHANGED))
        yield Target("first sync as a whole process, in times of dlt's", 1.0, first, "{:.2f}")
        yield Target("one without a change, likewise", 0.6, next_, "{:.2f}")


def to_bound(cell: Cell) -> float:
    """Give how many times the bound the connector takes."""
    return median(run.seconds(CONNECTOR) / run.bound for run in cell.runs)


def after_slowest_answer(cell: Cell) -> float:
    """Give the seconds that the connector takes once all answers are complete."""
    return median(run.seconds(CONNECTOR) - run.slowest_answer for run in cell.runs)


def own_share(cell: Cell) -> float:
    """Give the processor time that the SDK does not need alone, in parts of what it needs."""
    return median(
        run.samples[CONNECTOR].cpu_seconds / run.samples[ALONE].cpu_seconds - 1
        for run in cell.runs
    )
