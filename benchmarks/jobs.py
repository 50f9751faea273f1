"""What a process of its own is asked to do, and what it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.results import Sample, Span

PROJECT = Path(__file__).resolve().parent.parent
_LONGEST_SECONDS = 600


class Job(msgspec.Struct, omit_defaults=True):
    """One sync by one variant, of the catalog at `base_url` into `folder`.

    With `nowhere` there is no SDK around it: operations are dropped, or go into the file
    `recording` if that is named. The SDK alone replays that file.
    """

    variant: str
    folder: str
    base_url: str
    token: str
    nowhere: bool = False
    recording: str = ""


class Outcome(msgspec.Struct):
    """How the sync went."""

    sample: Sample
    spans: list[Span]
    body_bytes: int


@dataclass(frozen=True)
class Workers:
    """Runs Python in one process after another; `tick` hears of each that has ended."""

    environment: Mapping[str, str]
    tick: Callable[[str], None]

    def sync(self, job: Job) -> Outcome:
        """Run one sync; the time of its whole process is in the sample."""
        started = time.perf_counter()
        answer = self.module("benchmarks.worker", msgspec.json.encode(job).decode())
        seconds = time.perf_counter() - started
        outcome = msgspec.json.decode(answer, type=Outcome)
        outcome.sample.process_seconds = seconds
        self.tick(job.variant)
        return outcome

    def module(self, name: str, *arguments: str) -> bytes:
        """Run a module of this Python; gives what it prints."""
        return self.command(sys.executable, "-m", name, *arguments)

    def command(self, *command: str) -> bytes:
        """Run a command in the project's folder; raises RuntimeError with its complaint."""
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            timeout=_LONGEST_SECONDS,
            check=False,
        )
        if done.returncode:
            complaint = done.stderr.decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command[:3])} failed: {complaint}")
        return done.stdout


def environment(folder: Path) -> dict[str, str]:
    """Give the variables for a process that shall ask nobody but loopback.

    The SDK would look for newer releases of itself; a home in which it has just done so keeps it
    from that.
    """
    core = folder / ".fivetran" / "connector_sdk_core"
    core.mkdir(parents=True)
    seen = {"lastVersionCheck": int(time.time()), "licenseNoticeShown": True}
    (core / "_config.json").write_text(json.dumps(seen), encoding="utf-8")
    return {
        **os.environ,
        "HOME": str(folder),
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
