"""The cost of a sync of the real-size catalog, counted instead of timed."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections import Counter

import pytest

from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.conftest import CONFIGURATION
from tests.support.recording import Destination

ITEMS = catalog()
ITEM_COUNT = sum(map(len, ITEMS.values()))
CHECKPOINTS = {"checkpoint": 1 + len(ENDPOINTS)}
# About 92 at present; decoding, flattening or comparing an item twice needs far more.
CALLS_PER_UNCHANGED_ITEM = 120


@pytest.fixture
def server():
    """Serve the real-size catalog."""
    with serving(ITEMS, token=CONFIGURATION["bearer_token"]) as running:
        yield running


@pytest.fixture
def sync(server, recorded):
    """Return a function that syncs from a state and returns the recorded operations."""
    return lambda state=None: recorded(state=state, base_url=server.base_url)[0]


def kinds(operations):
    """Count operations by kind."""
    return dict(Counter(kind for kind, *_ in operations.stream))


def test_a_sync_requests_each_endpoint_and_emits_each_row_once(server, sync):
    """A first sync makes six requests, truncates each table, upserts each row once."""
    server.requests.clear()
    operations = sync()
    assert sorted(server.requests.endpoint_names) == sorted(e.name for e in ENDPOINTS)
    destination = Destination()
    destination.apply(operations.stream)
    rows, tables = sum(map(len, destination.tables.values())), len(destination.tables)
    assert kinds(operations) == {"truncate": tables, "upsert": rows, **CHECKPOINTS}


def test_an_unchanged_sync_handles_each_item_once(server, sync):
    """It makes six requests, emits only checkpoints and calls few Python functions per item."""
    state = sync().states[-1]
    server.requests.clear()
    calls = Counter()
    sys.setprofile(lambda _frame, event, _function: calls.update([event]))
    try:
        operations = sync(state)
    finally:
        sys.setprofile(None)
    assert sorted(server.requests.endpoint_names) == sorted(e.name for e in ENDPOINTS)
    assert kinds(operations) == CHECKPOINTS
    assert calls["call"] < CALLS_PER_UNCHANGED_ITEM * ITEM_COUNT


def test_a_sync_of_few_changes_emits_few_rows(server, sync):
    """One revision, with about 2 % of the items changed and 2.5 % added or removed, is small."""
    first = sync()
    server.serve(catalog(revision=1))
    emitted = kinds(sync(first.states[-1]))
    assert emitted.pop("checkpoint") == CHECKPOINTS["checkpoint"]
    assert 0 < sum(emitted.values()) < kinds(first)["upsert"] / 10


def test_an_unchanged_sync_needs_little_more_memory_than_the_bodies(sync):
    """The peak is below twice the bodies and half a MB: no catalog is decoded as a whole."""
    first = sync()
    body_bytes = sum(len(json.dumps(items, ensure_ascii=False)) for items in ITEMS.values())
    tracemalloc.start()
    try:
        sync(first.states[-1])
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2 * body_bytes + 500_000
