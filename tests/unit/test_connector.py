"""The replay: its operations, their order, and the state at each checkpoint."""

from __future__ import annotations

import json
import weakref
from asyncio import CancelledError
from pathlib import Path

import pytest

import connector
import report
from async_client import CatalogFetched, RetryScheduled
from changes import state as states
from endpoints import ENDPOINTS
from tests.conftest import CONFIGURATION
from tests.support.cases import cases
from tests.support.recording import Catalogs, failed, token_rejected

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
    """Return the endpoints that have operations, in their order."""
    return list(dict.fromkeys(ENDPOINT_OF_TABLE[operation[1]] for operation in operations.writes))


def kinds(operations):
    """Return the kind of each operation, and the table of those that have one."""
    return [o[:2] if len(o) == 3 or o[0] == "truncate" else o[0] for o in operations.stream]


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


def test_an_initial_sync_makes_a_checkpoint_after_each_endpoint(recorded):
    """Each is truncated and written; an unchanged sync makes the six checkpoints alone."""
    operations, log, error = recorded(CATALOGS)
    assert error is None
    assert [set(state["endpoints"]) for state in operations.states] == [
        set(NAMES[:count]) for count in range(1, 7)
    ]
    assert written(operations) == NAMES
    columns = dict.fromkeys(operations.stream[1][2])
    assert operations.stream[:4] == [
        ("truncate", "assessment"),
        ("upsert", "assessment", {**columns, "id": "assessment-1"}),
        ("upsert", "assessment", {**columns, "id": "assessment-2"}),
        ("checkpoint", operations.states[0]),
    ]
    assert operations.of_kind("warning") == log.of_level("warning") == []
    again, _, error = recorded(CATALOGS, operations.states[-1])
    assert (error, again.stream) == (None, [("checkpoint", operations.states[-1])] * 6)


def test_an_endpoint_with_changes_has_a_checkpoint_before_and_after_them(recorded):
    """The first one says that the touched items are unknown; the others have one checkpoint."""
    operations, _, error = recorded(CHANGED, state_after(recorded))
    assert error is None
    assert kinds(operations) == [
        "checkpoint",
        ("upsert", "assessment"),
        ("delete", "assessment"),
        "checkpoint",
        "checkpoint",
        "checkpoint",
        ("upsert", "project"),
        ("upsert", "project_topic"),
        ("delete", "project_topic"),
        "checkpoint",
        "checkpoint",
        "checkpoint",
        "checkpoint",
        ("upsert", "course"),
        ("upsert", "course_chapter"),
        ("delete", "course_chapter"),
        ("delete", "course"),
        "checkpoint",
    ]
    assert recorded(CHANGED, operations.states[-1])[0].writes == []
    resumed = recorded(CHANGED, operations.states[-2])[0]
    assert kinds(resumed)[-6:] == kinds(operations)[-6:]
    assert written(resumed) == ["courses"]


@cases(
    "state, unusable",
    {
        "of another source": ({"source": "https://elsewhere.example"}, NAMES),
        "of another connector": ({"version": None}, NAMES),
        "damaged": ({"endpoints": {"practices": {"snapshot": ""}}}, NAMES),
    },
)
def test_a_state_that_is_not_used_is_replaced_before_the_first_operation(
    recorded, state, unusable
):
    """Otherwise a sync with the old address would rely on digests of rows that are overwritten."""
    operations, _, error = recorded(CATALOGS, {**state_after(recorded), **state})
    assert error is None
    assert kinds(operations)[:2] == ["checkpoint", ("truncate", "assessment")]
    assert operations.states[0]["endpoints"] == {}
    assert [len(state["endpoints"]) for state in operations.states] == list(range(7))


