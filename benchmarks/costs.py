"""What an item of an unchanged catalog costs by itself, and what importing the connector costs.

``python -m benchmarks.costs`` measures the first in a process of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from statistics import median

import msgspec

from async_client import decode_item
from async_client.response import split
from benchmarks.jobs import Workers
from benchmarks.results import Costs
from changes import Plan, Snapshot
from changes.snapshot import fingerprint
from endpoints import ENDPOINTS, Endpoint
from flatten import flatten_item
from mock_api.catalog import catalog
from mock_api.responses import envelope

Bodies = dict[Endpoint, bytearray]

_PASSES = 9
_IMPORTS = 5
# The names that connector.py imports, so that their modules count as the SDK's.
_TIMED_IMPORT = """
import time
started = time.perf_counter()
from fivetran_connector_sdk import ConfigurationForm, Connector, Logging, Operations, Test
from fivetran_connector_sdk import form_field
sdk = time.perf_counter()
import connector
print(sdk - started, time.perf_counter() - sdk)
"""


class Items(msgspec.Struct):
    """Microseconds per item by step, over so many items."""

    items: int
    microseconds: dict[str, float]


def costs(workers: Workers) -> Costs:
    """Measure items in one process and imports in several."""
    items = msgspec.json.decode(workers.module("benchmarks.costs"), type=Items)
    imports = [
        tuple(map(float, workers.command(sys.executable, "-c", _TIMED_IMPORT).split()))
        for _ in range(_IMPORTS)
    ]
    workers.tick("costs")
    return Costs(
        items=items.items,
        item_microseconds=items.microseconds,
        sdk_import_seconds=[sdk for sdk, _ in imports],
        connector_import_seconds=[connector for _, connector in imports],
    )


def item_costs(bodies: Bodies) -> Items:
    """Measure each step alone, and all of them as an unchanged sync runs them."""
    raw = [
        (endpoint, item)
        for endpoint, body in bodies.items()
        for item in split(endpoint, body).items
    ]
    decoded = [(endpoint, decode_item(item)) for endpoint, item in raw]
    flat = [flatten_item(endpoint, item) for endpoint, item in decoded]
    last = _synced(bodies, {})
    steps: dict[str, Callable[[], object]] = {
        "split": lambda: [split(endpoint, body) for endpoint, body in bodies.items()],
        "decode": lambda: _exhaust(decode_item(item) for _, item in raw),
        "flatten": lambda: _exhaust(flatten_item(endpoint, item) for endpoint, item in decoded),
        "digest": lambda: _exhaust(fingerprint(each) for each in flat),
        "all": lambda: _synced(bodies, last),
    }
    return Items(len(raw), {name: 1e6 * _seconds(step) / len(raw) for name, step in steps.items()})


def _synced(bodies: Bodies, before: dict[str, Snapshot]) -> dict[str, Snapshot]:
    """Plan every operation and emit none; gives the snapshots by endpoint name."""
    snapshots = {}
    for endpoint, body in bodies.items():
        plan = Plan(endpoint, before.get(endpoint.name))
        items = split(endpoint, body).items
        _exhaust(plan.operations(flatten_item(endpoint, decode_item(item)) for item in items))
        snapshots[endpoint.name] = plan.outcome.snapshot
    return snapshots


def _exhaust(values: Iterable[object]) -> None:
    """Run through values and keep none, as a sync does."""
    for _ in values:
        pass


def _seconds(step: Callable[[], object]) -> float:
    passes = []
    for _ in range(_PASSES):
        started = time.perf_counter()
        step()
        passes.append(time.perf_counter() - started)
    return median(passes)


def main() -> int:
    """Print what an item costs."""
    catalogs = catalog()
    bodies = {endpoint: bytearray(envelope(catalogs[endpoint.name])) for endpoint in ENDPOINTS}
    sys.stdout.buffer.write(msgspec.json.encode(item_costs(bodies)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
