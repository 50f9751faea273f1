"""Run one sync in its own process: `python -m benchmarks.worker` prints its `Run`.

The arguments are the variant, the folder to sync into, the address of the API and the token.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from fivetran_connector_sdk import Operations

import connector
from async_client import CatalogFetched, Catalogs, Event, Limits, Settings, fetching
from benchmarks import baselines
from benchmarks.baselines import Configuration
from benchmarks.results import Run, peak_bytes
from devkit import sdk
from endpoints import ENDPOINTS

_NAMES = ("upsert", "delete", "truncate", "warning", "checkpoint")


class Watch:
    """Passes operations on and measures the sync.

    Only checkpoints are timed, of which there are seven: a row costs no more than without.
    """

    def __init__(self, operations: Any) -> None:
        self.upsert, self.delete = operations.upsert, operations.delete
        self.truncate, self.warning = operations.truncate, operations.warning
        self._checkpoint = operations.checkpoint
        self.start()

    def start(self) -> None:
        """Start the clocks, or start them again."""
        self._run, self._ends = Run(before_bytes=peak_bytes()), list[float]()
        self._cpu_started, self._started = time.process_time(), time.perf_counter()

    def checkpoint(self, state: object, /) -> None:
        """Pass a checkpoint on; the last one ends what is measured."""
        started = self.now()
        self._checkpoint(state)
        self._run.seconds = self.now()
        self._run.cpu_seconds = time.process_time() - self._cpu_started
        self._run.checkpoint_seconds.append(self._run.seconds - started)
        self._ends.append(self._run.seconds)

    def arrived(self, endpoint_name: str, seconds: float | None = None) -> None:
        """Record that a response is complete, now or so many seconds after the start."""
        self._run.arrived[endpoint_name] = self.now() if seconds is None else seconds

    def run(self) -> Run:
        """Return what was measured; an endpoint is written when its checkpoint returns."""
        self._run.peak_bytes = peak_bytes()
        # The connector makes one more checkpoint, before it writes the first endpoint.
        ends = self._ends[-len(ENDPOINTS) :]
        self._run.written = {e.name: end for e, end in zip(ENDPOINTS, ends, strict=False)}
        return self._run

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._started


def main() -> None:
    """Run the sync that the command line names."""
    # The SDK logs to standard output, also while the process ends.
    output, sys.stdout = sys.stdout, Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    variant, path, base_url, token = sys.argv[1:]
    configuration, folder = {"bearer_token": token, "base_url": base_url}, Path(path)
    sdk.prepare("INFO")
    if variant == "names cached":
        sdk.cache_names()
    states: list[object] = [{}]
    dropped = {**dict.fromkeys(_NAMES, lambda *_: None), "checkpoint": states.append}
    watch = Watch(SimpleNamespace(**dropped) if variant == "own" else Operations)

    def update(configuration: Configuration, state: sdk.State) -> None:
        watch.start()
        _VARIANTS[variant](configuration, state, watch)

    if variant in ("own", "download"):  # without the SDK
        update(configuration, sdk.state_of(folder))
        sdk.state_file(folder).parent.mkdir(parents=True, exist_ok=True)
        sdk.state_file(folder).write_text(json.dumps(states[-1]), encoding="utf-8")
    else:
        sdk.run(update, configuration, folder)
    output.buffer.write(msgspec.json.encode(watch.run()))


def _connector(configuration: Configuration, state: sdk.State, watch: Watch) -> None:
    def watched(
        settings: Settings, limits: Limits, on_event: Callable[[Event], None]
    ) -> AbstractContextManager[Catalogs]:
        started = watch.now()

        def on_watched(event: Event) -> None:
            if isinstance(event, CatalogFetched):  # handled later than it happened
                watch.arrived(event.endpoint_name, started + event.seconds)
            on_event(event)

        return fetching(settings, limits, on_watched)

    vars(connector).update(op=watch, fetching=watched)
    connector.update(configuration, state)


def _alone(configuration: Configuration, state: sdk.State, watch: Watch) -> None:
    """Record the connector's operations, then pass them to the SDK with nothing else to do."""
    operations: list[tuple[Callable[..., None], tuple[object, ...]]] = []

    def recorder(name: str) -> Callable[..., None]:
        return lambda *arguments: operations.append((getattr(watch, name), arguments))

    vars(connector).update(op=SimpleNamespace(**{name: recorder(name) for name in _NAMES}))
    connector.update(configuration, state)
    watch.start()
    for operation, arguments in operations:
        operation(*arguments)


_VARIANTS: dict[str, Callable[[Configuration, sdk.State, Watch], None]] = {
    "connector": _connector,
    "own": _connector,
    "sdk alone": _alone,
    "names cached": _alone,
    "download": baselines.download,
    "sequential": baselines.sequential,
    "threads": baselines.threads,
}

if __name__ == "__main__":
    main()
