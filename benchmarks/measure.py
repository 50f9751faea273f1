"""The sections of the benchmark: each yields its runs, one process after another."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

from async_client import Limits
from async_client.response import MOST_BODY_COMMAS
from benchmarks import sdk
from benchmarks.results import STATES, Run
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import Server, serving

PROJECT = Path(__file__).resolve().parent.parent
_GRPC_PYTHON = PROJECT / ".venv-grpc" / "bin" / "python"
_DLT_PYTHON = PROJECT / ".venv-dlt" / "bin" / "python"
_PACKAGES = ("fivetran-connector-sdk", "duckdb", "aiohttp", "msgspec", "requests")


def _all(seconds: float) -> dict[str, float]:
    return {endpoint.name: seconds for endpoint in ENDPOINTS}


# Seconds until each endpoint responds; realistic: the larger the body, the later.
PROFILES = {
    **{f"{seconds:g} s": _all(seconds) for seconds in (0, 0.3, 1, 3)},
    "realistic": {
        "custom_tracks": 0.2,
        "assessments": 0.2,
        "tracks": 0.4,
        "practices": 0.5,
        "projects": 0.5,
        "courses": 1.4,
    },
}


class Extent(NamedTuple):
    """How much is measured: runs, latency profiles, sizes in times of the real one."""

    runs: int
    profiles: tuple[str, ...]
    scales: tuple[int, ...]


FULL = Extent(5, tuple(PROFILES), (1, 3, 10))
QUICK = Extent(1, ("1 s", "realistic"), (1, 2))


class SkippedError(Exception):
    """A section cannot be measured on this machine; the text says why."""


@dataclass
class Bench:
    """A mock server, a scratch folder, and the processes that sync from one into the other."""

    server: Server
    latency_seconds: dict[str, float]
    folder: Path
    served: tuple[int, int] | None = None

    def serve(self, profile: str = "0 s", *, revision: int = 0, scale: int = 1) -> None:
        """Serve these catalogs from now on, each endpoint after its latency."""
        self.latency_seconds.update(PROFILES[profile])
        if self.served != (revision, scale):
            self.server.serve(catalog(revision, scale))
            self.served = (revision, scale)

    def sync(self, variant: str) -> Run:
        """Sync by one variant into a folder of its own."""
        return self._run(variant, sys.executable, "-m", "benchmarks.worker", variant)

    def grpc_sync(self, *prefix: str) -> Run:
        """Sync through the gRPC service, whose command begins with `prefix`."""
        if not _GRPC_PYTHON.exists():
            raise SkippedError("there is no .venv-grpc")
        module = (str(_GRPC_PYTHON), "-m", "benchmarks.grpc_service")
        return self._run("2.13.1", *module, after=prefix)

    def _run(self, variant: str, *words: str, after: tuple[str, ...] = ()) -> Run:
        api = (self.server.base_url, self.server.token)
        output, seconds = timed(*words, str(self.folder / variant), *api, *after)
        run = msgspec.json.decode(output, type=Run)
        run.variant, run.process_seconds = variant, seconds
        return run

    def forget(self) -> None:
        """Delete all that was synced."""
        for path in self.folder.iterdir():
            shutil.rmtree(path)


def timed(*words: str, **environment: str) -> tuple[bytes, float]:
    """Run a command in the project's folder; return its output and its seconds."""
    local = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "DO_NOT_TRACK": "1"}
    variables = {**os.environ, **local, **environment}
    pipe = subprocess.PIPE
    started = time.perf_counter()
    done = subprocess.run(
        words, cwd=PROJECT, env=variables, stdout=pipe, stderr=pipe, timeout=600, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        complaint = done.stderr.decode(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(words[:4])} failed: {complaint}")
    return done.stdout, seconds


@contextmanager
def benching() -> Iterator[Bench]:
    """Run a mock server, and create a scratch folder, until the end of the block."""
    latency_seconds = _all(0)
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        serving({}, latency_seconds=latency_seconds) as server,
    ):
        yield Bench(server, latency_seconds, Path(folder))


