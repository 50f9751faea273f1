"""The cost of a sync of the real-size catalog, counted instead of timed."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.fetching import TOKEN
from tests.support.recording import Destination

ITEMS = catalog()
ITEM_COUNT = sum(map(len, ITEMS.values()))
CHECKPOINTS = {"checkpoint": 1 + len(ENDPOINTS)}
# About 92 at present; an item decoded, flattened or compared twice would need far more.
CALLS_PER_UNCHANGED_ITEM = 120


@pytest.fixture
def server():
    """Serve the real-size catalog."""
    with serving(ITEMS, token=TOKEN) as running:
        yield running


@pytest.fixture
def sync(server, recorded):
    """Return a function that syncs from a state, with six requests, and returns the operations."""

    def run(state=None):
        server.requests.clear()
        operations = recorded(state=state, base_url=server.base_url).operations
        assert sorted(server.requests.endpoint_names) == sorted(e.name for e in ENDPOINTS)
        return operations

    return run


def kinds(operations):
    """Count operations by kind."""
    return dict(Counter(kind for kind, *_ in operations.stream))


def test_rows_are_emitted_once_and_few_rows_for_few_changes(server, sync):
    """An initial sync truncates each table and upserts each row once.

    A revision with about 2 % of the items changed and 2.5 % added or removed emits few rows.
    """
    first = sync()
    destination = Destination()
    destination.apply(first.stream)
    rows, tables = sum(map(len, destination.tables.values())), len(destination.tables)
    assert kinds(first) == {"truncate": tables, "upsert": rows, **CHECKPOINTS}
    server.serve(catalog(revision=1))
    emitted = kinds(sync(first.states[-1]))
    assert emitted.pop("checkpoint") == CHECKPOINTS["checkpoint"]
    assert 0 < sum(emitted.values()) < rows / 10


def test_an_unchanged_sync_handles_each_item_once(sync):
    """It emits only checkpoints and calls few Python functions an item."""
    state = sync().states[-1]
    calls = Counter()
    sys.setprofile(lambda _frame, event, _function: calls.update([event]))
    try:
        operations = sync(state)
    finally:
        sys.setprofile(None)
    assert kinds(operations) == CHECKPOINTS
    assert calls["call"] < CALLS_PER_UNCHANGED_ITEM * ITEM_COUNT
