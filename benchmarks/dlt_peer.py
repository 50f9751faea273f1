"""The connector beside dlt, each as a whole process from its start to its end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from benchmarks.jobs import PROJECT, Workers
from benchmarks.machine import machine
from benchmarks.measure import benching, today
from benchmarks.profiles import COLD, PROFILES, UNCHANGED, Extent
from benchmarks.results import CONNECTOR, DLT, DLT_SIX, Dlt
from benchmarks.rounds import Bench
from benchmarks.warehouse import check_same, dlt_rows, live_rows
from endpoints import ENDPOINTS

DLT_VERSION = "1.31.0"
PROFILE = PROFILES[2]

_VENV = PROJECT / ".venv-dlt"
_PYTHON = str(_VENV / "bin" / "python")
_INSTALLED = _VENV / f"installed-{DLT_VERSION}"
_STATES = (COLD, UNCHANGED)
_QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false"}
# As it comes, dlt extracts with five threads; there are six endpoints.
_VARIABLES = {DLT: _QUIET, DLT_SIX: {**_QUIET, "EXTRACT__WORKERS": str(len(ENDPOINTS))}}


class NotInstalledError(Exception):
    """dlt cannot be had here; the text says why."""


def install() -> None:
    """Put dlt and the SDK's release of DuckDB into an environment of their own."""
    if _INSTALLED.exists():
        return
    print(f"Installing dlt {DLT_VERSION} into {_VENV.name} ...", file=sys.stderr)
    packages = (f"dlt[duckdb]=={DLT_VERSION}", f"duckdb=={duckdb.__version__}")
    pip = [_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    for command in ([sys.executable, "-m", "venv", "--clear", str(_VENV)], pip):
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            raise NotInstalledError(done.stderr.strip()[-500:])
    _INSTALLED.touch()


def compare(extent: Extent) -> Dlt:
    """Measure both, each cold and unchanged, as often as `extent` says."""
    described = machine()
    with benching((1 + len(_VARIABLES)) * len(_STATES) * extent.runs) as bench:
        bench.standin.serve(PROFILE.latency_seconds)
        runs = [_run(bench) for _ in range(extent.runs)]
    latency = PROFILE.latency_seconds[ENDPOINTS[0].name]
    return Dlt(today(), described, DLT_VERSION, latency, runs)


def _run(bench: Bench) -> dict[str, dict[str, float]]:
    """Measure each variant in each state once; gives the seconds by variant and state."""
    seconds: dict[str, dict[str, float]] = {name: {} for name in (CONNECTOR, *_VARIABLES)}
    for state in _STATES:
        seconds[CONNECTOR][state] = bench.sync(CONNECTOR, CONNECTOR).sample.process_seconds
        rows = live_rows(bench.folder / CONNECTOR)
        for name in _VARIABLES:
            seconds[name][state] = _dlt_seconds(bench, name)
            check_same(name, dlt_rows(bench.folder / name), rows)
    for name in seconds:
        shutil.rmtree(bench.folder / name)
    return seconds


def _dlt_seconds(bench: Bench, name: str) -> float:
    folder = bench.folder / name
    folder.mkdir(exist_ok=True)
    workers = Workers({**bench.workers.environment, **_VARIABLES[name]}, bench.workers.tick)
    script = str(Path(__file__).with_name("dlt_pipeline.py"))
    paths = json.dumps({endpoint.name: endpoint.path for endpoint in ENDPOINTS})
    api = (bench.standin.base_url, bench.standin.token)
    started = time.perf_counter()
    workers.command(_PYTHON, script, *api, str(folder), paths)
    seconds = time.perf_counter() - started
    workers.tick(name)
    return seconds
