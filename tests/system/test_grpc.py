"""The gRPC SDK gets the same operations as the newer one: a process per sync, over its service."""

from __future__ import annotations

import json

import pytest

import connector
from devkit import sdk
from mock_api.catalog import catalog
from mock_api.serving import serving

TOKEN = "token-for-both-generations"

# A second virtual environment, as one process cannot hold both generations. `make test` makes it.
pytestmark = pytest.mark.skipif(
    not sdk.GRPC_PYTHON.exists(), reason="NOT TESTED on SDK 2.13: make .venv-grpc/installed"
)


@pytest.fixture
def server():
    """Serve the real-size catalog."""
    with serving(catalog(), token=TOKEN) as running:
        yield running


def assert_same(server, state):
    """Run the same sync on both; gives the state it leaves."""
    configuration = {"bearer_token": TOKEN, "base_url": server.base_url}
    new, old = sdk.emit(configuration, state), sdk.emit_on_grpc(configuration, state)
    assert (new.error is None) == (old.error is None)
    assert old.operations == new.operations
    return json.loads([o for o in new.operations if o[0] == "checkpoint"][-1][1])


def test_both_generations_get_the_same_operations(server):
    """The streams are equal for a first sync, an unchanged one, a changed one and a faulty one."""
    state = assert_same(server, {})
    assert_same(server, state)
    server.serve(catalog(revision=1))
    state = assert_same(server, state)
    odd = catalog(revision=1)["courses"]
    odd[3] = {**odd[3], "id": None}
    odd[5] = {**odd[5], "timeNeededInHours": "unknown", "weight": 0.1, "extra": {"b": 1, "a": [2]}}
    odd[7] = {**odd[7], "chapters": [{"id": "chapter"}, {"id": "chapter"}, "intro"], "live": 2}
    server.replace("courses", odd)
    assert_same(server, state)
    server.set_faults("tracks=403")
    assert_same(server, state)


def test_both_generations_declare_the_same_schema(server):
    """The service gives the ten tables with types and keys as `schema()` declares them."""
    emitted = sdk.emit_on_grpc({"bearer_token": TOKEN, "base_url": server.base_url}, {})
    assert emitted.tables == {
        entry["table"]: {
            name: [kind, name in entry["primary_key"]]
            for name, kind in {
                **dict.fromkeys(entry["primary_key"]),
                **entry["columns"],
            }.items()
        }
        for entry in connector.schema({})
    }


def test_a_failed_sync_fails_on_the_grpc_sdk(server):
    """A refused token ends the call with an error that says what to do, and without the token."""
    emitted = sdk.emit_on_grpc({"bearer_token": "wr0ng", "base_url": server.base_url}, {})
    assert "DataCamp rejected the token (HTTP 401); the sync stopped." in emitted.error
    assert "wr0ng" not in emitted.error
    assert emitted.operations == []
