"""The replay: its operations, their order, and the state at each checkpoint."""

from __future__ import annotations

import json
import weakref
from asyncio import CancelledError
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path

import pytest

import connector
import report
from async_client import CatalogFetched
from endpoints import ENDPOINTS
from tests.conftest import CONFIGURATION
from tests.support.cases import cases
from tests.support.recording import Arrived, arrived, failed, token_rejected

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


def state_after(recorded, catalogs=CATALOGS):
    """Run one sync without a failure; return its last state."""
    operations, _, error = recorded(catalogs)
    assert error is None
    return operations.states[-1]


def written(operations):
    """Return the endpoints of the operations, each of which the last checkpoint has to name."""
    names, writing = [], None
    for kind, about, *_ in operations.stream:
        if kind == "checkpoint":
            writing = about["writing"]
        elif kind != "warning":
            assert ENDPOINT_OF_TABLE[about] == writing
            names.append(writing)
    return list(dict.fromkeys(names))


def test_schema_declares_every_table():
    """`schema()` returns each table with its primary key and the type of every column."""
    declared = connector.schema({})
    assert [entry["table"] for entry in declared] == list(ENDPOINT_OF_TABLE)
    texts = dict.fromkeys(["id", "type", "title"], "STRING")
    assert declared[7] == {
        "table": "track_content",
        "primary_key": ["track_id", "position"],
        "columns": {"track_id": "STRING", "position": "LONG", **texts},
    }


