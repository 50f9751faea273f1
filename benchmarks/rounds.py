"""Rounds: in each, all variants sync the same catalogs one right after another."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from benchmarks.arrivals import arrivals
from benchmarks.jobs import Job, Outcome, Workers
from benchmarks.profiles import CHANGED, COLD, STATES, TIMELINE_PROFILE, Extent, Profile
from benchmarks.results import ALONE, CONNECTOR, SEQUENTIAL, THREADS, Cell, Run, Timeline
from benchmarks.standin import Standin
from benchmarks.warehouse import check_same, live_rows

REVISIONS = {state: int(state == CHANGED) for state in STATES}
_PEERS = (SEQUENTIAL, THREADS)


@dataclass(frozen=True)
class Bench:
    """What measuring needs: processes, a stand-in for the API, and a folder to fill."""

    workers: Workers
    standin: Standin
    folder: Path

    def sync(
        self, variant: str, name: str, *, nowhere: bool = False, recording: str = ""
    ) -> Outcome:
        """Sync by one variant into the folder ``name``."""
        return self.workers.sync(
            Job(
                variant=variant,
                folder=str(self.folder / name),
                base_url=self.standin.base_url,
                token=self.standin.token,
                nowhere=nowhere,
                recording=str(self.folder / recording) if recording else "",
            )
        )


@dataclass(frozen=True)
class Measured:
    """A run and what of it is not kept: every outcome by variant, and the rows that all left."""

    profile: str
    state: str
    run: Run
    outcomes: dict[str, Outcome]
    rows: dict[str, int]


def record(bench: Bench) -> None:
    """Record the connector's operations for each state of the catalog, for the SDK to replay."""
    for state in STATES:
        bench.standin.serve({}, revision=REVISIONS[state])
        bench.sync(CONNECTOR, "recorded", nowhere=True, recording=_recording(state))


def step_count(extent: Extent) -> int:
    """Count the processes that `record` and all rounds start."""
    peers = sum(
        min(extent.runs, profile.peer_runs) * len(profile.peer_states) * len(_PEERS)
        for profile in extent.profiles
    )
    return len(STATES) * (1 + 2 * extent.runs * len(extent.profiles)) + peers


def rounds(bench: Bench, extent: Extent) -> list[Measured]:
    """Measure every profile and state, as often as `extent` says."""
    return [
        measured
        for number in range(extent.runs)
        for profile in extent.profiles
        for measured in _round(bench, profile, number)
    ]


def cells(measured: list[Measured]) -> list[Cell]:
    """Group the runs by profile and state."""
    grouped: dict[tuple[str, str], list[Run]] = {}
    for each in measured:
        grouped.setdefault((each.profile, each.state), []).append(each.run)
    return [Cell(profile, state, runs) for (profile, state), runs in grouped.items()]


def timeline(measured: list[Measured]) -> Timeline:
    """Give the spans of the cold sync that took the median, and of the baseline beside it."""
    runs = [m for m in measured if (m.profile, m.state) == (TIMELINE_PROFILE, COLD)]
    middle = median_low(m.run.seconds(CONNECTOR) for m in runs)
    chosen = next(m for m in runs if m.run.seconds(CONNECTOR) == middle)
    spans = {name: chosen.outcomes[name].spans for name in (CONNECTOR, SEQUENTIAL)}
    return Timeline(chosen.profile, chosen.run.bound, spans)


def _round(bench: Bench, profile: Profile, number: int) -> Iterator[Measured]:
    peers = _PEERS if number < profile.peer_runs else ()
    bench.standin.serve(profile.latency_seconds)
    arrived = arrivals(bench.standin.base_url, bench.standin.token)
    for state in STATES:
        bench.standin.serve(profile.latency_seconds, revision=REVISIONS[state])
        outcomes = {
            CONNECTOR: bench.sync(CONNECTOR, CONNECTOR),
            ALONE: bench.sync(ALONE, ALONE, recording=_recording(state)),
        }
        if state in profile.peer_states:
            outcomes |= {peer: bench.sync(peer, peer) for peer in peers}
        rows = live_rows(bench.folder / CONNECTOR)
        for variant in outcomes:
            check_same(variant, live_rows(bench.folder / variant), rows)
        alone = {span.endpoint: span.end - span.start for span in outcomes[ALONE].spans}
        samples = {variant: outcome.sample for variant, outcome in outcomes.items()}
        yield Measured(profile.name, state, Run(arrived, alone, samples), outcomes, rows)
    for variant in (CONNECTOR, ALONE, *_PEERS):
        shutil.rmtree(bench.folder / variant, ignore_errors=True)


def _recording(state: str) -> str:
    return f"{state}.operations"
