"""The gRPC SDK gets the same operations as the newer one: a process per sync, over its service."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import connector
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support import sdk

PROJECT = Path(__file__).resolve().parents[2]
PYTHON = PROJECT / ".venv-grpc" / "bin" / "python"
TOKEN = "token-for-both-generations"

# A second virtual environment, as one process cannot hold both generations. `make test` makes it.
pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="NOT TESTED on SDK 2.13: make .venv-grpc/installed"
)


def grpc_sync(configuration, state):
    """Run one sync on SDK 2.13; gives its tables, operations and error."""
    finished = subprocess.run(
        [PYTHON, PROJECT / "tests" / "support" / "grpc_sync.py"],
        input=json.dumps({"configuration": configuration, "state": state}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(finished.stdout)


@pytest.fixture
def server():
    """Serve the real-size catalog."""
    with serving(catalog(), token=TOKEN) as running:
        yield running


def assert_same(server, state):
    """Run the same sync on both; gives the state it leaves."""
    configuration = {"bearer_token": TOKEN, "base_url": server.base_url}
    new, error = sdk.emitted(configuration, state)
    old = grpc_sync(configuration, state)
    assert (error is None) == (old["error"] is None)
    assert old["operations"] == new
    return json.loads([o for o in new if o[0] == "checkpoint"][-1][1])


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
    tables = grpc_sync({"bearer_token": TOKEN, "base_url": server.base_url}, {})["tables"]
    assert tables == {
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
    outcome = grpc_sync({"bearer_token": "wr0ng", "base_url": server.base_url}, {})
    assert "DataCamp rejected the token (HTTP 401); the sync stopped." in outcome["error"]
    assert "wr0ng" not in outcome["error"]
    assert outcome["operations"] == []
