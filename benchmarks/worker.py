"""Run one sync in its own process: `python -m benchmarks.worker` prints its `Run`.

The arguments are the variant, the folder to sync into, the address of the API and the token.
`_sync` and `_rows` are all that the benchmark knows of the connector's functions.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import requests
from fivetran_connector_sdk import Operations

import connector
from async_client import CatalogFetched, Event, Limits, Settings, fetching
from async_client.settings import validate_configuration
from benchmarks.results import Run
from devkit import sdk
from endpoints import ENDPOINTS, Endpoint
from flatten import Flattener

_WRITES = ("upsert", "delete", "truncate")
_NAMES = [endpoint.name for endpoint in ENDPOINTS]
_OPERATIONS = (*_WRITES, "warning", "checkpoint")


class Watch:
    """Passes operations on and measures the sync, without time of its own for a row."""

    def __init__(self) -> None:
        self.upsert, self.delete = Operations.upsert, Operations.delete
        self.truncate, self.warning = Operations.truncate, Operations.warning
        self.start()

    def start(self) -> None:
        """Start the clock, or start it again."""
        self.run, self._ends, self._started = Run(), list[float](), time.perf_counter()

    def checkpoint(self, state: object, /, *, ends: bool = True) -> None:
        """Pass a checkpoint on, which `ends` an endpoint; the last one ends what is measured."""
        Operations.checkpoint(state)
        self.run.seconds = time.perf_counter() - self._started
        self._ends += [self.run.seconds] * ends
        # One before the first endpoint belongs to none.
        self.run.written = dict(zip(_NAMES, self._ends[-len(_NAMES) :], strict=False))

    def arrived(self, endpoint_name: str, seconds: float | None = None) -> None:
        """Record that a response was complete after `seconds`, or is now."""
        now = time.perf_counter() - self._started
        self.run.arrived[endpoint_name] = now if seconds is None else seconds


def _sync(
    configuration: sdk.Configuration, state: sdk.State, watch: Watch, operations: Any = None
) -> None:
    """Run the connector's sync, and record when each catalog arrived."""

    def watched(settings: Settings, limits: Limits, on_event: Callable[[Event], None]) -> Any:
        def observe(event: Event) -> None:
            if isinstance(event, CatalogFetched):
                watch.arrived(event.endpoint_name, event.seconds)
            on_event(event)

        return fetching(settings, limits, observe)

    vars(connector).update(op=operations or watch)
    connector.sync(validate_configuration(configuration), state, fetching=watched)


def _rows(endpoint: Endpoint, items: list[object]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield table and row of everything that a catalog becomes."""
    for flat in map(Flattener(endpoint).flatten_item, items):
        if flat.row is not None:
            yield endpoint.table.name, flat.row
        for row in flat.children.values():
            yield endpoint.tables[-1].name, row


def _alone(configuration: sdk.Configuration, state: sdk.State, watch: Watch) -> None:
    """Record the connector's operations, then pass them to the SDK with nothing else to do."""
    steps: list[tuple[str, tuple[Any, ...]]] = []
    recorders = {n: lambda *each, name=n: steps.append((name, each)) for n in _OPERATIONS}
    _sync(configuration, state, watch, SimpleNamespace(**recorders))
    watch.start()
    idle = True  # nothing was written since the last checkpoint
    for (name, arguments), (following, _) in pairwise([*steps, ("", ())]):
        if name == "checkpoint":
            # One that only announces what is written next does not end an endpoint.
            watch.checkpoint(*arguments, ends=not (idle and following in _WRITES))
        else:
            getattr(watch, name)(*arguments)
        idle = name == "checkpoint" or (idle and name not in _WRITES)


def _get(configuration: sdk.Configuration, watch: Watch, endpoint: Endpoint) -> bytes:
    headers = {"Authorization": f"Bearer {configuration['bearer_token']}"}
    response = requests.get(configuration["base_url"] + endpoint.path, headers=headers, timeout=30)
    response.raise_for_status()
    watch.arrived(endpoint.name)
    return response.content


def _download(configuration: sdk.Configuration, _state: object, watch: Watch) -> list[bytes]:
    """Request all catalogs at once and do nothing with them."""
    with ThreadPoolExecutor(len(ENDPOINTS)) as pool:
        return list(pool.map(lambda e: _get(configuration, watch, e), ENDPOINTS))


def _threads(configuration: sdk.Configuration, state: object, watch: Watch) -> None:
    _write(_download(configuration, state, watch), watch)


def _sequential(configuration: sdk.Configuration, _state: object, watch: Watch) -> None:
    """Fetch and write one endpoint after another, as most example connectors do."""
    _write((_get(configuration, watch, endpoint) for endpoint in ENDPOINTS), watch)


def _write(bodies: Iterable[bytes], watch: Watch) -> None:
    """Upsert every row, with a checkpoint after each catalog."""
    for endpoint, body in zip(ENDPOINTS, bodies, strict=True):
        for table, row in _rows(endpoint, json.loads(body)["data"]):
            watch.upsert(table, row)
        watch.checkpoint({"last_synced_endpoint": endpoint.name})


_VARIANTS: dict[str, Callable[[sdk.Configuration, sdk.State, Watch], object]] = {
    "connector": _sync,
    "sdk alone": _alone,
    "download": _download,
    "sequential": _sequential,
    "threads": _threads,
}


def main() -> None:
    """Run the sync that the command line names."""
    # The SDK logs to standard output, also while the process ends.
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    variant, folder, base_url, token = sys.argv[1:]
    watch = Watch()

    def update(configuration: sdk.Configuration, state: sdk.State) -> None:
        watch.start()
        _VARIANTS[variant](configuration, state, watch)

    sdk.prepare("INFO")
    sdk.run(update, {"bearer_token": token, "base_url": base_url}, Path(folder))
    watch.run.seconds = watch.run.seconds or max(watch.run.arrived.values())
    os.write(output, msgspec.json.encode(watch.run))


if __name__ == "__main__":
    main()
