"""What an unchanged item costs: `python -m benchmarks.items` prints microseconds by step."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from statistics import median
from timeit import repeat

from async_client.response import split
from changes import Plan, Snapshot
from changes.snapshot import fingerprint
from endpoints import ENDPOINTS, Endpoint
from flatten import Flattened, Flattener
from mock_api.catalog import catalog


def main() -> None:
    """Measure each step alone, and all of them as in an unchanged sync, at the real size.

    The steps keep no result, as a sync keeps none.
    """
    items = catalog()
    bodies = {e: json.dumps({"data": items[e.name]}).encode() for e in ENDPOINTS}
    split_bodies = {endpoint: split(endpoint, body) for endpoint, body in bodies.items()}
    decoded = {endpoint: list(each) for endpoint, each in split_bodies.items()}
    flat = list(_flattened(decoded))
    last = _synced(bodies, {})
    steps: dict[str, Callable[[], object]] = {
        "split": lambda: [split(endpoint, body) for endpoint, body in bodies.items()],
        "decode": lambda: deque(chain.from_iterable(split_bodies.values()), 0),
        "flatten": lambda: deque(_flattened(decoded), 0),
        "digest": lambda: deque(map(fingerprint, flat), 0),
        "all, with the comparison": lambda: _synced(bodies, last),
    }
    microseconds = {
        name: 1e6 / len(flat) * median(repeat(step, number=1, repeat=9))
        for name, step in steps.items()
    }
    print(json.dumps(microseconds))


def _flattened(items: Mapping[Endpoint, Iterable[object]]) -> Iterator[Flattened]:
    """Flatten all items, with an object per endpoint as in a sync."""
    return chain.from_iterable(map(Flattener(e).flatten_item, each) for e, each in items.items())


def _synced(
    bodies: Mapping[Endpoint, bytes], before: Mapping[str, Snapshot]
) -> dict[str, Snapshot]:
    """Plan all operations and emit none; return the snapshots by endpoint name."""
    snapshots = {}
    for endpoint, body in bodies.items():
        plan = Plan(endpoint, before.get(endpoint.name))
        deque(plan.operations(map(Flattener(endpoint).flatten_item, split(endpoint, body))), 0)
        snapshots[endpoint.name] = plan.outcome.snapshot
    return snapshots


if __name__ == "__main__":
    main()
