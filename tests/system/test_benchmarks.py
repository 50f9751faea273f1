"""The benchmark runs: each variant syncs in its own process and writes the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measure import benching
from endpoints import ENDPOINTS

NAMES = [endpoint.name for endpoint in ENDPOINTS]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_each_variant_leaves_the_same_rows_and_has_times_for_each_endpoint_in_replay_order():
    variants = ["connector", "sdk alone", "threads", "sequential", "download"]
    with benching(quick=True) as bench:
        runs = list(bench.round("initial", variants, scale=0.02))
        runs += bench.round("changed", ["connector", "sdk alone"], scale=0.1)
    assert [run.variant for run in runs] == [*variants, "connector", "sdk alone"]
    for run in runs:
        assert list(run.written) == ([] if run.variant == "download" else NAMES)
        if run.variant != "sdk alone":
            assert sorted(run.arrived) == sorted(NAMES)
        assert 0 < run.seconds < run.process_seconds
