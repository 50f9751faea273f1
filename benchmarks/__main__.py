"""Measure, and write the results into the documents: `python -m benchmarks [--quick] [SECTION]`.

A section replaces only its own part of the results; `report` measures nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timezone

from benchmarks import report
from benchmarks.measure import FULL, QUICK, SECTIONS, SkippedError, benching, machine
from benchmarks.results import Results, load, save
from devkit.package import PROJECT


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    choices, quick = ("all", "report", *SECTIONS), "measure a part once, into .bench, as a check"
    parser.add_argument("section", nargs="?", default="all", choices=choices)
    parser.add_argument("--quick", action="store_true", help=quick)
    options = parser.parse_args()
    folder = PROJECT / (".bench" if options.quick else "benchmarks")
    path, results = folder / "results.json", Results(options.quick, {}, {}, [])
    if options.section != "all":
        if not path.exists():
            sys.exit(f"There is no results.json in {folder.name}: measure all sections first.")
        results = load(path)
    if options.section != "report":
        for section in SECTIONS if options.section == "all" else [options.section]:
            _measure(section, results)
        save(results, path)
    for written in report.write(results, folder):
        print(written.relative_to(PROJECT))


def _measure(section: str, results: Results) -> None:
    """Replace the runs of a section; one that cannot be measured on this machine has none."""
    now, load_average = datetime.now(timezone.utc), os.getloadavg()[0]
    results.machine = machine()
    results.conditions[section] = f"{now:%Y-%m-%d}, {load_average:.2f}"
    results.runs = [run for run in results.runs if run.section != section]
    try:
        with benching() as bench:
            for run in SECTIONS[section](bench, QUICK if results.quick else FULL):
                run.section = section
                results.runs.append(run)
                what = f"{section:11} {run.case:28} {run.state:9} {run.variant:24}"
                print(f"{what} {run.process_seconds:6.2f} s", file=sys.stderr)
    except SkippedError as reason:
        print(f"{section}: skipped, {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
