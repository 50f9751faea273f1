"""Measure, and write the results into the documents: `python -m benchmarks.measure --help`.

Each section yields its runs, one process after another.
"""

from __future__ import annotations

import argparse
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
from datetime import datetime, timezone
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import report
from benchmarks.results import Results, Run, load, lower_bound, save
from devkit import sdk
from devkit.package import PROJECT
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import Server, serving

_STATES = ("initial", "unchanged", "changed")
_DLT = PROJECT / ".venv-grpc" / "dlt"  # exists if dlt is installed there
_WRITE_ALL = ("connector", "sdk alone", "threads", "sequential")  # into DuckDB, by the SDK
_NAMES = [endpoint.name for endpoint in ENDPOINTS]
# Seconds until each endpoint responds; in the realistic profile, the larger the body, the later.
_PROFILES = {
    **{f"{seconds:g} s": dict.fromkeys(_NAMES, seconds) for seconds in (0, 0.3, 1, 3)},
    "realistic": dict(zip(_NAMES, (0.2, 0.5, 0.5, 0.2, 0.4, 1.4), strict=True)),
}


@dataclass
class Bench:
    """A mock server, a scratch folder, and the processes that sync from one into the other."""

    server: Server
    latency_seconds: dict[str, float]
    folder: Path
    quick: bool

    def sync(self, variant: str, case: str, state: str, *prefix: str) -> Run:
        """Sync by one variant into its own folder, which is emptied before an initial sync.

        The `prefix` precedes the command of a service.
        """
        if state == "initial":
            shutil.rmtree(self.folder / variant, ignore_errors=True)
        module = {"dlt": "dlt_pipeline", "2.13.1": "grpc_service"}.get(variant, "worker")
        python = sys.executable if module == "worker" else sdk.GRPC_PYTHON
        command = [python, "-m", f"benchmarks.{module}", variant, self.folder / variant]
        command += [self.server.base_url, self.server.token, *prefix]
        variables = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        variables.pop("PYTHONDONTWRITEBYTECODE", None)  # each start would compile every module
        started = time.perf_counter()
        output = subprocess.check_output(command, cwd=PROJECT, env=variables, timeout=600)
        run = msgspec.json.decode(output, type=Run)
        run.variant, run.case, run.state = variant, case, state
        run.process_seconds = time.perf_counter() - started
        return run

    def round(
        self, state: str, variants: Sequence[str], case: str = "0 s", scale: float = 1
    ) -> Iterator[Run]:
        """Sync by several variants in a latency profile; raise RuntimeError if rows differ."""
        self.latency_seconds.update(_PROFILES[case])
        self.server.serve(catalog(int(state == "changed"), scale))
        for variant in variants:
            yield self.sync(variant, case, state)
        rows = {each: sdk.counts(self.folder / each) for each in variants if each in _WRITE_ALL}
        if any(each != rows["connector"] for each in rows.values()):
            raise RuntimeError(f"the variants left different rows: {rows}")


@contextmanager
def benching(*, quick: bool) -> Iterator[Bench]:
    """Run a mock server, and create a scratch folder, until the end of the block."""
    latency = dict.fromkeys(_NAMES, 0.0)
    with tempfile.TemporaryDirectory() as folder, serving({}, latency_seconds=latency) as server:
        yield Bench(server, latency, Path(folder), quick)


