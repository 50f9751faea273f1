"""The replay: its operations, their order, and the state at each checkpoint."""

from __future__ import annotations

import asyncio
import json
import weakref
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

import connector
from async_client import Catalog, CatalogFetched
from endpoints import ENDPOINTS
from tests.conftest import CONFIGURATION
from tests.support.recording import failed, refused

NAMES = [endpoint.name for endpoint in ENDPOINTS]
ENDPOINT_OF_TABLE = {table.name: e.name for e in ENDPOINTS for table in e.tables}

CATALOGS = {
    "assessments": [{"id": "assessment-1"}, {"id": "assessment-2"}],
    "practices": [{"id": "practice-1"}],
    "projects": [{"id": "project-1", "topics": ["SQL", "Python"]}],
    "custom_tracks": [{"id": "custom-1", "content": [{"id": "course-1"}]}],
    "tracks": [{"id": "track-1", "content": [{"id": "course-1"}, {"id": "course-2"}]}],
    "courses": [{"id": "course-1", "chapters": [{"id": "chapter-1"}]}, {"id": "course-2"}],
}
CHANGED = {
    **CATALOGS,
    "assessments": [{"id": "assessment-2", "title": "New"}],
    "projects": [{"id": "project-1", "topics": ["SQL"]}],
    "courses": [{"id": "course-2", "chapters": [{"id": "chapter-1"}]}],
}


@contextmanager
def _table_of(catalogs):
    yield catalogs


def state_after(recorded, catalogs=CATALOGS):
    """Run one sync without a failure; return its last state."""
    operations, _, error = recorded(catalogs)
    assert error is None
    return operations.states[-1]


def assert_announced(operations):
    """Check that each operation belongs to the endpoint that the last checkpoint names."""
    writing = None
    for operation in operations.stream:
        if operation[0] == "checkpoint":
            writing = operation[1]["writing"]
        elif operation[0] != "warning":
            assert ENDPOINT_OF_TABLE[operation[1]] == writing, operation


def test_schema_declares_the_ten_tables():
    """`schema()` returns each table with its primary key and the type of every known column."""
    declared = connector.schema({})
    assert [entry["table"] for entry in declared] == [
        "assessment",
        "practice",
        "project",
        "project_topic",
        "custom_track",
        "custom_track_content",
        "track",
        "track_content",
        "course",
        "course_chapter",
    ]
    assert declared[7] == {
        "table": "track_content",
        "primary_key": ["track_id", "position"],
        "columns": {
            "track_id": "STRING",
            "position": "LONG",
            "id": "STRING",
            "type": "STRING",
            "title": "STRING",
        },
    }


def test_an_initial_sync_makes_seven_checkpoints(recorded):
    """It truncates and writes each endpoint after a checkpoint that names it, in order."""
    operations, log, error = recorded(CATALOGS)
    assert error is None
    assert [state["writing"] for state in operations.states] == [*NAMES, None]
    assert [sorted(state["endpoints"]) for state in operations.states] == [
        sorted(NAMES[:count]) for count in range(7)
    ]
    assert_announced(operations)
    assert operations.stream[1:4] == [
        ("truncate", "assessment"),
        ("upsert", "assessment", {**dict.fromkeys(operations.stream[2][2]), "id": "assessment-1"}),
        ("upsert", "assessment", {**dict.fromkeys(operations.stream[2][2]), "id": "assessment-2"}),
    ]
    assert not operations.of_kind("warning")
    assert not log.of_level("warning")


def test_a_sync_of_unchanged_catalogs_only_makes_checkpoints(recorded):
    """Nothing is written if nothing changed, and the last state is the first."""
    state = state_after(recorded)
    operations, _, error = recorded(CATALOGS, state)
    assert (error, operations.writes) == (None, [])
    assert [s["writing"] for s in operations.states] == [*NAMES, None]
    assert operations.states[-1] == state


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_endpoint_affects_itself_only(recorded, name):
    """The other five are written in each sync; the failed one keeps its rows and snapshot."""
    state = state_after(recorded)
    kept = state["endpoints"][name]
    for catalogs in (CHANGED, CATALOGS):
        operations, log, error = recorded({**catalogs, name: failed(name)}, state)
        assert isinstance(error, connector.SyncError)
        assert f"- {name}: GET http://mock failed after 6 attempts: it is down. Wait." in str(
            error
        )
        assert len(operations.states) == (6 if name == NAMES[0] else 7)
        assert_announced(operations)
        assert name not in {ENDPOINT_OF_TABLE[operation[1]] for operation in operations.writes}
        state = operations.states[-1]
        assert state["writing"] is None
        assert state["endpoints"][name] == kept
        assert log.of_level("error") == [str(failed(name))]
    recovered, _, error = recorded(CHANGED, state)
    assert error is None
    assert not recovered.of_kind("truncate")


