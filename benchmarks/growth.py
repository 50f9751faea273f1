"""How a sync grows with the catalog: time, processor time and memory, and whose they are."""

from __future__ import annotations

import shutil

from benchmarks.profiles import COLD, UNCHANGED, Extent
from benchmarks.results import CONNECTOR, Growth
from benchmarks.rounds import Bench
from benchmarks.warehouse import live_rows
from endpoints import ENDPOINTS

_STATES = (COLD, UNCHANGED)


def step_count(extent: Extent) -> int:
    """Count the processes that `growth` starts."""
    return 2 * len(_STATES) * len(extent.scales)


def growth(bench: Bench, extent: Extent) -> list[Growth]:
    """Sync each size into DuckDB, then with operations that go nowhere; answers come at once."""
    return [_grown(bench, scale) for scale in extent.scales]


def _grown(bench: Bench, scale: int) -> Growth:
    at_once = {endpoint.name: 0.0 for endpoint in ENDPOINTS}
    bench.standin.serve(at_once, scale=scale)
    syncs = {state: bench.sync(CONNECTOR, "grown") for state in _STATES}
    own = {state: bench.sync(CONNECTOR, "own", nowhere=True) for state in _STATES}
    rows = live_rows(bench.folder / "grown")
    for name in ("grown", "own"):
        shutil.rmtree(bench.folder / name)
    return Growth(
        scale=scale,
        items=sum(rows[endpoint.table.name] for endpoint in ENDPOINTS),
        rows=sum(rows.values()),
        body_bytes=syncs[COLD].body_bytes,
        syncs={state: outcome.sample for state, outcome in syncs.items()},
        own={state: outcome.sample for state, outcome in own.items()},
    )