def test_a_damaged_snapshot_is_removed_before_the_first_operation_on_its_tables(recorded):
    state = state_after(recorded)
    state = {**state, "endpoints": {**state["endpoints"], "courses": {"snapshot": "damaged"}}}
    operations, _, error = recorded(CATALOGS, state)
    assert error is None
    assert written(operations) == ["courses"]
    assert [set(NAMES) - set(saved["endpoints"]) for saved in operations.states] == [
        *[{"courses"}] * 5,
        set(),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_endpoint_affects_itself_only(recorded, name):
    """The other five are written; the failed one keeps its rows and snapshot."""
    before = state_after(recorded)
    operations, log, error = recorded({**CHANGED, name: failed(name)}, before)
    assert isinstance(error, connector.SyncError)
    assert str(error).splitlines()[1:] == [f"- {failed(name)}"]
    assert log.of_level("error")[0] == str(failed(name))
    assert written(operations) == [
        each for each in ("assessments", "projects", "courses") if each != name
    ]
    state = operations.states[-1]
    assert state["endpoints"][name] == before["endpoints"][name]
    recovered, _, error = recorded(CHANGED, state)
    assert (error, recovered.of_kind("truncate")) == (None, [])


def test_all_endpoints_failing_leaves_the_state_alone(recorded):
    """Without a write there is no checkpoint, not even for a state that cannot be used."""
    results = {name: failed(name) for name in NAMES}
    for state in (state_after(recorded), {**state_after(recorded), "source": "elsewhere"}):
        operations, log, error = recorded(results, state)
        assert operations.stream == []
        assert str(error).splitlines()[1:] == [f"- {failed(name)}" for name in NAMES]
        assert log.of_level("error")[-1].startswith("Sync failed. 0 of 6 catalogs written")


@pytest.mark.parametrize("count", range(6))
def test_a_401_stops_the_sync_between_two_endpoints(recorded, count):
    results = CATALOGS | {NAMES[count]: token_rejected("courses")}
    operations, _, error = recorded(results)
    assert isinstance(error, connector.SyncError)
    assert str(error).startswith("DataCamp rejected the token (HTTP 401); the sync stopped.")
    assert written(operations) == NAMES[:count]
    assert [set(state["endpoints"]) for state in operations.states[-1:]] == [
        set(NAMES[:count]) for _ in operations.states[-1:]
    ]


def test_skipped_endpoints_have_no_checkpoint(recorded):
    """A skipped endpoint is not written and keeps its snapshot."""
    state = state_after(recorded)
    operations, log, error = recorded(
        CHANGED, state, skip_endpoints="courses, assessments, custom_tracks"
    )
    assert error is None
    assert (written(operations), len(operations.states)) == (["projects"], 4)
    assert operations.states[-1]["endpoints"]["courses"] == state["endpoints"]["courses"]
    assert log.of_level("info")[-1].endswith("skipped: assessments, custom_tracks, courses.")


@cases("result, skip", {"failed": (failed("tracks"), ""), "skipped": ([], "tracks")})
def test_the_endpoint_that_1_0_0_was_writing_has_no_snapshot_until_it_is_written(
    recorded, result, skip
):
    """It has none in any later state, even if it now fails or is skipped."""
    state = {**state_after(recorded), "writing": "tracks"}
    operations, _, _ = recorded({**CATALOGS, "tracks": result}, state, skip_endpoints=skip)
    assert all("tracks" not in saved["endpoints"] for saved in operations.states)
    assert operations.writes == []
    recovered, _, error = recorded(CATALOGS, operations.states[-1])
    assert error is None
    assert [o[1] for o in recovered.of_kind("truncate")] == ["track", "track_content"]


def test_an_endpoint_whose_state_would_be_too_large_fails_before_its_first_write(
    recorded, monkeypatch
):
    """The others are written, and its snapshot is kept."""
    state = state_after(recorded)
    monkeypatch.setattr(states, "MAX_STATE_BYTES", len(json.dumps(state)) + 200)
    large = [{"id": f"practice-{number}"} for number in range(100)]
    operations, _, error = recorded({**CHANGED, "practices": large}, state)
    (failure,) = str(error).splitlines()[1:]
    assert failure.startswith("- practices: not written, as the state would exceed")
    assert written(operations) == ["assessments", "projects", "courses"]
    assert operations.states[-1]["endpoints"]["practices"] == state["endpoints"]["practices"]


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
    known = [{"id": f"course-{number}", "chapters": [{"id": "a"}]} for number in range(4)]
    state = state_after(recorded, {**CATALOGS, "courses": known})
    odd = [
        {"id": None},
        {"id": "course-1", "chapters": [{"chapterId": "a"}]},
        {"id": "course-2", "chapters": 1},
        {"id": "course-9", "timeNeededInHours": "long"},
    ]
    operations, log, error = recorded({**CATALOGS, "courses": odd}, state)
    assert error is None
    ((_, warning),) = operations.of_kind("warning")
    for concern in (
        "2 rows rejected",
        "1 value did not fit",
        "1 nested list could not be read",
        "1 change deferred",
        "2 deletes deferred",
    ):
        assert concern in warning
    assert log.of_level("warning") == [
        "courses: rejected a row of course with id ?: it has no id",
        "courses: rejected a row of course_chapter with id course-1, id ?: it has no id",
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


def test_a_state_with_another_spelling_of_the_address_is_used(recorded):
    """Version 1.0.0 saved `base_url` as it was spelled."""
    state = state_after(recorded)
    respelled = {**state, "source": "HTTP://127.0.0.1:1/"}
    operations, log, error = recorded(CATALOGS, respelled, base_url="http://127.0.0.1:01")
    assert (error, operations.writes, log.of_level("warning")) == (None, [], [])
    assert operations.states[-1] == state


def test_an_unknown_key_of_the_configuration_is_warned_about(recorded):
    """The sync runs with the keys that are known."""
    operations, log, error = recorded(CATALOGS, skip_endpoint="tracks")
    (warning,) = log.of_level("warning")
    assert "'skip_endpoint'" in warning
    assert operations.stream[0] == ("warning", warning)
    assert (error, written(operations)) == (None, NAMES)


def test_an_unencrypted_token_is_warned_about(recorded):
    """Plain http to a host that is not loopback is reported in the log and the dashboard."""
    operations, log, _ = recorded(CATALOGS, base_url="http://proxy.example/datacamp/")
    ((_, warning),) = operations.of_kind("warning")
    assert warning.startswith("base_url is http://proxy.example/datacamp: http is unencrypted")
    assert log.of_level("warning") == [warning]


def test_the_log_names_what_an_early_catalog_waits_for(recorded):
    """It is the endpoint that is written next, until that has arrived."""
    early, first, later = (
        CatalogFetched(name, 0, 0, 0.0, 1) for name in ("courses", "assessments", "tracks")
    )
    retry = RetryScheduled("tracks", 1, 6, "HTTP 503", 0.5)
    limited = [RetryScheduled("tracks", number, None, "HTTP 429", 15) for number in (1, 2, 3)]
    events = {"assessments": [early, first, later], "practices": [retry, *limited]}
    _, log, _ = recorded(Catalogs({}, events))
    assert [line for line in log.of_level("info") if " fetched" in line] == [
        "courses fetched: 0 items, 0.0 kB, 0.00 s; waiting for assessments",
        "assessments fetched: 0 items, 0.0 kB, 0.00 s",
        "tracks fetched: 0 items, 0.0 kB, 0.00 s",
    ]
    retries = [line for line in log.of_level("warning") if line.startswith("tracks: ")]
    assert retries[:2] == [report.retrying(event) for event in (retry, limited[0])]
    assert not any("HTTP" in line for line in retries[2:])


def test_a_catalog_is_released_once_it_is_written(recorded):
    """While a later endpoint is written, nothing holds the items of an earlier one."""
    held = []

    class Watched(Catalogs):
        def take(self, endpoint_name):
            catalog = super().take(endpoint_name)
            held.append([name for name, taken in taken_catalogs if taken() is not None])
            taken_catalogs.append((endpoint_name, weakref.ref(catalog)))
            return catalog

    taken_catalogs = []
    recorded(Watched(CATALOGS))
    assert held == [[]] * 6


def test_an_invalid_configuration_ends_the_sync_and_the_connection_test_alike():
    configuration = {**CONFIGURATION, "bearer_token": ""}
    with pytest.raises(ValueError, match="bearer_token is missing") as error:
        connector.update(configuration, {})
    assert connector.connection_test(configuration).failure == str(error.value)


def test_an_upgrade_from_1_0_0_writes_only_items_with_undeclared_nulls(recorded):
    """The state of 1.0.0 has the digests that this version computes for all other items."""
    left = json.loads(Path(__file__).with_name("state_of_1_0_0.json").read_text(encoding="utf-8"))
    operations, _, error = recorded(left["catalogs"], left["state"])
    assert error is None
    assert all(left["catalogs"].values())
    # The hours of practices and assessments are undeclared; in this catalog some are null.
    written = [(kind, table, row["id"]) for kind, table, row in operations.writes]
    practices = ("practice-1200", "practice-1201", "practice-1202")
    assert written == [("upsert", "practice", practice) for practice in practices]
