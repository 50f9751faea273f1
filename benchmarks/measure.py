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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import msgspec

from async_client import Limits
from async_client.limits import MAX_VALUES
from benchmarks.results import STATES, Run
from devkit import sdk
from devkit.package import PROJECT
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import Server, serving

_PACKAGES = ("fivetran-connector-sdk", "duckdb", "aiohttp", "msgspec", "requests")
# What syncs by a variant: an environment and a module.
_DLT, _GRPC = (".venv-dlt", "benchmarks.dlt_pipeline"), (".venv-grpc", "benchmarks.grpc_service")
_SYNCS = {"dlt": _DLT, "dlt, six workers": _DLT, "2.13.1": _GRPC}


_NAMES = [endpoint.name for endpoint in ENDPOINTS]
# Seconds until each endpoint responds; in the realistic profile, the larger the body, the later.
PROFILES = {
    **{f"{seconds:g} s": dict.fromkeys(_NAMES, seconds) for seconds in (0, 0.3, 1, 3)},
    "realistic": dict(zip(_NAMES, (0.2, 0.5, 0.5, 0.2, 0.4, 1.4), strict=True)),
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

    def sync(self, variant: str, *prefix: str) -> Run:
        """Sync by one variant into its own folder; `prefix` precedes the command of a service."""
        environment, module = _SYNCS.get(variant, (sys.prefix, "benchmarks.worker"))
        python = PROJECT / environment / "bin" / "python"
        if not python.exists():
            raise SkippedError(f"there is no {environment}")
        arguments = (variant, str(self.folder / variant), self.server.base_url, self.server.token)
        output, seconds = timed(str(python), "-m", module, *arguments, *prefix)
        run = msgspec.json.decode(output, type=Run)
        run.variant, run.process_seconds = variant, seconds
        return run

    def round(
        self, number: int, state: str, variants: Sequence[str], profile: str = "0 s"
    ) -> Iterator[Run]:
        """Sync by several variants; raise RuntimeError if they do not leave the same rows.

        What was synced before is deleted at an initial sync.
        """
        if state == "initial":
            self.forget()
        self.serve(profile, revision=int(state == "changed"))
        for variant in variants:
            run = self.sync(variant)
            run.case, run.state, run.number = profile, state, number
            yield run
        expected = live_rows(self.folder / "connector")
        for variant in variants:
            rows = live_rows(self.folder / variant)
            if any(rows[table] != expected[table] for table in rows):
                raise RuntimeError(f"{variant} left {rows}, the connector {expected}")

    def forget(self) -> None:
        """Delete all that was synced."""
        for path in self.folder.iterdir():
            shutil.rmtree(path)


def live_rows(folder: Path) -> dict[str, int]:
    """Count the rows that are not deleted, by table; for dlt of the parents alone.

    dlt makes further columns and tables of child lists.
    """
    if folder.name.startswith("dlt"):
        with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
            tables = {e.table.name: connection.table(f"catalog.{e.name}") for e in ENDPOINTS}
            return {name: table.shape[0] for name, table in tables.items()}
    return sdk.counts(folder) if (folder / "files" / "warehouse.db").exists() else {}


def timed(*words: str) -> tuple[bytes, float]:
    """Run a command in the project's folder; return its output and its seconds."""
    local = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    local.pop("PYTHONDONTWRITEBYTECODE", None)  # every module would be compiled at each start
    started = time.perf_counter()
    done = subprocess.run(
        words, cwd=PROJECT, env=local, stdout=subprocess.PIPE, timeout=600, check=True
    )
    return done.stdout, time.perf_counter() - started


@contextmanager
def benching() -> Iterator[Bench]:
    """Run a mock server, and create a scratch folder, until the end of the block."""
    latency_seconds = dict.fromkeys(_NAMES, 0.0)
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
    for number, case, state in product(range(extent.runs), extent.profiles, STATES):
        variants = ["download", "sdk alone", "connector"]
        # The other two handle a changed catalog as an unchanged one, and where responses take
        # three seconds they take most of the time and show nothing new.
        if state != "changed" and (case != "3 s" or (state, number) == ("initial", 0)):
            variants += ["threads", "sequential"]
        yield from bench.round(number, state, variants, case)


def growth(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync catalogs of each size into DuckDB, then with operations that are dropped."""
    for scale in extent.scales:
        bench.forget()
        bench.serve(scale=scale)
        items = catalog(scale=scale)
        text = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
        size = {"items": sum(map(len, items.values())), "bytes": len(text.encode())}
        for variant, state in product(("connector", "own"), STATES[:2]):
            run = bench.sync(variant)
            rows = sum(live_rows(bench.folder / "connector").values())
            run.case, run.state, run.parts = str(scale), state, {**size, "rows": rows}
            yield run


# Each starts Python, and the later ones do more.
_STARTS = {"Python": "", "SDK": "import fivetran_connector_sdk", "import": "import connector"}


def process(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Measure the parts of an initial sync's process, and the steps of an item."""
    for number in range(extent.runs):
        for variant, code in _STARTS.items():
            _, seconds = timed(sys.executable, "-c", code)
            yield Run(variant=variant, number=number, process_seconds=seconds)
        yield from bench.round(number, "initial", ["sdk alone", "names cached", "connector"])
    steps, seconds = timed(sys.executable, "-m", "benchmarks.items")
    parts = msgspec.json.decode(steps, type=dict[str, float])
    yield Run(variant="item", process_seconds=seconds, parts=parts)


def generations(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync with both generations of the SDK."""
    for number, state in product(range(extent.runs), STATES):
        yield from bench.round(number, state, ["connector", "2.13.1"])


def dlt(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync with the connector and with dlt, each as a whole process."""
    for number, state in product(range(extent.runs), STATES[:2]):
        yield from bench.round(number, state, ["connector", "dlt", "dlt, six workers"], "1 s")


_QUOTAS = (
    (Path("/sys/fs/cgroup"), {"cpu.max": "50000 100000"}),  # version 2 of control groups
    (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}),
)
# The limit is on memory that the process can write and shares with no other, which is more than
# what is resident: the stacks of its threads count whole.
_LIMITED = 'echo $$ > "$0" && ulimit -d 1000000 && exec "$@"'


def envelope(bench: Bench, extent: Extent) -> Iterator[Run]:
    """Sync through the gRPC service, which has half a CPU and 1 GB, as in production."""
    most = extent.scales[-1]
    sizes = {"real size": catalog(), f"{most} times the real size": catalog(scale=most)}
    with _half_a_cpu() as processes:
        for case, bodies in {**sizes, **_at_the_bounds()}.items():
            bench.forget()
            bench.server.serve(bodies)
            for state in STATES[: 2 if case in sizes else 1]:
                run = bench.sync("2.13.1", "sh", "-c", _LIMITED, str(processes))
                run.case, run.state = case, state
                yield run


@contextmanager
def _half_a_cpu() -> Iterator[Path]:
    """Create a control group with half a CPU; yield the file that moves a process into it."""
    writable = [each for each in _QUOTAS if os.access(each[0] / "cgroup.procs", os.W_OK)]
    if not writable:
        raise SkippedError("a control group with a CPU quota needs Linux and root")
    root, quota = writable[0]
    group = root / f"benchmark-{os.getpid()}"
    group.mkdir()
    try:
        for name, value in quota.items():
            (group / name).write_text(value, encoding="ascii")
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


def _at_the_bounds() -> dict[str, dict[str, Any]]:
    """Return bodies that are as large, or have as many values, as is still read."""
    item = b'{"id":"%06d","title":"' + b"A long title " * 150 + b'","chapters":[{"id":"1"}]}'
    number = Limits().body_bytes // (len(item % 0) + 1)
    bodies = {
        "six catalogs of 32 MiB": b"[%s]" % b",".join(item % n for n in range(number)),
        "six lists of a million items": b"[%s1]" % (b"1," * MAX_VALUES),
        "six times as many objects as may be": b'{"data":[],"x":[%s{}]}'
        % (b'{"a":{}},' * (MAX_VALUES // 3 - 2)),
    }
    return {case: dict.fromkeys(_NAMES, body) for case, body in bodies.items()}


SECTIONS: dict[str, Callable[[Bench, Extent], Iterator[Run]]] = {
    section.__name__: section for section in (latency, growth, process, generations, envelope, dlt)
}
