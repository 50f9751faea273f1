"""The benchmark runs: each variant syncs in its own process and writes the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measure import benching
from endpoints import ENDPOINTS
from mock_api.catalog import catalog

NAMES = [endpoint.name for endpoint in ENDPOINTS]
VARIANTS = ["connector", "sdk alone", "names cached", "threads", "sequential", "download"]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads memory as Linux shows it"
)


def test_each_variant_is_measured_at_a_small_size():
    """The rows are compared by `round`; each run has times for the endpoints, in replay order."""
    with benching() as bench:
        bench.served = (0, 1)
        bench.server.serve(catalog(scale=0.02))
        runs = {run.variant: run for run in bench.round(0, "initial", VARIANTS)}
        runs["own"] = bench.sync("own")
    assert list(runs) == [*VARIANTS, "own"]
    for variant, run in runs.items():
        assert list(run.written) == ([] if variant == "download" else NAMES)
        if variant not in ("sdk alone", "names cached"):
            assert sorted(run.arrived) == sorted(NAMES)
