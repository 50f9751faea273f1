"""The measured runs, stored one per line in results.json."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import msgspec


class Run(msgspec.Struct, omit_defaults=True):
    """One process: what it was, then what was measured of it.

    A case is a latency profile or a size, and runs of the same kind are in the order of their
    rounds. `seconds` and `cpu_seconds` are from the call of
    `update()` to the return of its last checkpoint, and `arrived` and `written` are seconds since
    that call, by endpoint in replay order. `process_seconds` are those of the whole process.
    """

    section: str = ""
    case: str = ""
    state: str = ""
    variant: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    process_seconds: float = 0.0
    peak_bytes: int = 0
    arrived: dict[str, float] = {}
    written: dict[str, float] = {}


class Results(msgspec.Struct):
    """All runs, the machine, and the date and load average at the start of each section."""

    machine: str
    conditions: dict[str, str]
    runs: list[Run]

    def of(self, section: str, **identity: str) -> list[Run]:
        """Return the runs of a section with this case, state or variant."""
        wanted = {"section": section, **identity}.items()
        return [r for r in self.runs if all(getattr(r, name) == value for name, value in wanted)]

    def median(
        self, section: str, case: str, state: str, variant: str, field: str = "seconds"
    ) -> float | None:
        """Return the median of a field over runs, None without any."""
        runs = self.of(section, case=case, state=state, variant=variant)
        return statistics.median(getattr(run, field) for run in runs) if runs else None


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