def machine() -> dict[str, str]:
    """Describe the machine, Python and the packages that take part."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name")[2]
    return {
        "processor": f"{os.cpu_count()} cores of {cpu.partition(':')[2].splitlines()[0].strip()}",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
    }


def latency(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync in each latency profile, by all variants, one right after another."""
    for number in range(extent.runs):
        for case in extent.profiles:
            for state in STATES:
                for run in _round(bench, case, state, number):
                    run.case, run.state, run.number = case, state, number
                    yield run
            bench.forget()


def _round(bench: Bench, case: str, state: str, number: int) -> Iterator[Run]:
    variants = ["connector"]
    # The baselines handle a changed catalog as an unchanged one, and where responses take three
    # seconds they take most of the time and show nothing new.
    if state != "changed" and (case != "3 s" or (state, number) == ("first", 0)):
        variants += ["threads", "sequential"]
    bench.serve(revision=int(state == "changed"))
    yield bench.sync("sdk alone")
    bench.serve(case, revision=int(state == "changed"))
    for variant in ("download", *variants):
        yield bench.sync(variant)
    for variant in variants:
        _check_rows(variant, sdk.live_rows(bench.folder / variant), bench)


def _check_rows(variant: str, rows: Mapping[str, int], bench: Bench) -> None:
    """Raise RuntimeError if a variant and the connector did not write the same rows."""
    expected = sdk.live_rows(bench.folder / "connector")
    if any(rows[table] != expected[table] for table in rows):
        raise RuntimeError(f"{variant} wrote {rows}, the connector {expected}")


