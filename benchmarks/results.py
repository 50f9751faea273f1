"""The measured runs, stored one per line in results.json."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

import msgspec

STATES = ("initial", "unchanged", "changed")


class Run(msgspec.Struct, omit_defaults=True):
    """One process: what it was, then what was measured of it.

    A case is a latency profile or a size. Runs of one `number` followed each other; ratios are
    taken only between them. `seconds` and `cpu_seconds` are from the call of `update()` to the
    return of its last checkpoint, and `arrived` and `written` are seconds since that call, by
    endpoint in replay order. `process_seconds` are from the start of the process to its end.
    """

    section: str = ""
    case: str = ""
    state: str = ""
    variant: str = ""
    number: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    process_seconds: float = 0.0
    before_bytes: int = 0
    peak_bytes: int = 0
    arrived: dict[str, float] = {}
    written: dict[str, float] = {}
    checkpoint_seconds: list[float] = []
    parts: dict[str, float] = {}
    error: str = ""


class Results(msgspec.Struct):
    """All runs, the machine, and the date and load average at the start of each section."""

    quick: bool
    machine: dict[str, str]
    conditions: dict[str, str]
    runs: list[Run]

    def of(self, section: str, **identity: str | int) -> list[Run]:
        """Return the runs of a section with this case, state, variant or number."""
        wanted = {"section": section, **identity}.items()
        return [r for r in self.runs if all(getattr(r, name) == value for name, value in wanted)]

    def like(self, run: Run, variant: str) -> list[Run]:
        """Return the run of another variant that was measured beside this one, if any."""
        section, case, state, number = run.section, run.case, run.state, run.number
        return self.of(section, case=case, state=state, number=number, variant=variant)

    def cases(self, section: str) -> list[str]:
        """Return the cases of a section in the order in which they were measured."""
        return list(dict.fromkeys(run.case for run in self.of(section)))


def typical(runs: list[Run], field: str = "seconds") -> float:
    """Return the median of a field over runs."""
    return float(median(getattr(run, field) for run in runs))


def lower_bound(download: Run, alone: Run) -> float:
    """Return the earliest end of a sync if only the network and the SDK took time.

    No endpoint can be written before it has arrived, as it does for a client that only downloads,
    nor faster than the SDK alone takes its operations.
    """
    finished = previous = 0.0
    for name, written in alone.written.items():
        finished = max(finished, download.arrived[name]) + written - previous
        previous = written
    return finished


def peak_bytes() -> int:
    """Return the largest resident size that this process has had, on Linux."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def load(path: Path) -> Results:
    """Read results.json."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def save(results: Results, path: Path) -> None:
    """Write results.json, one run a line and times to a tenth of a millisecond."""
    document = json.loads(msgspec.json.encode(results), parse_float=lambda x: round(float(x), 4))
    runs = ",\n".join(map(json.dumps, document.pop("runs")))
    head = json.dumps(document, indent=1).removesuffix("\n}")
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{head},\n "runs": [\n{runs}\n]}}\n', encoding="utf-8")
