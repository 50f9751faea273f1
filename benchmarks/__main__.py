"""Measure, and show what was measured: ``python -m benchmarks [measure|dlt|report] [--quick]``."""

# Measuring needs the SDK and `report` needs matplotlib, which are not installed side by side: the
# libraries that it brings must not be there when the SDK is measured.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.jobs import PROJECT
from benchmarks.profiles import RUNS, Extent
from benchmarks.results import Results, load, save

_FOLDER = PROJECT / "benchmarks"
_QUICK_FOLDER = PROJECT / ".bench"
_RESULTS = "results.json"


def main() -> int:
    """Run the command that the command line names; gives the exit status."""
    options = _options()
    folder = _QUICK_FOLDER if options.quick else _FOLDER
    extent = Extent(quick=options.quick, runs=1 if options.quick else options.runs)
    if options.command == "measure":
        return _measure(folder, extent)
    results = load(folder / _RESULTS)
    if results is None:
        print(f"There is no {_RESULTS} in {folder.name} yet: measure first.", file=sys.stderr)
        return 1
    return _dlt(folder, extent, results) if options.command == "dlt" else _report(folder, results)


def _measure(folder: Path, extent: Extent) -> int:
    from benchmarks.measure import measure

    earlier = load(folder / _RESULTS)
    results = measure(extent)
    results.dlt = earlier.dlt if earlier else None
    save(results, folder / _RESULTS)
    return 0


def _dlt(folder: Path, extent: Extent, results: Results) -> int:
    from benchmarks.dlt_peer import NotInstalledError, compare, install

    try:
        install()
    except NotInstalledError as error:
        print(f"Skipped: dlt cannot be installed here. {error}", file=sys.stderr)
        return 0
    results.dlt = compare(extent)
    save(results, folder / _RESULTS)
    return 0


def _report(folder: Path, results: Results) -> int:
    from benchmarks.pictures import draw
    from benchmarks.readme import render

    (folder / "README.md").write_text(render(results), encoding="utf-8")
    draw(results, folder)
    print(f"See {(folder / 'README.md').relative_to(PROJECT)}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        default="measure",
        choices=("measure", "dlt", "report"),
        help="measure syncs (the default), compare with dlt, or write README and pictures anew",
    )
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each kind (%(default)s)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"one run of a part, into {_QUICK_FOLDER.name}: a check, not a result",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
