"""What an unchanged item costs: `python -m benchmarks.items` prints microseconds by step."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from itertools import starmap
from statistics import median
from timeit import repeat

from async_client.response import Catalog, Response, judge
from changes import Plan, Snapshot
from changes.snapshot import fingerprint
from endpoints import ENDPOINTS, Endpoint
from flatten import UndeclaredColumns, flatten_item
from mock_api.catalog import catalog


def main() -> None:
    """Measure each step alone, and all of them as in an unchanged sync, at the real size.

    The steps keep no result, as a sync keeps none.
    """
    items = catalog()
    bodies = {e: json.dumps({"data": items[e.name]}).encode() for e in ENDPOINTS}
    catalogs = {endpoint: _judged(endpoint, body) for endpoint, body in bodies.items()}
    columns: dict[Endpoint, UndeclaredColumns] = {endpoint: {} for endpoint in bodies}
    # With their columns, as a lookup by endpoint for each item would count as flattening.
    decoded = [(e, item, columns[e]) for e, each in catalogs.items() for item in each.items()]
    flat = [flatten_item(*arguments) for arguments in decoded]
    last = _synced(bodies, {})
    steps: dict[str, Callable[[], object]] = {
        "judge": lambda: [_judged(endpoint, body) for endpoint, body in bodies.items()],
        "decode": lambda: [each.items() for each in catalogs.values()],
        "flatten": lambda: deque(starmap(flatten_item, decoded), 0),
        "digest": lambda: deque(map(fingerprint, flat), 0),
        "all, with the comparison": lambda: _synced(bodies, last),
    }
    microseconds = {
        name: 1e6 / len(decoded) * median(repeat(step, number=1, repeat=9))
        for name, step in steps.items()
    }
    print(json.dumps(microseconds))


def _judged(endpoint: Endpoint, body: bytes) -> Catalog:
    return judge(endpoint, "", Response(200, {}, body), datetime.now(timezone.utc))


def _synced(
    bodies: Mapping[Endpoint, bytes], before: Mapping[str, Snapshot]
) -> dict[str, Snapshot]:
    """Plan all operations and emit none; return the snapshots by endpoint name."""
    snapshots = {}
    for endpoint, body in bodies.items():
        plan, columns = Plan(endpoint, before.get(endpoint.name)), UndeclaredColumns()
        flat = (flatten_item(endpoint, item, columns) for item in _judged(endpoint, body).items())
        deque(plan.operations(flat), 0)
        snapshots[endpoint.name] = plan.outcome.snapshot
    return snapshots


if __name__ == "__main__":
    main()
