"""What was measured, as it is kept in results.json: raw samples, from which the rest follows."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import msgspec

from benchmarks.bound import finish

CONNECTOR, ALONE, SEQUENTIAL, THREADS = "connector", "alone", "sequential", "threads"
DLT, DLT_SIX = "dlt", "dlt, six workers"
DOWNLOAD, REPLAY = "download", "replay"


class Span(msgspec.Struct, frozen=True):
    """When an endpoint was downloaded or replayed, in seconds since the call of update()."""

    endpoint: str
    kind: str
    start: float
    end: float


class Sample(msgspec.Struct, omit_defaults=True):
    """One sync in a process of its own.

    `seconds` go from the call of update() to its last checkpoint, `process_seconds` from the start
    of the process to its end. `peak_bytes` is the process's largest resident size,
    `before_bytes` what it was when update() was called.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    before_bytes: int
    process_seconds: float = 0.0

    @property
    def grown_bytes(self) -> int:
        """How much of the peak update() brought about."""
        return self.peak_bytes - self.before_bytes


class Run(msgspec.Struct):
    """All variants measured once, one right after another; only within it are ratios taken.

    `arrivals` is when a bare client has each endpoint's whole answer, and `alone` the seconds that
    the SDK by itself takes for the operations of each endpoint, both by endpoint in replay order.
    """

    arrivals: dict[str, float]
    alone: dict[str, float]
    samples: dict[str, Sample]

    @property
    def bound(self) -> float:
        """When the last checkpoint could be done at the earliest."""
        return finish(list(self.arrivals.values()), list(self.alone.values()))

    @property
    def slowest_answer(self) -> float:
        """When the last answer is complete."""
        return max(self.arrivals.values())

    def seconds(self, variant: str) -> float:
        """How long one variant took."""
        return self.samples[variant].seconds


class Cell(msgspec.Struct):
    """One latency profile with one state of the catalog, and its runs."""

    profile: str
    state: str
    runs: list[Run]

    @property
    def bound(self) -> float:
        """Give the median of the bounds."""
        return median(run.bound for run in self.runs)

    def with_variant(self, variant: str) -> list[Run]:
        """Give the runs in which a variant took part."""
        return [run for run in self.runs if variant in run.samples]

    def seconds(self, variant: str) -> float | None:
        """Give the median of a variant; None if it never ran."""
        runs = self.with_variant(variant)
        return median(run.seconds(variant) for run in runs) if runs else None

    def ratio(self, variant: str, to_variant: str) -> float | None:
        """Give the median of the ratios, each of two variants in one run."""
        runs = self.with_variant(variant)
        return median(r.seconds(variant) / r.seconds(to_variant) for r in runs) if runs else None


class Timeline(msgspec.Struct):
    """The spans of one measured run, and its bound."""

    profile: str
    bound: float
    spans: dict[str, list[Span]]


class Growth(msgspec.Struct):
    """A catalog `scale` times the real size: syncs into DuckDB, and with operations going nowhere.

    `syncs` and `own` hold a sample by state of the catalog.
    """

    scale: int
    items: int
    rows: int
    body_bytes: int
    syncs: dict[str, Sample]
    own: dict[str, Sample]


class Costs(msgspec.Struct):
    """What an unchanged item costs, in microseconds by step, and an import, in seconds."""

    items: int
    item_microseconds: dict[str, float]
    sdk_import_seconds: list[float]
    connector_import_seconds: list[float]


class Dlt(msgspec.Struct):
    """The comparison with dlt: when, where, which release, at which latency.

    A run holds the seconds of whole processes by variant and state of the catalog.
    """

    date: str
    machine: dict[str, str]
    version: str
    latency_seconds: float
    runs: list[dict[str, dict[str, float]]]

    def seconds(self, variant: str, state: str) -> float:
        """Give the median of a variant."""
        return median(run[variant][state] for run in self.runs)

    def ratio(self, variant: str, state: str) -> float:
        """Give the median of how many times a variant's seconds the connector takes."""
        return median(run[CONNECTOR][state] / run[variant][state] for run in self.runs)


class Results(msgspec.Struct, omit_defaults=True):
    """All that one machine measured; `rows` is what every variant wrote, by table."""

    date: str
    machine: dict[str, str]
    quick: bool
    minutes: float
    body_bytes: int
    rows: dict[str, int]
    cells: list[Cell]
    timeline: Timeline
    growth: list[Growth]
    costs: Costs
    dlt: Dlt | None = None

    def cell(self, profile: str, state: str) -> Cell | None:
        """Find a cell; None if it was not measured."""
        return next((cell for cell in self.of_state(state) if cell.profile == profile), None)

    def of_state(self, state: str) -> list[Cell]:
        """Give the cells of a state, by profile."""
        return [cell for cell in self.cells if cell.state == state]


def load(path: Path) -> Results | None:
    """Read results.json; None if there is none yet."""
    return msgspec.json.decode(path.read_bytes(), type=Results) if path.exists() else None


def save(results: Results, path: Path) -> None:
    """Write results.json, times to a tenth of a millisecond."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = _rounded(msgspec.to_builtins(results))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(rounded), indent=1) + b"\n")


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