def test_an_initial_sync_makes_seven_checkpoints(recorded):
    """It truncates and writes each endpoint after a checkpoint that names it, in order.

    If nothing has changed, the next sync makes only the checkpoints, without another state.
    """
    operations, log, error = recorded(CATALOGS)
    assert error is None
    assert [(set(s["endpoints"]), s["writing"]) for s in operations.states] == [
        (set(NAMES[:count]), name) for count, name in enumerate([*NAMES, None])
    ]
    assert written(operations) == NAMES
    columns = dict.fromkeys(operations.stream[2][2])
    assert operations.stream[1:4] == [
        ("truncate", "assessment"),
        ("upsert", "assessment", {**columns, "id": "assessment-1"}),
        ("upsert", "assessment", {**columns, "id": "assessment-2"}),
    ]
    assert operations.of_kind("warning") == log.of_level("warning") == []
    again, _, error = recorded(CATALOGS, operations.states[-1])
    assert (error, again.writes) == (None, [])
    assert [(s["endpoints"], s["writing"]) for s in again.states] == [
        (operations.states[-1]["endpoints"], name) for name in [*NAMES, None]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_endpoint_affects_itself_only(recorded, name):
    """The other five are written; the failed one keeps its rows and snapshot."""
    before = state_after(recorded)
    operations, log, error = recorded({**CHANGED, name: failed(name)}, before)
    assert isinstance(error, connector.SyncError)
    assert str(error).splitlines()[1:] == [f"- {failed(name)}"]
    assert log.of_level("error") == [str(failed(name))]
    assert len(operations.states) == (6 if name == NAMES[0] else 7)
    changed = [each for each in ("assessments", "projects", "courses") if each != name]
    assert written(operations) == changed
    state = operations.states[-1]
    assert state["writing"] is None
    assert state["endpoints"][name] == before["endpoints"][name]
    recovered, _, error = recorded(CHANGED, state)
    assert (error, recovered.of_kind("truncate")) == (None, [])


def test_all_endpoints_failing_leaves_the_state_alone(recorded):
    """Without a write there is no checkpoint, and the error lists all six."""
    operations, _, error = recorded({name: failed(name) for name in NAMES}, state_after(recorded))
    assert operations.stream == []
    assert str(error).splitlines()[1:] == [f"- {failed(name)}" for name in NAMES]


@pytest.mark.parametrize("count", range(6))
def test_a_401_stops_the_sync_between_two_endpoints(recorded, count):
    """The endpoint being written is completed, and the last checkpoint has `writing` null."""
    late = Future() if count else arrived(token_rejected("courses"))

    def reject(operation):
        if operation[:2] == ("upsert", ENDPOINTS[count - 1].table.name):
            late.set_exception(token_rejected("courses"))

    operations, _, error = recorded({**CHANGED, "courses": late}, before=reject)
    assert isinstance(error, connector.SyncError)
    assert str(error) == report.failure([token_rejected("courses")], 6)
    assert written(operations) == NAMES[:count]
    if count:
        last = operations.states[-1]
        assert (set(last["endpoints"]), last["writing"]) == (set(NAMES[:count]), None)
    else:
        assert operations.stream == []


def test_skipped_endpoints_have_no_checkpoint(recorded):
    """A skipped endpoint is not written and keeps its snapshot."""
    state = state_after(recorded)
    operations, log, error = recorded(
        CHANGED, state, skip_endpoints="courses, assessments, custom_tracks"
    )
    assert error is None
    assert [s["writing"] for s in operations.states] == ["practices", "projects", "tracks", None]
    assert written(operations) == ["projects"]
    assert operations.states[-1]["endpoints"]["courses"] == state["endpoints"]["courses"]
    assert log.of_level("info")[-1].endswith("skipped: assessments, custom_tracks, courses.")


@cases("answer, skip", {"failed": (failed("tracks"), ""), "skipped": ([], "tracks")})
def test_an_interrupted_endpoint_has_no_snapshot_until_it_is_written(recorded, answer, skip):
    """It has none in any later state, even if it now fails or is skipped."""
    state = {**state_after(recorded), "writing": "tracks"}
    operations, log, _ = recorded({**CATALOGS, "tracks": answer}, state, skip_endpoints=skip)
    assert all("tracks" not in saved["endpoints"] for saved in operations.states)
    assert operations.writes == []
    assert log.of_level("warning") == [
        "The last sync was interrupted while it wrote tracks. Rewriting its tables."
    ]
    recovered, _, error = recorded(CATALOGS, operations.states[-1])
    assert error is None
    assert [o[1] for o in recovered.of_kind("truncate")] == ["track", "track_content"]


@cases(
    "stop, expected",
    {
        "Ctrl-C": (KeyboardInterrupt, "SyncError: The sync was interrupted (KeyboardInterrupt)."),
        "an exit": (SystemExit, "SyncError: The sync was interrupted (SystemExit)."),
        "cancelled": (CancelledError, "SyncError: The sync was interrupted (CancelledError)."),
        "an error of the SDK": (OSError("the disk is full"), "OSError: the disk is full"),
    },
)
def test_update_raises_nothing_but_exceptions(recorded, stop, expected):
    """An exit, which the gRPC SDK would treat as success, fails the sync as an error does."""

    def interrupt(operation):
        if operation[0] == "upsert":
            raise stop

    _, _, error = recorded(CATALOGS, before=interrupt)
    assert f"{type(error).__name__}: {error}" == expected


def test_an_endpoint_warns_once_for_all_its_concerns(recorded):
    """Rejected rows, bad values and deferred deletes are reported in one warning per endpoint."""
    known = [{"id": f"course-{number}"} for number in range(4)]
    state = state_after(recorded, {**CATALOGS, "courses": known})
    odd = [{"id": None}, *known[1:], {"id": "course-9", "timeNeededInHours": "long"}]
    operations, log, error = recorded({**CATALOGS, "courses": odd}, state)
    assert error is None
    ((_, warning),) = operations.of_kind("warning")
    for concern in ("1 row rejected", "1 value did not fit", "1 delete deferred"):
        assert concern in warning
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
    operations, log, _ = recorded(CATALOGS, base_url="http://proxy.example/datacamp/")
    ((_, warning),) = operations.of_kind("warning")
    assert warning.startswith("base_url is http://proxy.example/datacamp: http is unencrypted")
    assert log.of_level("warning") == [warning]


def test_the_log_names_what_an_early_catalog_waits_for(recorded, monkeypatch):
    """It is the endpoint that is written next; that one waits for none."""

    def fetching(_settings, _limits, on_event):
        for name in ("courses", "assessments"):
            on_event(CatalogFetched(name, 0, 0, 0.0, 1))
        return nullcontext(Arrived({name: arrived([]) for name in NAMES}))

    monkeypatch.setattr(connector, "fetching", fetching)
    _, log, _ = recorded()
    assert [line for line in log.of_level("info") if " fetched" in line] == [
        "courses fetched: 0 items, 0.0 kB, 0.00 s; waiting for assessments",
        "assessments fetched: 0 items, 0.0 kB, 0.00 s",
    ]


def test_large_catalogs_report_progress(recorded, monkeypatch):
    """A line every `PROGRESS_ITEMS` items, never one per record."""
    monkeypatch.setattr(connector, "PROGRESS_ITEMS", 2)
    _, log, _ = recorded({**CATALOGS, "practices": [{"id": str(n)} for n in range(5)]})
    assert [line for line in log.of_level("info") if "of 5" in line] == [
        "practices: 2 of 5 items",
        "practices: 4 of 5 items",
    ]


def test_a_catalog_is_released_once_it_is_written(recorded, monkeypatch):
    """While a later endpoint is written, nothing holds the items of an earlier one."""
    futures = Arrived({name: arrived([]) for name in NAMES})
    catalog = weakref.ref(futures["assessments"].result())
    monkeypatch.setattr(connector, "fetching", lambda *_: nullcontext(futures))
    seen = []
    recorded(before=lambda operation: seen.append((*operation[:2], catalog() is not None)))
    held = [table for kind, table, is_held in seen if kind == "truncate" and is_held]
    assert held == ["assessment"]


def test_an_invalid_configuration_makes_no_request(recorded, monkeypatch):
    """It ends the sync, and the connection test with the same text, before anything is fetched."""
    monkeypatch.setattr(connector, "fetching", None)
    operations, _, error = recorded(bearer_token="")
    assert (type(error), operations.stream) == (ValueError, [])
    assert str(error).startswith("bearer_token is missing")
    result = connector.connection_test({**CONFIGURATION, "bearer_token": ""})
    assert result.failure == str(error)


def test_an_upgrade_from_1_0_0_writes_nothing(recorded):
    """The state of 1.0.0 has the digests that this version computes for the same catalogs."""
    left = json.loads(Path(__file__).with_name("state_of_1_0_0.json").read_text(encoding="utf-8"))
    operations, _, error = recorded(left["catalogs"], left["state"])
    assert error is None
    assert all(left["catalogs"].values())
    assert {kind for kind, *_ in operations.stream} == {"checkpoint"}
