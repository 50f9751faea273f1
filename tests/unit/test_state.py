"""The state between syncs: its shape, and which parts of a saved one can be used."""

from __future__ import annotations

import json

import pytest

from changes import State, resume
from changes.limits import MAX_STATE_BYTES
from changes.snapshot import SnapshotEntry, encode
from endpoints import ENDPOINTS
from tests.support.cases import cases

SOURCE = "https://lms-catalog-api.datacamp.com"
NAMES = [endpoint.name for endpoint in ENDPOINTS]
COURSES = {
    "course-1": SnapshotEntry(b"12345678", ("chapter-1",)),
    "course-2": SnapshotEntry(b"abcdefgh", (), 2),
}
TRACKS = {"track-1": SnapshotEntry(b"87654321", (1, 2, 3))}
SNAPSHOTS = {"courses": COURSES, "tracks": TRACKS}
ENTRIES = {name: encode(name, snapshot) for name, snapshot in SNAPSHOTS.items()}
SAVED = {"version": 1, "source": SOURCE, "writing": None, "endpoints": ENTRIES}
REWRITTEN = "Tables are rewritten once their catalog has arrived."


def resumed(saved):
    """Resume from a state; return the snapshots, whether the state is stale, and the notes."""
    state, notes = resume(saved, SOURCE, NAMES)
    assert state.to_json()["endpoints"] == {
        name: encode(name, state.snapshot(name)) for name in state.endpoints
    }
    return {name: state.snapshot(name) for name in state.endpoints}, state.is_stale, notes


def without(key):
    """Return the saved state without one of its members."""
    return {name: value for name, value in SAVED.items() if name != key}


def test_a_state_has_version_source_and_snapshots_sorted_by_endpoint():
    """`writing` is for version 1.0.0, which could not read a state without it."""
    state = State(SOURCE).record("tracks", TRACKS).record("courses", COURSES)
    assert json.dumps(state.to_json()) == json.dumps(SAVED)


def test_recording_replaces_the_snapshot_of_one_endpoint():
    state, _ = resume(SAVED, SOURCE, NAMES)
    recorded = state.record("courses", {})
    assert recorded.to_json() == {
        **SAVED,
        "endpoints": {"courses": encode("courses", {}), "tracks": ENTRIES["tracks"]},
    }
    assert (state.to_json(), recorded.snapshot("projects")) == (SAVED, None)


def test_a_state_that_is_read_is_written_unchanged():
    """`{}` is the state of a new connection."""
    assert resumed({}) == ({}, False, [])
    saved = json.loads(json.dumps({**SAVED, "more": 1}))
    assert resumed(saved) == (SNAPSHOTS, False, [])
    assert resume(saved, SOURCE, NAMES)[0].to_json() == SAVED


def test_a_state_beyond_what_fivetran_allows_is_too_large():
    """Its size is that of the text, in which a character can take six."""
    text = len(json.dumps(State(SOURCE).record("tracks", {}).to_json()))
    unused = MAX_STATE_BYTES - text
    assert not State(SOURCE + "é" * (unused // 6)).record("tracks", {}).is_too_large()
    assert State(SOURCE + "é" * (unused // 6 + 1)).record("tracks", {}).is_too_large()


@cases(
    "saved, problem",
    {
        "the published example's": (
            {"last_synced_endpoint": "assessments"},
            "another connector wrote it",
        ),
        "no version": (without("version"), "another connector wrote it"),
        "version true": ({**SAVED, "version": True}, "its version is True, not 1"),
        "a later version": ({**SAVED, "version": 2}, "its version is 2, not 1"),
        "no source": (without("source"), f"its source is None, not '{SOURCE}'"),
        "another source": (
            {**SAVED, "source": "https://elsewhere.example"},
            f"its source is 'https://elsewhere.example', not '{SOURCE}'",
        ),
        "writing an unknown endpoint": (
            {**SAVED, "writing": "podcasts"},
            "it names 'podcasts' as the endpoint being written, which does not exist",
        ),
        "writing a list": (
            {**SAVED, "writing": ["tracks"]},
            "it names ['tracks'] as the endpoint being written, which does not exist",
        ),
        "no `writing`": (without("writing"), "it is incomplete"),
        "no endpoints": (without("endpoints"), "it is incomplete"),
        "a list of endpoints": ({**SAVED, "endpoints": list(ENTRIES)}, "it is incomplete"),
    },
)
def test_an_unusable_state_is_ignored_with_a_note(saved, problem):
    """All snapshots are dropped, and one sentence says why."""
    assert resumed(saved) == ({}, True, [f"Ignoring the saved state: {problem}. {REWRITTEN}"])


@pytest.mark.parametrize("writing", ["courses", "projects"])
def test_the_endpoint_that_1_0_0_was_writing_has_no_snapshot(writing):
    """What its tables hold is not known, and the saved state says so until it is replaced."""
    kept = {name: snapshot for name, snapshot in SNAPSHOTS.items() if name != writing}
    note = f"The last sync was interrupted while it wrote {writing}. {REWRITTEN}"
    assert resumed({**SAVED, "writing": writing}) == (kept, False, [note])


@cases(
    "entry, problem",
    {
        "no snapshot": ({}, "it is NoneType, not text"),
        "no object": ("text", "it is NoneType, not text"),
        "text in another encoding": ({"snapshot": "\u00e9"}, "it is not base 85"),
        "truncated": ({"snapshot": ENTRIES["courses"]["snapshot"][:-1]}, "its checksum is wrong"),
        "another endpoint's": (ENTRIES["tracks"], "its checksum is wrong"),
    },
)
def test_a_damaged_snapshot_affects_its_endpoint_only(entry, problem):
    """The other endpoints keep their snapshots, and a note names the damaged one."""
    saved = {**SAVED, "endpoints": {**ENTRIES, "courses": entry}}
    note = f"Ignoring the damaged snapshot of courses ({problem}). {REWRITTEN}"
    assert resumed(saved) == ({"tracks": TRACKS}, True, [note])


def test_an_unknown_endpoint_is_ignored_with_a_note():
    """The endpoint of a later version does not affect the others."""
    saved = {**SAVED, "endpoints": {**ENTRIES, "podcasts": ENTRIES["courses"]}}
    note = "Ignoring the saved state of 'podcasts': unknown endpoint."
    assert resumed(saved) == (SNAPSHOTS, False, [note])
