"""What was measured, as tables and sentences between the markers of the documents.

A marker is `<!-- benchmark NAME -->`, and `<!-- end -->` ends what is generated.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from operator import truediv
from pathlib import Path
from statistics import StatisticsError, median
from typing import Any

from benchmarks import picture
from benchmarks.measure import PROFILES, PROJECT
from benchmarks.results import STATES, Results, Run, lower_bound, typical

README = PROJECT / "benchmarks" / "README.md"
PICTURE = "timeline.svg"
DOCUMENTS = [README, *(PROJECT / n for n in ("README.md", "CHANGELOG.md", "docs/architecture.md"))]

_MB = 1_000_000
_IMPORTS = ("SDK", "import")
_CPU = "CPU time beyond the SDK's own, in parts of it"
_DLT = ("connector", "dlt", "dlt, six workers")
_MARKED = re.compile(r"(<!-- benchmark (\w+) -->).*?(<!-- end -->)", re.DOTALL)
Cell = str | float | None


def write(results: Results, folder: Path) -> list[Path]:
    """Write documents and picture; those of a quick check go into a separate folder."""
    texts = documents(results)
    if results.quick:
        texts = {folder / README.name: texts[README]}
    texts[folder / PICTURE] = picture.timeline(results)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return list(texts)


def documents(results: Results) -> dict[Path, str]:
    """Return the full text of each document that has, or may have, a generated part."""

    def generated(match: re.Match[str]) -> str:
        try:
            text = BLOCKS[match[2]](results)
        except StatisticsError:  # there are no runs, as the section was skipped
            text = "\nNot measured.\n"
        return f"{match[1]}{text}{match[3]}"

    return {path: _MARKED.sub(generated, path.read_text(encoding="utf-8")) for path in DOCUMENTS}


def _targets(results: Results) -> str:
    rows = [
        (what, "at most " + form.format(limit), form.format(value), ("no", "yes")[value <= limit])
        for what, limit, value, form in targets(results)
    ]
    return _table(("what", "target", "measured, worst case", "met"), rows)


def targets(results: Results) -> Iterator[tuple[str, float, float, str]]:
    """Yield what is bounded, its limit, its worst median over the cases, and their format."""
    first, unchanged = (
        [_figures(results, case, state) for case in results.cases("latency")]
        for state in ("first", "unchanged")
    )
    worst = max(figures["connector ÷ lower bound"] for figures in first)
    yield "first sync ÷ lower bound", 1.10, worst, "{:.2f}"
    worst = max(figures["after the slowest response"] for figures in unchanged)
    yield "unchanged sync, after the slowest response", 0.15, worst, "{:.2f} s"
    worst = max(figures[_CPU] for figures in first)
    yield f"first sync, {_CPU}", 0.10, worst, "{:.2f}"
    (item,) = results.of("process", variant="item")
    own = sum(item.parts[step] for step in ("decode", "flatten", "digest"))
    yield "decode, flatten and digest an item", 27, own, "{:.0f} µs"
    sdk, own = (_whole(results.of("process", variant=variant)) for variant in _IMPORTS)
    yield "import of `connector`", 0.12, own - sdk, "{:.2f} s"
    if results.of("envelope"):
        peak = max(run.peak_bytes for run in results.of("envelope")) / _MB
        yield "peak memory with half a CPU and 1 GB", 600, peak, "{:.0f} MB"
    for (state, *_, ratio), limit in zip(_dlt_rows(results), (1.25, 0.65), strict=False):
        yield f"{state} sync as a whole process ÷ dlt with six workers", limit, ratio, "{:.2f}"


def _figures(results: Results, case: str, state: str) -> dict[str, float]:
    """Return the medians of a case, and of the ratios of its runs."""
    runs = [
        (run, download, alone, lower_bound(download, alone))
        for run in results.of("latency", variant="connector", case=case, state=state)
        for download in results.like(run, "download")
        for alone in results.like(run, "sdk alone")
    ]
    figures = {
        "slowest response": [max(download.arrived.values()) for _, download, *_ in runs],
        "SDK alone": [alone.seconds for *_, alone, _ in runs],
        "lower bound": [bound for *_, bound in runs],
        "connector": [run.seconds for run, *_ in runs],
        "connector ÷ lower bound": [run.seconds / bound for run, *_, bound in runs],
        "after the slowest response": [r.seconds - max(d.arrived.values()) for r, d, *_ in runs],
        _CPU: [r.cpu_seconds / a.cpu_seconds - 1 for r, _, a, _ in runs],
    }
    for variant in ("threads", "sequential"):
        peers = results.of("latency", variant=variant, case=case, state=state)
        figures[variant] = [run.seconds for run in peers]
    return {name: median(values) for name, values in figures.items() if values}


def _latency(results: Results) -> str:
    cases = [(case, state) for case in results.cases("latency") for state in STATES]
    figures = [_figures(results, case, state) for case, state in cases]
    names = [name for name in figures[0] if name != _CPU]
    rows = [(*case, *map(each.get, names)) for case, each in zip(cases, figures, strict=True)]
    return _table(("responses after", "sync", *names), rows)


def _growth(results: Results) -> str:
    header = ["operations", "size", "items", "rows", "JSON, MB"]
    header += [f"{state}, {x}" for state in ("first", "unchanged") for x in ("ms", "CPU ms", "MB")]
    rows: list[list[Cell]] = []
    for variant, words in (("connector", "into DuckDB"), ("own", "dropped")):
        for case in results.cases("growth"):
            runs = results.of("growth", case=case, variant=variant)
            size = runs[0].parts
            rows.append(
                [words, case, f"{size['items']:,.0f}", f"{size['rows']:,.0f}", size["bytes"] / _MB]
            )
            for run in runs:
                megabytes = (run.peak_bytes - run.before_bytes) / _MB
                used = (1000 * run.seconds, 1000 * run.cpu_seconds, megabytes)
                rows[-1] += [1000 * each / size["items"] for each in used]
    return _table(header, rows)


def _process(results: Results) -> str:
    alone, cached, synced, python, sdk, imported = (
        results.of("process", variant=variant)
        for variant in ("sdk alone", "names cached", "connector", "Python", *_IMPORTS)
    )
    starts = [_whole(runs) for runs in (python, sdk, imported, synced)]
    each = [seconds for run in alone for seconds in run.checkpoint_seconds]
    checkpoints = f"seven checkpoints, {min(each):.2f} to {max(each):.2f}"
    rows = [
        (f"start of Python, {starts[0]:.2f} s, and import of the SDK", "SDK", starts[1]),
        ("import of `connector`", "connector", starts[2] - starts[1]),
        ("`update()`: the SDK's operations", "SDK", typical(alone)),
        (f"of it {checkpoints} s each", "SDK", sum(each) / len(alone)),
        ("of it the conversion of column names", "SDK", typical(alone) - typical(cached)),
        ("`update()`: the rest", "connector", typical(synced) - typical(alone)),
        ("preparation and end", "SDK, benchmark", starts[3] - typical(synced) - starts[2]),
    ]
    return _table(("part", "of", "seconds"), rows)


def _whole(runs: list[Run]) -> float:
    return typical(runs, lambda run: run.process_seconds)


def _item(results: Results) -> str:
    (run,) = results.of("process", variant="item")
    return _table(list(run.parts), [list(run.parts.values())])


def _generations(results: Results) -> str:
    header = ["sync"]
    header += [f"{sdk}, {x}" for sdk in ("3.0.0", "2.13.1") for x in ("s", "CPU s", "peak MB")]
    rows: list[list[Cell]] = [[state] for state in STATES]
    for row, state in zip(rows, STATES, strict=True):
        for variant in ("connector", "2.13.1"):
            row.extend(_used(results.of("generations", variant=variant, state=state)))
    return _table(header, rows)


def _envelope(results: Results) -> str:
    header = ["catalogs", "first sync"]
    header += [f"{state}, {x}" for state in STATES[:2] for x in ("s", "CPU s", "peak MB")]
    rows: list[list[Cell]] = []
    for case in results.cases("envelope"):
        runs = results.of("envelope", case=case)
        used = [cell for run in runs for cell in _used([run])]
        rows.append([case, "failed" if runs[0].error else "complete", *used])
    return _table(header, rows)


def _used(runs: list[Run]) -> Sequence[Cell]:
    """Return seconds, CPU seconds and peak memory in MB."""
    peak = typical(runs, lambda run: run.peak_bytes) / _MB
    return (typical(runs), typical(runs, lambda run: run.cpu_seconds), peak)


def _dlt(results: Results) -> str:
    header = ("sync", *_DLT, *(f"connector ÷ {variant}" for variant in _DLT[1:]))
    return _table(header, _dlt_rows(results))


def _dlt_rows(results: Results) -> Iterator[list[Any]]:
    for state in ("first", "unchanged") if results.of("dlt") else ():
        runs = [results.of("dlt", variant=variant, state=state) for variant in _DLT]
        own, *peers = [[run.process_seconds for run in each] for each in runs]
        yield [state, *map(_whole, runs), *(median(map(truediv, own, peer)) for peer in peers)]


def _machine(results: Results) -> str:
    versions = "; ".join(f"{name}: {text}" for name, text in results.machine.items())
    started = "; ".join(f"{section} {text}" for section, text in results.conditions.items())
    text = f"- {versions}. Date and load average at the start: {started}."
    return f"\n{_filled(text)}"


def _speed(results: Results) -> str:
    first, unchanged = (_figures(results, "realistic", state) for state in STATES[:2])
    rows = [
        (words, f"{first[name]:.2f} s", f"{unchanged[name]:.2f} s")
        for name, words in (
            ("lower bound", "network and SDK alone, the lower bound"),
            ("connector", "this connector"),
            ("threads", "requests in threads, all rows written every time"),
            ("sequential", "one request after another, all rows written every time"),
        )
    ]
    return _table(("`realistic` profile", "first sync", "unchanged sync"), rows)


def _speed_text(results: Results) -> str:
    number = len(results.of("latency", variant="connector", case="realistic", state="first"))
    latency, first = PROFILES["realistic"].values(), _figures(results, "realistic", "first")
    equal = _figures(results, "1 s", "first")
    order = "ahead" if equal["threads"] < equal["connector"] else "behind"
    return "\n" + _filled(
        f"""Medians of {number} runs on {results.machine["processor"].split(" of ")[0]}. In the
        `realistic` profile responses take {min(latency)} to {max(latency)} s, the larger the
        longer. The SDK alone needs {first["SDK alone"]:.2f} s for the rows of a first sync. If all
        responses take 1 s, threads are {order} on a first sync: {equal["threads"]:.2f} s, and
        {equal["connector"]:.2f} s for the connector."""
    )


_WRITERS = (_targets, _latency, _growth, _process, _item, _generations, _envelope, _dlt)
BLOCKS: Mapping[str, Callable[[Results], str]] = {
    function.__name__.strip("_"): function
    for function in (*_WRITERS, _machine, _speed, _speed_text)
}


def _filled(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(" ".join(text.split()), 99, subsequent_indent=indent) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    lines = [header, ["---"] * len(header)]
    lines += [[_text(cell) for cell, _ in zip_longest(row, header)] for row in rows]
    if len(lines) == 2:
        raise StatisticsError("there are no rows")
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _text(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:.{2 if cell < 10 else 1 if cell < 100 else 0}f}"
    return cell or ""