def growth(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync catalogs of each size into DuckDB, then with operations that are dropped."""
    for scale in extent.scales:
        bench.serve(scale=scale)
        items = catalog(scale=scale)
        size = {
            "items": sum(map(len, items.values())),
            "bytes": sum(len(json.dumps(each, ensure_ascii=False)) for each in items.values()),
        }
        for variant in ("connector", "own"):
            for state in ("first", "unchanged"):
                run = bench.sync(variant)
                rows = sum(sdk.live_rows(bench.folder / "connector").values())
                run.case, run.state, run.parts = str(scale), state, {**size, "rows": rows}
                yield run
        bench.forget()


_TIMED_IMPORT = """
import time
started = time.perf_counter()
from fivetran_connector_sdk import ConfigurationForm, Connector, Logging, Operations, Test
from fivetran_connector_sdk import form_field
sdk = time.perf_counter()
import connector
print(sdk - started, time.perf_counter() - sdk)
"""


def process(_bench: Bench, extent: Extent) -> Iterator[Run]:
    """Start Python, import the SDK, then the connector; then measure the steps of an item."""
    for number in range(extent.runs):
        _, python_seconds = timed(sys.executable, "-c", "")
        output, seconds = timed(sys.executable, "-c", _TIMED_IMPORT)
        own_sdk, own = map(float, output.split())
        parts = {"Python": python_seconds, "SDK": own_sdk, "connector": own}
        yield Run(variant="start", number=number, process_seconds=seconds, parts=parts)
    steps, seconds = timed(sys.executable, "-m", "benchmarks.items")
    parts = msgspec.json.decode(steps, type=dict[str, float])
    yield Run(variant="item", process_seconds=seconds, parts=parts)


def sdk_alone(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Pass a first sync's operations to the SDK, as it is and with each name renamed once."""
    bench.serve()
    for number in range(extent.runs):
        for variant in ("sdk alone", "sdk alone, names cached", "connector"):
            run = bench.sync(variant)
            run.number, run.state = number, "first"
            yield run
        bench.forget()


def generations(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync with both generations of the SDK."""
    for number in range(extent.runs):
        for state in STATES:
            bench.serve(revision=int(state == "changed"))
            for run in (bench.sync("connector"), bench.grpc_sync()):
                run.number, run.state = number, state
                yield run
        bench.forget()


_QUOTAS = (
    (Path("/sys/fs/cgroup"), {"cpu.max": "50000 100000"}),  # version 2 of control groups
    (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}),
)
# The limit is on memory that the process can write and shares with no other, which is more than
# what is resident: the stacks of its threads count whole.
_LIMITED = 'echo $$ > "$0" && ulimit -d 1000000 && exec "$@"'


def envelope(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync through the gRPC service, which has half a CPU and 1 GB, as in production."""
    with _half_a_cpu() as processes:
        limited = ("sh", "-c", _LIMITED, str(processes))
        for scale in (1, extent.scales[-1]):
            bench.serve(scale=scale)
            for state in ("first", "unchanged"):
                run = bench.grpc_sync(*limited)
                run.case, run.state = f"{scale} times the real size", state
                yield run
            bench.forget()
        bench.served = None
        for case, body in _at_the_bounds().items():
            bench.server.serve({endpoint.name: body for endpoint in ENDPOINTS})  # type: ignore[misc]
            run = bench.grpc_sync(*limited)
            run.case, run.state = case, "first"
            yield run
            bench.forget()


@contextmanager
def _half_a_cpu() -> Iterator[Path]:
    """Create a control group with half a CPU; yield the file that moves a process into it."""
    for root, quota in _QUOTAS:
        if os.access(root / "cgroup.procs", os.W_OK):
            group = root / f"benchmark-{os.getpid()}"
            group.mkdir()
            try:
                for name, value in quota.items():
                    (group / name).write_text(value, encoding="ascii")
                yield group / "cgroup.procs"
            finally:
                group.rmdir()
            return
    raise SkippedError("a control group with a CPU quota needs Linux and root")


def _at_the_bounds() -> dict[str, bytes]:
    """Return bodies that are as large, or have as many values, as is still read."""
    item = b'{"id":"%06d","title":"' + b"A long title " * 150 + b'","chapters":[{"id":"1"}]}'
    number = Limits().body_bytes // (len(item % 0) + 1)
    objects = b'{"a":{}},' * (MOST_BODY_COMMAS - 1)
    return {
        "six catalogs of 32 MiB": b"[%s]" % b",".join(item % n for n in range(number)),
        "six lists of a million items": b"[%s1]" % (b"1," * MOST_BODY_COMMAS),
        "six times a million objects": b'{"data":[],"x":[%s{}]}' % objects,
    }


# By default dlt extracts with five threads, one fewer than there are endpoints.
_DLT_WORKERS = {"dlt": "5", "dlt, six workers": str(len(ENDPOINTS))}


def dlt(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync with the connector and with dlt, each as a whole process."""
    if not _DLT_PYTHON.exists():
        raise SkippedError("there is no .venv-dlt")
    bench.serve("1 s")
    for number in range(extent.runs):
        for state in ("first", "unchanged"):
            for run in (bench.sync("connector"), *(_dlt(bench, name) for name in _DLT_WORKERS)):
                run.case, run.state, run.number = "1 s", state, number
                yield run
        bench.forget()


def _dlt(bench: Bench, name: str) -> Run:
    folder = bench.folder / name
    folder.mkdir(exist_ok=True)
    script = str(PROJECT / "benchmarks" / "dlt_pipeline.py")
    paths = json.dumps({endpoint.name: endpoint.path for endpoint in ENDPOINTS})
    words = (script, bench.server.base_url, bench.server.token, str(folder), paths)
    options = {"RUNTIME__DLTHUB_TELEMETRY": "false", "EXTRACT__WORKERS": _DLT_WORKERS[name]}
    _, seconds = timed(str(_DLT_PYTHON), *words, **options)
    # dlt makes further columns and tables of child lists, so only the parents are compared.
    counts = sdk.count(folder / "warehouse.duckdb", "catalog", [e.name for e in ENDPOINTS])
    _check_rows(name, {e.table.name: counts[e.name] for e in ENDPOINTS}, bench)
    return Run(variant=name, process_seconds=seconds)


SECTIONS: dict[str, Callable[[Bench, Extent], Iterator[Run]]] = {
    "latency": latency,
    "growth": growth,
    "process": process,
    "sdk": sdk_alone,
    "generations": generations,
    "envelope": envelope,
    "dlt": dlt,
}
