"""Everything that `make bench` measures, in one go and with a progress bar."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from tqdm import tqdm

from benchmarks.costs import costs
from benchmarks.growth import growth
from benchmarks.growth import step_count as growth_step_count
from benchmarks.jobs import Workers, environment
from benchmarks.machine import machine
from benchmarks.profiles import COLD, Extent
from benchmarks.results import CONNECTOR, Results
from benchmarks.rounds import Bench, cells, record, rounds, step_count, timeline
from benchmarks.standin import standing_in


def measure(extent: Extent) -> Results:
    """Measure rounds, growth and costs."""
    started, described = time.monotonic(), machine()
    with benching(step_count(extent) + growth_step_count(extent) + 1) as bench:
        record(bench)
        spent = costs(bench.workers)
        measured = rounds(bench, extent)
        grown = growth(bench, extent)
    first = next(each for each in measured if each.state == COLD)
    return Results(
        date=today(),
        machine=described,
        quick=extent.quick,
        minutes=(time.monotonic() - started) / 60,
        body_bytes=first.outcomes[CONNECTOR].body_bytes,
        rows=first.rows,
        cells=cells(measured),
        timeline=timeline(measured),
        growth=grown,
        costs=spent,
    )


@contextmanager
def benching(steps: int) -> Iterator[Bench]:
    """Have a stand-in and a scratch folder for so many processes, and show how far it is."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as folder,
        tqdm(total=steps, unit="process") as bar,
    ):

        def tick(what: str) -> None:
            bar.set_description(f"{what:10}")
            bar.update()

        variables = environment(Path(folder) / "home")
        with standing_in(variables) as standin:
            yield Bench(Workers(variables, tick), standin, Path(folder))


def today() -> str:
    """Give the date, in UTC."""
    return datetime.now(timezone.utc).date().isoformat()
