"""What a sync of the real-size catalog costs, counted and not timed: the guard of its speed."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from importlib import import_module

import pytest

from endpoints import ENDPOINTS
from flatten import flatten_item
from mock_api.catalog import catalog
from mock_api.responses import envelope
from mock_api.serving import serving

TOKEN = "t0ken-for-tests"
NAMES = sorted(endpoint.name for endpoint in ENDPOINTS)
ITEMS = catalog()
ITEM_COUNT = sum(map(len, ITEMS.values()))
ROW_COUNT = sum(
    1 + len(flatten_item(endpoint, item).children)
    for endpoint in ENDPOINTS
    for item in ITEMS[endpoint.name]
)
BODY_BYTES = sum(len(envelope(items)) for items in ITEMS.values())

# By what it does to an item: the module that calls the function, and its name there.
COUNTED = {
    "items decoded": ("connector", "decode_item"),
    "items flattened": ("connector", "flatten_item"),
    "items digested": ("changes.plan", "known"),
    "snapshots read": ("changes.state", "decode"),
    "snapshots written": ("changes.state", "encode"),
}


@pytest.fixture(scope="module")
def server():
    """Serve the real-size catalog."""
    with serving(ITEMS, token=TOKEN) as running:
        yield running


@pytest.fixture
def sync(server, recorded):
    """Sync what the server serves, with recorded operations; gives these."""

    def run(state=None):
        operations, _, error = recorded(state=state, bearer_token=TOKEN, base_url=server.base_url)
        assert error is None
        return operations

    return run


@pytest.fixture
def calls(monkeypatch):
    """Count the calls of the functions that a sync may call once per item or once per endpoint."""
    counts = Counter()

    def counting(what, function):
        def counted(*arguments):
            counts[what] += 1
            return function(*arguments)

        return counted

    for what, (module_name, name) in COUNTED.items():
        module = import_module(module_name)
        monkeypatch.setattr(module, name, counting(what, getattr(module, name)))
    return counts


def kinds(operations):
    """Count the operations by kind."""
    return dict(Counter(kind for kind, *_ in operations.stream))


def test_a_sync_asks_each_endpoint_once(server, sync):
    """A first sync makes six requests, one per endpoint, and the next one makes six more."""
    server.requests.clear()
    state = sync().states[-1]
    assert sorted(server.requests.endpoint_names) == NAMES
    sync(state)
    assert sorted(server.requests.endpoint_names) == sorted(2 * NAMES)


def test_a_first_sync_handles_each_item_once(sync, calls):
    """Each item is decoded, flattened and digested once, each snapshot written once."""
    sync()
    assert calls == {
        "items decoded": ITEM_COUNT,
        "items flattened": ITEM_COUNT,
        "items digested": ITEM_COUNT,
        "snapshots written": len(ENDPOINTS),
    }


def test_a_sync_without_a_change_writes_no_snapshot(sync, calls):
    """Each item is handled once, each snapshot read once, and none is made into text again."""
    state = sync().states[-1]
    calls.clear()
    sync(state)
    assert calls == {
        "items decoded": ITEM_COUNT,
        "items flattened": ITEM_COUNT,
        "items digested": ITEM_COUNT,
        "snapshots read": len(ENDPOINTS),
    }


def test_a_first_sync_emits_each_row_once(sync):
    """It truncates each table, upserts each row once, and checkpoints seven times."""
    assert kinds(sync()) == {
        "truncate": sum(len(endpoint.tables) for endpoint in ENDPOINTS),
        "upsert": ROW_COUNT,
        "checkpoint": 1 + len(ENDPOINTS),
    }


def test_a_sync_without_a_change_emits_checkpoints_alone(sync):
    """It checkpoints seven times and touches no row."""
    state = sync().states[-1]
    assert kinds(sync(state)) == {"checkpoint": 1 + len(ENDPOINTS)}


def test_a_sync_of_few_changes_emits_few_rows(server, sync):
    """After one revision, with about 2 % changed and 2.5 % come or gone, under a tenth is sent."""
    state = sync().states[-1]
    server.serve(catalog(revision=1))
    try:
        emitted = kinds(sync(state))
    finally:
        server.serve(ITEMS)
    assert emitted["checkpoint"] == 1 + len(ENDPOINTS)
    assert 0 < emitted["upsert"] + emitted["delete"] < ROW_COUNT / 10


def test_a_sync_without_a_change_needs_little_more_memory_than_the_bodies(sync):
    """The peak is below twice the bodies and half a MB: no tree of a catalog is ever built."""
    state = sync().states[-1]
    tracemalloc.start()
    try:
        sync(state)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2 * BODY_BYTES + 500_000