def test_all_endpoints_failing_leaves_the_state_alone(recorded):
    """Without a write there is no checkpoint, and the error lists all six."""
    operations, _, error = recorded({name: failed(name) for name in NAMES}, state_after(recorded))
    assert operations.stream == []
    assert [line.split(":")[0] for line in str(error).splitlines()[1:]] == [
        f"- {name}" for name in NAMES
    ]


@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_a_rejected_token_stops_the_sync_before_the_next_endpoint(recorded, name):
    """A 401 that has arrived at the start stops the sync before anything is written."""
    answers = {**CATALOGS, name: refused(name)}
    operations, _, error = recorded(answers)
    assert operations.stream == []
    assert (
        str(error).splitlines()[0] == "DataCamp rejected the token (HTTP 401); the sync stopped."
    )
    assert f"- {name}: GET http://mock failed after 1 attempt: 401. Renew it." in str(error)


@pytest.mark.parametrize("place", range(1, 6))
def test_a_late_401_stops_the_sync_after_the_endpoint_being_written(recorded, monkeypatch, place):
    """An endpoint is never left half written, and the last checkpoint has `writing` null."""
    futures = {name: Future() for name in NAMES}
    for name in NAMES[:place]:
        futures[name].set_result(Catalog(CATALOGS[name]))

    def refuse(operation):
        in_hand = operation[0] == "upsert" and ENDPOINT_OF_TABLE[operation[1]] == NAMES[place - 1]
        for name in NAMES[place:] if in_hand else ():
            if not futures[name].done():
                futures[name].set_exception(refused("courses"))

    monkeypatch.setattr(connector, "fetching", lambda *_: _table_of(dict(futures)))
    operations, _, error = recorded(before=refuse)
    assert isinstance(error, connector.SyncError)
    assert_announced(operations)
    assert {ENDPOINT_OF_TABLE[o[1]] for o in operations.writes} == set(NAMES[:place])
    assert operations.states[-1]["writing"] is None
    assert list(operations.states[-1]["endpoints"]) == sorted(NAMES[:place])


def test_skipped_endpoints_have_no_checkpoint(recorded):
    """A skipped endpoint is not written and keeps its snapshot."""
    state = state_after(recorded)
    operations, log, error = recorded(
        CHANGED, state, skip_endpoints="courses, assessments, custom_tracks"
    )
    assert error is None
    assert [s["writing"] for s in operations.states] == ["practices", "projects", "tracks", None]
    assert {ENDPOINT_OF_TABLE[o[1]] for o in operations.writes} == {"projects"}
    assert operations.states[-1]["endpoints"]["courses"] == state["endpoints"]["courses"]
    assert log.of_level("info")[-1].endswith("skipped: assessments, custom_tracks, courses.")


@pytest.mark.parametrize("what", ["failed", "skipped"])
def test_an_interrupted_endpoint_has_no_snapshot_until_it_is_written(recorded, what):
    """It has none in any later state, even if it now fails or is skipped."""
    state = {**state_after(recorded), "writing": "tracks"}
    answers = {**CATALOGS, "tracks": failed("tracks")} if what == "failed" else CATALOGS
    skip = "tracks" if what == "skipped" else ""
    operations, log, _ = recorded(answers, state, skip_endpoints=skip)
    assert all("tracks" not in saved["endpoints"] for saved in operations.states)
    assert operations.writes == []
    assert log.of_level("warning") == [
        "The last sync was interrupted while it wrote tracks. Rewriting its tables."
    ]
    recovered, _, error = recorded(CATALOGS, operations.states[-1])
    assert error is None
    assert {o[1] for o in recovered.of_kind("truncate")} == {"track", "track_content"}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_update_raises_nothing_but_exceptions(recorded, stop):
    """An exit that the gRPC SDK would treat as success fails the sync."""

    def interrupt(operation):
        if operation[0] == "upsert":
            raise stop

    _, _, error = recorded(CATALOGS, before=interrupt)
    assert isinstance(error, connector.SyncError)
    assert str(error) == f"The sync was interrupted ({stop.__name__})."


def test_the_error_of_an_operation_is_raised_unchanged(recorded):
    """The SDK's own error ends the sync."""

    def fail(operation):
        if operation[0] == "upsert":
            raise OSError("the destination is full")

    _, _, error = recorded(CATALOGS, before=fail)
    assert (type(error), str(error)) == (OSError, "the destination is full")


def test_an_endpoint_warns_once_for_all_its_concerns(recorded):
    """Rejected rows, bad values and deferred deletes are reported in one warning per endpoint."""
    known = [{"id": f"course-{number}"} for number in range(4)]
    state = state_after(recorded, {**CATALOGS, "courses": known})
    odd = [{"id": None}, *known[1:], {"id": "course-9", "timeNeededInHours": "long"}]
    operations, log, error = recorded({**CATALOGS, "courses": odd}, state)
    assert error is None
    ((_, warning),) = operations.of_kind("warning")
    assert warning == (
        "courses: 1 row rejected; the first is of course, id ?: it has no id. "
        "1 value did not fit and became NULL or incomplete: course.timeNeededInHours 1. "
        "1 delete deferred because an item has no readable id. An item is deleted once it is "
        "missing in 3 syncs in a row; re-sync to delete at once."
    )
    assert log.of_level("warning") == [
        "courses: rejected a row of course with id ?: it has no id",
        warning,
    ]


