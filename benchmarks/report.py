"""What was measured, as tables between the markers of the documents.

A marker is `<!-- benchmark NAME -->`, and `<!-- end -->` ends what is generated.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from benchmarks import picture
from benchmarks.results import Results
from devkit.package import PROJECT

README = PROJECT / "benchmarks" / "README.md"
_MARKED = re.compile(r"(<!-- benchmark (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SYNCS = ("lower bound", "connector", "threads", "sequential")
# By section, the columns of its table: what is measured, of which variant, and in which unit. Each
# stands beside the physical one that it is compared with.
_TABLES: dict[str, dict[str, tuple[str, str, float]]] = {
    "latency": {
        "slowest response": ("download", "seconds", 1),
        **{name: (name, "seconds", 1) for name in _SYNCS},
    },
    "growth": {name: (name.lower(), "seconds", 1) for name in ("SDK alone", "connector")},
    "production": {
        "seconds": ("2.13.1", "seconds", 1),
        "CPU seconds": ("2.13.1", "cpu_seconds", 1),
        "peak MB": ("2.13.1", "peak_bytes", 1_000_000),
    },
    "dlt": {
        "dlt": ("dlt", "process_seconds", 1),
        "connector": ("connector", "process_seconds", 1),
    },
}


def documents(results: Results) -> dict[Path, str]:
    """Return the picture and the full text of each document that has a generated part."""

    def generated(match: re.Match[str]) -> str:
        text = _speed(results) if match[2] == "speed" else _table(results, match[2])
        return match[1] + text + match[3]

    texts = {README.with_name("timeline.svg"): picture.timeline(results)}
    for path in (PROJECT / "README.md", README):
        texts[path] = _MARKED.sub(generated, path.read_text(encoding="utf-8"))
    return texts


def _table(results: Results, section: str) -> str:
    """Return a row of medians for each case and state."""
    columns = _TABLES[section]
    lines = [["case", "sync", *columns], ["---"] * (2 + len(columns))]
    for case, state in dict.fromkeys((run.case, run.state) for run in results.of(section)):
        lines.append([case, state])
        for variant, field, unit in columns.values():
            value = results.median(section, case, state, variant, field)
            decimals = 2 if (value or 0) / unit < 100 else 0
            lines[-1].append("" if value is None else f"{value / unit:.{decimals}f}")
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _speed(results: Results) -> str:
    def seconds(state: str, variant: str) -> str:
        return f"{results.median('latency', 'realistic', state, variant) or 0:.2f} s"

    text = f"""If the slowest response takes {seconds("initial", "download")}, an initial
        sync takes {seconds("initial", "connector")} (the network and the SDK alone
        {seconds("initial", "lower bound")}) and an unchanged one
        {seconds("unchanged", "connector")}; one request after another, with every row written
        every time, {seconds("initial", "sequential")} and {seconds("unchanged", "sequential")}."""
    return textwrap.fill(" ".join(text.split()), 99) + "\n"