def machine() -> str:
    """Describe the machine, Python and the packages that take part."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name")[2]
    cores = f"{os.cpu_count()} cores of {cpu.partition(':')[2].splitlines()[0].strip()}"
    packages = ("fivetran-connector-sdk", "duckdb", "aiohttp", "msgspec", "requests")
    versions = ("Python", platform.python_version()), *((each, version(each)) for each in packages)
    return "; ".join([cores, *map(" ".join, versions)])


def latency(bench: Bench) -> Iterator[Run]:
    """Sync in each latency profile, by all variants, one right after another."""
    runs, cases = (1, ("1 s", "realistic")) if bench.quick else (3, tuple(_PROFILES))
    for number, case, state in product(range(runs), cases, _STATES):
        variants = ["download", "sdk alone", "connector"]
        # The other two handle every catalog alike, and take most of the time where responses do.
        if state != "changed" and (case != "3 s" or (state, number) == ("initial", 0)):
            variants += ["threads", "sequential"]
        download = Run()
        for run in bench.round(state, variants, case):
            yield run
            if run.variant == "download":
                download = run
            elif run.variant == "sdk alone":
                bound = lower_bound(download, run)
                yield Run(case=case, state=state, variant="lower bound", seconds=bound)


def growth(bench: Bench) -> Iterator[Run]:
    """Sync catalogs of each size."""
    for scale, state in product((1, 2) if bench.quick else (1, 3, 10), _STATES[:2]):
        for run in bench.round(state, ["sdk alone", "connector"], scale=scale):
            run.case = f"{scale} times real size"
            yield run


def dlt(bench: Bench) -> Iterator[Run]:
    """Sync with the connector and with dlt, each as a whole process."""
    runs = (1 if bench.quick else 3) if _DLT.exists() else 0
    for _, state in product(range(runs), _STATES[:2]):
        yield from bench.round(state, ["connector", "dlt"], "1 s")


def production(bench: Bench) -> Iterator[Run]:
    """Sync through the gRPC service, which has half a CPU and 1 GB, as in production."""
    item = b'{"id":"%06d","title":"' + b"A long title " * 150 + b'","chapters":[{"id":"1"}]}'
    body = b"[%s]" % b",".join(item % n for n in range(32 * 1024 * 1024 // (len(item % 0) + 1)))
    scales = (1, 2) if bench.quick else (1, 10)
    sizes: dict[str, Any] = {f"{scale} times real size": catalog(0, scale) for scale in scales}
    sizes["six catalogs of 32 MiB, the most that is read"] = dict.fromkeys(_NAMES, body)
    with _half_a_cpu() as prefix:
        for case, bodies in sizes.items() if prefix else ():
            bench.server.serve(bodies)
            for state in _STATES[:2]:
                yield bench.sync("2.13.1", case, state, *prefix)


_QUOTAS = (
    (Path("/sys/fs/cgroup"), {"cpu.max": "50000 100000"}),  # version 2 of control groups
    (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}),
)
# The limit is on memory that the process can write and shares with no other, which is more than
# what is resident: the stacks of its threads count whole.
_LIMITED = 'echo $$ > "$0" && ulimit -d 1000000 && exec "$@"'


@contextmanager
def _half_a_cpu() -> Iterator[list[str]]:
    """Yield the words before a command that limit it; none if this is not root on Linux."""
    for root, quota in _QUOTAS:
        if os.access(root / "cgroup.procs", os.W_OK):
            group = root / f"benchmark-{os.getpid()}"
            group.mkdir()
            try:
                for name, value in quota.items():
                    (group / name).write_text(value, encoding="ascii")
                yield ["sh", "-c", _LIMITED, str(group / "cgroup.procs")]
            finally:
                group.rmdir()
            return
    yield []


SECTIONS: dict[str, Callable[[Bench], Iterator[Run]]] = {
    section.__name__: section for section in (latency, growth, production, dlt)
}


def main() -> None:
    """Run what the command line names; a section replaces only its own part of the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measure")
    choices = ("all", "report", *SECTIONS)
    parser.add_argument("section", nargs="?", default="all", choices=choices)
    parser.add_argument("--quick", action="store_true", help="measure a part once, into .bench")
    options = parser.parse_args()
    folder = PROJECT / (".bench" if options.quick else "benchmarks")
    path = folder / "results.json"
    results = Results("", {}, []) if options.section == "all" else load(path)
    for section in SECTIONS if options.section == "all" else {options.section} & SECTIONS.keys():
        start = f"{datetime.now(timezone.utc):%Y-%m-%d}, load average {os.getloadavg()[0]:.2f}"
        results.machine, results.conditions[section] = machine(), start
        results.runs = [run for run in results.runs if run.section != section]
        with benching(quick=options.quick) as bench:
            for run in SECTIONS[section](bench):
                run.section = section
                results.runs.append(run)
                what = f"{section:10} {run.case:26} {run.state:9} {run.variant:11}"
                print(f"{what} {run.process_seconds or run.seconds:6.2f} s", file=sys.stderr)
    save(results, path)
    for document, text in report.documents(load(path)).items():  # rounded as they are saved
        (folder / document.name if options.quick else document).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