def test_an_empty_catalog_without_a_snapshot_is_warned_about(recorded):
    """It marks all rows as deleted, which is worth a warning; later syncs have none."""
    empty = {**CATALOGS, "custom_tracks": []}
    operations, log, _ = recorded(empty)
    assert ("truncate", "custom_track") in operations.stream
    assert log.of_level("warning") == [
        "custom_tracks: the catalog is empty; its rows were marked as deleted."
    ]
    _, log, _ = recorded(empty, operations.states[-1])
    assert log.of_level("warning") == []


def test_an_unencrypted_token_is_warned_about(recorded):
    """Plain http to a host that is not loopback is reported in the log and the dashboard."""
    operations, log, error = recorded(CATALOGS, base_url="http://proxy.example/datacamp/")
    assert error is None
    (warning,) = operations.of_kind("warning")
    assert "base_url is http://proxy.example/datacamp: http is unencrypted" in warning[1]
    assert warning[1] in log.of_level("warning")


def test_a_catalog_that_arrives_early_says_what_it_waits_for(recorded, monkeypatch):
    """The log names the endpoint that is written first; the next in order waits for none."""
    monkeypatch.setattr(
        connector, "fetching", lambda _settings, _limits, on_event: _arriving(on_event)
    )
    _, log, _ = recorded()
    lines = [line for line in log.of_level("info") if " fetched" in line]
    assert lines == [
        "courses fetched: 0 items, 0.0 kB, 0.00 s; waiting for assessments",
        "assessments fetched: 0 items, 0.0 kB, 0.00 s",
        "practices fetched: 0 items, 0.0 kB, 0.00 s; waiting for assessments",
    ]


@contextmanager
def _arriving(on_event):
    futures = {name: Future() for name in NAMES}
    for name in NAMES:
        futures[name].set_result(Catalog([]))
    for name in ("courses", "assessments", "practices"):
        on_event(CatalogFetched(name, 0, 0, 0.0, 1))
    yield futures


def test_large_catalogs_report_progress(recorded, monkeypatch):
    """A line every `PROGRESS_ITEMS` items, never one per record."""
    monkeypatch.setattr(connector, "PROGRESS_ITEMS", 2)
    _, log, _ = recorded({**CATALOGS, "practices": [{"id": str(n)} for n in range(5)]})
    assert [line for line in log.of_level("info") if "of 5" in line] == [
        "practices: 2 of 5 items",
        "practices: 4 of 5 items",
    ]


class _Item(dict):
    """An item that a weak reference can observe."""


def test_a_catalog_is_released_once_it_is_written(recorded, monkeypatch):
    """While a later endpoint is written, nothing holds the items of an earlier one."""
    item = _Item(id="assessment-1")
    gone = weakref.ref(item)
    futures = {name: Future() for name in NAMES}
    for name in NAMES[1:]:
        futures[name].set_result(Catalog([]))
    futures["assessments"].set_result(Catalog([item]))
    monkeypatch.setattr(connector, "fetching", lambda *_, held=futures: _table_of(held))
    del item
    seen = []

    def look(operation):
        if operation[0] == "truncate":
            seen.append((operation[1], gone() is None))

    recorded(before=look)
    assert seen[:2] == [("assessment", False), ("practice", True)]


def test_an_invalid_configuration_makes_no_request(recorded, monkeypatch):
    """It ends the sync before anything is fetched."""

    def fetching(*_):
        raise AssertionError

    monkeypatch.setattr(connector, "fetching", fetching)
    operations, _, error = recorded(skip_endpoints="course")
    assert (type(error), operations.stream) == (ValueError, [])
    assert str(error).startswith("skip_endpoints contains 'course', which is not an endpoint")


def test_the_connection_test_reports_an_invalid_configuration():
    """It fails the setup test with the error of a sync."""
    result = connector.connection_test({**CONFIGURATION, "bearer_token": ""})
    assert result.failure.startswith("bearer_token is missing")


def test_an_upgrade_from_1_0_0_writes_nothing(recorded):
    """The state of 1.0.0 has the digests that this version computes for the same catalogs."""
    left = json.loads(Path(__file__).with_name("state_of_1_0_0.json").read_text(encoding="utf-8"))
    operations, _, error = recorded(left["catalogs"], left["state"])
    assert error is None
    assert all(left["catalogs"].values())
    assert {kind for kind, *_ in operations.stream} == {"checkpoint"}
