"""What was measured, as tables and sentences between the markers of the documents.

A marker is `<!-- benchmark NAME -->`, and `<!-- end -->` ends what is generated.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product, zip_longest
from operator import truediv
from pathlib import Path
from statistics import StatisticsError, mean, median

from benchmarks import picture
from benchmarks.measure import PROFILES
from benchmarks.results import STATES, Results, Run, lower_bound, typical
from devkit.package import PROJECT

README = PROJECT / "benchmarks" / "README.md"
PICTURE = README.with_name("timeline.svg")
DOCUMENTS = [README, *(PROJECT / n for n in ("README.md", "CHANGELOG.md", "docs/architecture.md"))]

_MB = 1_000_000
_CPU = "CPU time beyond the SDK's own, in parts of it"
_DLT = ("connector", "dlt", "dlt, six workers")
_GENERATIONS = {"connector": "3.0.0", "2.13.1": "2.13.1"}
_USED = ("s", "CPU s", "peak MB")
_MARKED = re.compile(r"(<!-- benchmark (\w+) -->).*?(<!-- end -->)", re.DOTALL)
Cell = str | float | None


def write(results: Results, folder: Path) -> list[Path]:
    """Write documents and picture; those of a quick check go into a separate folder."""
    texts = documents(results)
    if results.quick:
        texts = {folder / path.name: texts[path] for path in (README, PICTURE)}
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    return list(texts)


def documents(results: Results) -> dict[Path, str]:
    """Return the picture and the full text of each document that may have a generated part."""

    def generated(match: re.Match[str]) -> str:
        try:
            return match[1] + BLOCKS[match[2]](results) + match[3]
        except StatisticsError:  # there are no runs, as the section was skipped
            return f"{match[1]}\nNot measured.\n{match[3]}"

    texts = {path: _MARKED.sub(generated, path.read_text(encoding="utf-8")) for path in DOCUMENTS}
    return {**texts, PICTURE: picture.timeline(results)}


def _targets(results: Results) -> str:
    rows = [
        (what, "at most " + form.format(limit), form.format(value), ("no", "yes")[value <= limit])
        for what, form, limit, value in _bounded(results)
    ]
    return _table(("what", "target", "measured, worst case", "met"), rows)


def _bounded(results: Results) -> Iterator[tuple[str, str, float, float]]:
    """Yield what is bounded, its format, its limit, and its worst median over the cases."""

    def worst(state: str, name: str) -> float:
        return max(_figures(results, case, state)[name] for case in results.cases("latency"))

    ratio, wait = "connector ÷ lower bound", "after the slowest response"
    yield "initial sync ÷ lower bound", "{:.2f}", 1.15, worst("initial", ratio)
    yield f"unchanged sync, {wait}", "{:.2f} s", 0.30, worst("unchanged", wait)
    yield f"initial sync, {_CPU}", "{:.2f}", 0.20, worst("initial", _CPU)
    (item,) = results.of("process", variant="item")
    own = sum(item.parts[step] for step in ("decode", "flatten", "digest"))
    yield "decode, flatten and digest an item", "{:.1f} µs", 27, own
    own = _start(results, "import") - _start(results, "SDK")
    yield "import of `connector`", "{:.2f} s", 0.20, own
    if envelope := results.of("envelope"):
        peak = max(run.peak_bytes for run in envelope) / _MB
        yield "peak memory with half a CPU and 1 GB", "{:.0f} MB", 450, peak
    for state, row, limit in zip(STATES, _dlt_rows(results), (1.15, 0.55), strict=False):
        yield f"{state} sync as a whole process ÷ dlt with six workers", "{:.2f}", limit, row[-1]


def _figures(results: Results, case: str, state: str) -> dict[str, float]:
    """Return the medians of a case, and of the ratios of its runs."""
    runs = [
        (run, alone, max(download.arrived.values()), lower_bound(download, alone))
        for run in results.of("latency", variant="connector", case=case, state=state)
        for download in results.like(run, "download")
        for alone in results.like(run, "sdk alone")
    ]
    figures = {
        "slowest response": [slowest for *_, slowest, _ in runs],
        "SDK alone": [alone.seconds for _, alone, *_ in runs],
        "lower bound": [bound for *_, bound in runs],
        "connector": [run.seconds for run, *_ in runs],
        "connector ÷ lower bound": [run.seconds / bound for run, *_, bound in runs],
        "after the slowest response": [run.seconds - slowest for run, _, slowest, _ in runs],
        _CPU: [run.cpu_seconds / alone.cpu_seconds - 1 for run, alone, *_ in runs],
    }
    for variant in ("threads", "sequential"):
        peers = results.of("latency", variant=variant, case=case, state=state)
        figures[variant] = [run.seconds for run in peers]
    return {name: median(values) for name, values in figures.items() if values}


def _latency(results: Results) -> str:
    cases = [(case, state) for case in results.cases("latency") for state in STATES]
    figures = [_figures(results, *case) for case in cases]
    names = [name for name in figures[0] if name != _CPU]
    rows = [(*case, *map(each.get, names)) for case, each in zip(cases, figures, strict=True)]
    return _table(("responses after", "sync", *names), rows)


def _growth(results: Results) -> str:
    header = ["operations", "size", "items", "rows", "JSON, MB"]
    header += _headings(STATES[:2], ("ms", "CPU ms", "MB"))
    rows: list[list[Cell]] = []
    for variant, words in (("connector", "into DuckDB"), ("own", "dropped")):
        for case in results.cases("growth"):
            runs = results.of("growth", case=case, variant=variant)
            items, total_bytes, written = (runs[0].parts[n] for n in ("items", "bytes", "rows"))
            row: list[Cell] = [words, case, f"{items:,.0f}", f"{written:,.0f}", total_bytes / _MB]
            for run in runs:
                megabytes = (run.peak_bytes - run.before_bytes) / _MB
                used = (1000 * run.seconds, 1000 * run.cpu_seconds, megabytes)
                row += [1000 * each / items for each in used]
            rows.append(row)
    return _table(header, rows)


def _process(results: Results) -> str:
    python, sdk, imported, whole = (
        _start(results, variant) for variant in ("Python", "SDK", "import", "connector")
    )
    alone, cached, synced = (
        typical(results.of("process", variant=variant))
        for variant in ("sdk alone", "names cached", "connector")
    )
    each = [run.checkpoint_seconds for run in results.of("process", variant="sdk alone")]
    checkpoints = f"seven checkpoints, {min(map(min, each)):.2f} to {max(map(max, each)):.2f}"
    rows = [
        (f"start of Python, {python:.2f} s, and import of the SDK", "SDK", sdk),
        ("import of `connector`", "connector", imported - sdk),
        ("`update()`: the SDK's operations", "SDK", alone),
        (f"of it {checkpoints} s each", "SDK", mean(map(sum, each))),
        ("of it the conversion of column names", "SDK", alone - cached),
        ("`update()`: the rest", "connector", synced - alone),
        ("preparation and end", "SDK, benchmark", whole - synced - imported),
    ]
    return _table(("part", "of", "seconds"), rows)


def _start(results: Results, variant: str) -> float:
    return typical(results.of("process", variant=variant), "process_seconds")


def _item(results: Results) -> str:
    (run,) = results.of("process", variant="item")
    return _table(list(run.parts), [list(run.parts.values())])


def _generations(results: Results) -> str:
    rows = [
        [state, *_used(results.of("generations", variant=v, state=state) for v in _GENERATIONS)]
        for state in STATES
    ]
    return _table(["sync", *_headings(_GENERATIONS.values(), _USED)], rows)


def _envelope(results: Results) -> str:
    rows = [
        [case, "failed" if runs[0].error else "complete", *_used([run] for run in runs)]
        for case in results.cases("envelope")
        for runs in [results.of("envelope", case=case)]
    ]
    return _table(["catalogs", "initial sync", *_headings(STATES[:2], _USED)], rows)


def _headings(groups: Iterable[str], units: Iterable[str]) -> list[str]:
    return [f"{group}, {unit}" for group, unit in product(groups, units)]


def _used(groups: Iterable[list[Run]]) -> list[Cell]:
    units = {"seconds": 1, "cpu_seconds": 1, "peak_bytes": _MB}
    return [typical(runs, field) / unit for runs in groups for field, unit in units.items()]


def _dlt(results: Results) -> str:
    header = ("sync", *_DLT, *(f"connector ÷ {variant}" for variant in _DLT[1:]))
    return _table(
        header, ([state, *row] for state, row in zip(STATES, _dlt_rows(results), strict=False))
    )


def _dlt_rows(results: Results) -> Iterator[list[float]]:
    for state in STATES[:2] if results.of("dlt") else ():
        runs = [results.of("dlt", variant=variant, state=state) for variant in _DLT]
        own, *peers = seconds = [[run.process_seconds for run in each] for each in runs]
        yield [median(each) for each in (*seconds, *(map(truediv, own, peer) for peer in peers))]


def _machine(results: Results) -> str:
    versions = "; ".join(f"{name}: {text}" for name, text in results.machine.items())
    started = "; ".join(f"{section} {text}" for section, text in results.conditions.items())
    text = f"{versions}. Date and load average at the start: {started}."
    return _filled(text, "- ")


def _speed(results: Results) -> str:
    figures = [_figures(results, "realistic", state) for state in STATES[:2]]
    words = {
        "lower bound": "network and SDK alone, the lower bound",
        "connector": "this connector",
        "threads": "requests in threads, all rows written every time",
        "sequential": "one request after another, all rows written every time",
    }
    rows = [(words[name], *(f"{each[name]:.2f} s" for each in figures)) for name in words]
    return _table(("`realistic` profile", "initial sync", "unchanged sync"), rows)


def _speed_text(results: Results) -> str:
    number = len(results.of("latency", variant="connector", case="realistic", state="initial"))
    latency, initial = PROFILES["realistic"].values(), _figures(results, "realistic", "initial")
    equal = _figures(results, "1 s", "initial")
    order = "ahead" if equal["threads"] < equal["connector"] else "behind"
    return _filled(
        f"""Medians of {number} runs on {results.machine["processor"].split(" of ")[0]}. In the
        `realistic` profile responses take {min(latency)} to {max(latency)} s, longer for
        larger catalogs. The SDK alone needs {initial["SDK alone"]:.2f} s for the rows of an
        initial sync. If all responses take 1 s, threads are {order} on an initial sync:
        {equal["threads"]:.2f} s, and {equal["connector"]:.2f} s for the connector."""
    )


_WRITERS = (_targets, _latency, _growth, _process, _item, _generations, _envelope, _dlt)
BLOCKS: Mapping[str, Callable[[Results], str]] = {
    function.__name__.strip("_"): function
    for function in (*_WRITERS, _machine, _speed, _speed_text)
}


def _filled(text: str, bullet: str = "") -> str:
    words, indent = " ".join(text.split()), " " * len(bullet)
    return f"\n{textwrap.fill(words, 99, initial_indent=bullet, subsequent_indent=indent)}\n"


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
