"""The stand-in for DataCamp's API in a process of its own, so that it shares no lock with a sync.

``python -m benchmarks.standin`` serves until its input ends; each line of it, and each answer, is
a JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from benchmarks.jobs import PROJECT
from mock_api.catalog import catalog
from mock_api.serving import serving


class Standin:
    """A running stand-in: its address and token, and how to change what it serves."""

    def __init__(self, commands: IO[str], answers: IO[str]) -> None:
        self._commands = commands
        self._answers = answers
        self._revision_and_scale = (-1, 0.0)
        ready = self._heard()
        self.base_url, self.token = ready["base_url"], ready["token"]

    def serve(
        self, latency_seconds: Mapping[str, float], *, revision: int = 0, scale: float = 1.0
    ) -> None:
        """Serve a catalog from now on, each endpoint after its latency."""
        command: dict[str, object] = {"latency_seconds": latency_seconds}
        if self._revision_and_scale != (revision, scale):
            command["catalog"] = {"revision": revision, "scale": scale}
            self._revision_and_scale = (revision, scale)
        self._commands.write(json.dumps(command) + "\n")
        self._commands.flush()
        self._heard()

    def _heard(self) -> dict[str, str]:
        line = self._answers.readline()
        if not line:
            raise RuntimeError("the stand-in for the API has ended")
        heard: dict[str, str] = json.loads(line)
        return heard


@contextmanager
def standing_in(environment: Mapping[str, str]) -> Iterator[Standin]:
    """Run a stand-in until the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.standin"],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the stand-in has no pipes")
        yield Standin(process.stdin, process.stdout)
        process.stdin.close()


def main() -> int:
    """Serve, and obey each line of the input."""
    latency_seconds: dict[str, float] = {}
    with serving({}, latency_seconds=latency_seconds) as server:
        print(json.dumps({"base_url": server.base_url, "token": server.token}), flush=True)
        for line in sys.stdin:
            command = json.loads(line)
            latency_seconds.update(command["latency_seconds"])
            if "catalog" in command:
                server.serve(catalog(**command["catalog"]))
            print("{}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
