"""The benchmark's README, all of it, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.pictures import LATENCY_FILE, TIMELINE_FILE
from benchmarks.profiles import COLD, PROFILES, STATES, TIMELINE_PROFILE, UNCHANGED
from benchmarks.results import (
    ALONE,
    CONNECTOR,
    DLT,
    DLT_SIX,
    SEQUENTIAL,
    THREADS,
    Cell,
    Growth,
    Results,
    Sample,
)
from benchmarks.targets import targets, to_bound
from benchmarks.words import METHOD, STEPS, blocks, prose, table

_MB = 1_000_000
_NOT_MEASURED = ""


def render(results: Results) -> str:
    """Give the whole text."""
    sections = (_heading, _targets, _latency, _growth, _costs, _dlt, _method, _machine, _repeat)
    return blocks(*(block for section in sections for block in section(results))) + "\n"


def _heading(results: Results) -> Iterator[str]:
    yield "# Benchmarks"
    if results.quick:
        yield "**This was a quick check: its numbers are no results.**"
    yield prose(
        f"""How long a sync takes, beside the time that network and SDK alone need, and beside
        what a user would write or install instead. Measured on {results.date} by `make bench`,
        which wrote this page and its pictures from [results.json](results.json)."""
    )
    yield f"![A first sync on a time axis, the connector's and a sequential one]({TIMELINE_FILE})"
    yield f"![Seconds by variant, of first syncs and of syncs without a change]({LATENCY_FILE})"


def _targets(results: Results) -> Iterator[str]:
    yield "## Targets"
    yield "Each is measured in the latency profile that is worst for it."
    rows = [
        (
            target.what,
            f"at most {target.pattern.format(target.limit)}",
            target.pattern.format(target.measured),
            "yes" if target.met else "no",
        )
        for target in targets(results)
    ]
    yield table(("what", "target", "measured", "met"), rows)


def _latency(results: Results) -> Iterator[str]:
    yield "## Latency"
    yield prose(
        f"""Seconds from the call of `update()` to its last checkpoint: medians, and medians of the
        ratios of each run. Every variant left the same {sum(results.rows.values()):,} rows in
        DuckDB, made of {results.body_bytes / _MB:.1f} MB of JSON. "Changed" is one revision later:
        of each catalog about 2 % of the items are changed, 1 % are gone and 1.5 % are new."""
    )
    header = (
        "answers after",
        "catalog",
        "runs",
        "slowest answer",
        "SDK alone",
        "bound",
        "connector",
        "connector ÷ bound",
        "threads",
        "sequential",
        "sequential ÷ connector",
    )
    cells = (results.cell(profile.name, state) for profile in PROFILES for state in STATES)
    yield table(header, [_latency_row(cell) for cell in cells if cell])
    latency = PROFILES[-1].latency_seconds
    yield prose(
        f"""In the {TIMELINE_PROFILE} profile the heavier endpoints answer later:
        {", ".join(f"{name} after {seconds:g} s" for name, seconds in latency.items())}."""
    )
    alone = median(run.seconds(ALONE) for cell in results.of_state(COLD) for run in cell.runs)
    yield prose(
        f"""To take, check and write the rows of a first sync, the SDK alone needs {alone:.2f} s,
        and whatever a connector does comes on top. What it can do is let that work overlap with
        the waiting, and write nothing that the destination has. The two baselines remember
        nothing: a sync without a change costs them what a first one does."""
    )


def _latency_row(cell: Cell) -> Sequence[str]:
    return (
        cell.profile,
        cell.state,
        _run_counts(cell),
        _seconds(median(run.slowest_answer for run in cell.runs)),
        _seconds(median(run.seconds(ALONE) for run in cell.runs)),
        _seconds(cell.bound),
        f"**{_seconds(cell.seconds(CONNECTOR))}**",
        f"{to_bound(cell):.2f}",
        _seconds(cell.seconds(THREADS)),
        _seconds(cell.seconds(SEQUENTIAL)),
        _seconds(cell.ratio(SEQUENTIAL, CONNECTOR)),
    )


def _run_counts(cell: Cell) -> str:
    runs, peer_runs = len(cell.runs), len(cell.with_variant(SEQUENTIAL))
    return str(runs) if peer_runs in (0, runs) else f"{runs}, baselines {peer_runs}"


def _growth(results: Results) -> Iterator[str]:
    yield "## Growth"
    yield prose(
        f"""Catalogs of 1 to {results.growth[-1].scale} times the real size, each synced once, all
        answers at once. Seconds, processor seconds and megabytes are **per 1,000 items**. Memory
        is the process's peak above what it had before `update()`. The SDK keeps the rows of an
        endpoint until its checkpoint."""
    )
    sync = ("seconds", "processor", "memory")
    header = ("scale", "items", "rows", "JSON", *(f"first, {x}" for x in sync))
    header = (*header, *(f"unchanged, {x}" for x in sync))
    yield table(header, [_whole_row(grown) for grown in results.growth])
    yield "The connector's own part, measured with operations that go nowhere:"
    header = (
        "scale",
        *(f"first, {x}" for x in sync),
        *(f"unchanged, {x}" for x in sync),
        "unchanged, memory ÷ JSON",
    )
    yield table(header, [_own_row(grown) for grown in results.growth])


def _whole_row(grown: Growth) -> Sequence[str]:
    return (
        str(grown.scale),
        f"{grown.items:,}",
        f"{grown.rows:,}",
        f"{grown.body_bytes / _MB:.1f} MB",
        *_per_1000_items(grown, grown.syncs[COLD]),
        *_per_1000_items(grown, grown.syncs[UNCHANGED]),
    )


def _own_row(grown: Growth) -> Sequence[str]:
    return (
        str(grown.scale),
        *_per_1000_items(grown, grown.own[COLD]),
        *_per_1000_items(grown, grown.own[UNCHANGED]),
        f"{grown.own[UNCHANGED].grown_bytes / grown.body_bytes:.1f}",
    )


def _per_1000_items(grown: Growth, sample: Sample) -> Sequence[str]:
    thousands = grown.items / 1000
    return (
        f"{sample.seconds / thousands:.3f}",
        f"{sample.cpu_seconds / thousands:.3f}",
        f"{sample.grown_bytes / _MB / thousands:.1f}",
    )


def _costs(results: Results) -> Iterator[str]:
    costs = results.costs
    yield "## An unchanged item, and the start"
    yield f"Per item, over all {costs.items:,} items with their children:"
    rows = [(STEPS[name], f"{value:.1f} µs") for name, value in costs.item_microseconds.items()]
    yield table(("step", "time"), rows)
    yield prose(
        f"""Importing the SDK takes {median(costs.sdk_import_seconds):.2f} s, and `connector` after
        it {median(costs.connector_import_seconds):.2f} s more."""
    )


def _dlt(results: Results) -> Iterator[str]:
    dlt = results.dlt
    if dlt is None:
        return
    yield "## Beside dlt"
    yield prose(
        f"""dlt {dlt.version} with its `rest_api` source, parallel extraction and the write
        disposition `replace`, into DuckDB too. Seconds of whole processes from start to end,
        medians of {len(dlt.runs)} runs, every answer after {dlt.latency_seconds:g} s; measured by
        `make bench-dlt` on {dlt.date}. As it comes, dlt extracts with five threads, so that the
        sixth endpoint waits for one of them; the last two columns give it six. dlt loads tables in
        bulk, the SDK takes row by row; dlt writes everything every time, the connector what
        changed."""
    )
    header = ("catalog", "connector", DLT, f"connector ÷ {DLT}", DLT_SIX, f"connector ÷ {DLT_SIX}")
    rows = [
        (
            state,
            f"**{dlt.seconds(CONNECTOR, state):.2f}**",
            f"{dlt.seconds(DLT, state):.2f}",
            f"{dlt.ratio(DLT, state):.2f}",
            f"{dlt.seconds(DLT_SIX, state):.2f}",
            f"{dlt.ratio(DLT_SIX, state):.2f}",
        )
        for state in (COLD, UNCHANGED)
    ]
    yield table(header, rows)


def _method(_: Results) -> Iterator[str]:
    yield METHOD


def _machine(results: Results) -> Iterator[str]:
    yield "## Machine"
    yield table(("what", "which"), list(results.machine.items()))


def _repeat(results: Results) -> Iterator[str]:
    yield "## Repeat it"
    yield prose(
        f"""On a quiet machine with Linux or macOS, `make bench` writes `results.json`, this page
        and its pictures; it took {results.minutes:.0f} minutes here. `make bench-dlt` adds the
        comparison with dlt, for which it installs dlt into `.venv-dlt`. For a check of a minute
        that writes into `.bench/` instead: `.venv/bin/python -m benchmarks --quick`."""
    )


def _seconds(value: float | None) -> str:
    return _NOT_MEASURED if value is None else f"{value:.2f}"
