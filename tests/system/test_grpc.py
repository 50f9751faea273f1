"""SDK 2.13, the gRPC generation that runs in production, receives the operations of SDK 3.0."""

from __future__ import annotations

import json

import pytest

import connector
from devkit import sdk
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.cases import cases

# `make test` creates a second environment, as one process cannot import both generations.
pytestmark = pytest.mark.skipif(
    not sdk.GRPC_PYTHON.exists(), reason="NOT TESTED on SDK 2.13: make .venv-grpc/installed"
)


@pytest.fixture
def server():
    """Serve the real-size catalog."""
    with serving(catalog()) as running:
        yield running


def assert_same(server, state):
    """Run the same sync on both generations; return the state and the error."""
    configuration = {"bearer_token": server.token, "base_url": server.base_url}
    new, old = sdk.emit(configuration, state), sdk.emit_on_grpc(configuration, state)
    assert old.operations == new.operations
    assert (old.error is None) == (new.error is None)
    assert server.token not in (old.error or "")
    *_, last = [operation for operation in new.operations if operation[0] == "checkpoint"]
    return json.loads(last[1]), old.error


def test_both_generations_get_the_same_operations(server):
    """In an initial sync, an unchanged one, a changed one, one with odd items and a failed one."""
    state, _ = assert_same(server, {})
    assert_same(server, state)
    server.serve(catalog(revision=1))
    state, _ = assert_same(server, state)
    odd = catalog(revision=1)["courses"]
    odd[3] = {**odd[3], "id": None}
    odd[5] = {**odd[5], "timeNeededInHours": "unknown", "weight": 0.1, "extra": {"b": 1, "a": [2]}}
    odd[7] = {**odd[7], "chapters": [{"id": "chapter"}, {"id": "chapter"}, "intro"], "live": 2}
    server.replace("courses", odd)
    assert assert_same(server, state)[1] is None
    server.set_faults("tracks=403")
    assert "tracks: GET" in assert_same(server, state)[1]


def test_both_generations_resume_a_killed_sync_alike(server):
    """From the state that was saved before the operations on the last endpoint."""
    configuration = {"bearer_token": server.token, "base_url": server.base_url}
    state, _ = assert_same(server, {})
    server.serve(catalog(revision=1))
    states = [o[1] for o in sdk.emit(configuration, state).operations if o[0] == "checkpoint"]
    resumed = sdk.emit_on_grpc(configuration, json.loads(states[-2])).operations
    assert {o[1] for o in resumed if o[0] in ("upsert", "delete")} == {"course", "course_chapter"}
    assert_same(server, json.loads(states[-2]))


@cases(
    "chapters, concern",
    {
        "an empty list": ([], "changes deferred because"),
        "a renamed key": ([{"chapterId": "a"}], "changes deferred because"),
        "a link": ("/chapters", "nested lists could not be read"),
    },
)
def test_no_chapter_is_deleted_if_the_chapters_of_all_courses_are_gone(server, chapters, concern):
    """On both generations; the warning says so."""
    configuration = {"bearer_token": server.token, "base_url": server.base_url}
    state = json.loads(sdk.emit(configuration, {}).operations[-1][1])
    courses = [{**course, "chapters": chapters} for course in catalog()["courses"]]
    server.replace("courses", courses)
    assert_same(server, state)
    operations = sdk.emit_on_grpc(configuration, state).operations
    assert {o[0] for o in operations} <= {"checkpoint", "warning", "upsert"}
    assert {o[1] for o in operations if o[0] == "upsert"} <= {"course"}
    assert any(concern in o[1] for o in operations if o[0] == "warning")


def test_both_generations_declare_the_same_schema(server):
    """SDK 2.13 declares the ten tables with the types and keys that `schema()` returns."""
    configuration = {"bearer_token": server.token, "base_url": server.base_url}
    assert sdk.emit_on_grpc(configuration, {}).tables == {
        entry["table"]: {
            name: [kind, name in entry["primary_key"]] for name, kind in entry["columns"].items()
        }
        for entry in connector.schema({})
    }
