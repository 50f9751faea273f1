"""The state between syncs: its shape, and which parts of a saved one can be used."""

from __future__ import annotations

import json
from unittest.mock import Mock

from changes import Progress, resume, state
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
TEXTS = {name: encode(name, snapshot) for name, snapshot in SNAPSHOTS.items()}
ENTRIES = {name: {"snapshot": text} for name, text in TEXTS.items()}
SAVED = {"version": 1, "source": SOURCE, "writing": None, "endpoints": ENTRIES}


def resumed(saved):
    """Resume from a state; return the snapshots, the interrupted endpoint and the notes."""
    progress = resume(saved, SOURCE, NAMES)
    return progress.snapshots, progress.interrupted, progress.notes


def without(key):
    """Return the saved state without one of its members."""
    return {name: value for name, value in SAVED.items() if name != key}


def test_a_state_has_version_source_endpoint_being_written_and_snapshots():
    """The state is plain JSON of exactly this shape, endpoints sorted by name."""
    progress = Progress(SOURCE)
    progress.record_snapshot("tracks", TRACKS)
    progress.record_snapshot("courses", COURSES)
    made = progress.state("projects")
    assert json.dumps(made) == json.dumps({**SAVED, "writing": "projects"})


def test_a_state_that_is_read_is_written_unchanged():
    """Unknown members are neither noted nor kept; `{}` is the state of a new connection."""
    assert resumed({}) == ({}, None, [])
    saved = json.loads(json.dumps({**SAVED, "more": 1}))
    assert resumed(saved) == (SNAPSHOTS, None, [])
    assert resume(saved, SOURCE, NAMES).state(None) == SAVED


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
    note = f"Ignoring the saved state: {problem}. Rewriting all tables."
    assert resumed(saved) == ({}, None, [note])


@cases("writing, kept", {"with a snapshot": ("courses", ["tracks"]), "none": ("projects", NAMES)})
def test_an_interrupted_endpoint_has_no_snapshot_until_it_is_written(writing, kept):
    """What its tables hold is not known; the others keep their snapshots."""
    saved = {**SAVED, "writing": writing}
    kept = {name: snapshot for name, snapshot in SNAPSHOTS.items() if name in kept}
    note = f"The last sync was interrupted while it wrote {writing}. Rewriting its tables."
    assert resumed(saved) == (kept, writing, [note])
    progress = resume(saved, SOURCE, NAMES)
    assert progress.state("tracks")["endpoints"].keys() == kept.keys()
    progress.record_snapshot("courses", COURSES)
    assert progress.state(None) == SAVED


@cases(
    "entry, problem",
    {
        "no snapshot": ({}, "it is NoneType, not text"),
        "text in another encoding": ({"snapshot": "\u00e9"}, "it is not base 85"),
        "truncated": ({"snapshot": TEXTS["courses"][:-1]}, "its checksum is wrong"),
        "another endpoint's": (ENTRIES["tracks"], "its checksum is wrong"),
    },
)
def test_a_damaged_snapshot_affects_its_endpoint_only(entry, problem):
    """The other endpoints keep their snapshots, and a note names the damaged one."""
    saved = {**SAVED, "endpoints": {**ENTRIES, "courses": entry}}
    note = f"Ignoring the damaged snapshot of courses ({problem}). Rewriting its tables."
    assert resumed(saved) == ({"tracks": TRACKS}, None, [note])


def test_an_unknown_endpoint_is_ignored_with_a_note():
    """The endpoint of a later version does not affect the others."""
    saved = {**SAVED, "endpoints": {**ENTRIES, "podcasts": ENTRIES["courses"]}}
    note = "Ignoring the saved state of 'podcasts': unknown endpoint."
    assert resumed(saved) == (SNAPSHOTS, None, [note])


def test_a_snapshot_is_packed_again_only_if_it_changed(monkeypatch):
    """The text of an unchanged endpoint is carried from one state to the next."""
    packing = Mock(wraps=encode)
    monkeypatch.setattr(state, "encode", packing)
    progress = resume(SAVED, SOURCE, NAMES)
    progress.record_snapshot("courses", dict(COURSES))
    assert progress.state(None) == SAVED
    progress.record_snapshot("courses", {})
    for _ in range(2):
        courses = progress.state(None)["endpoints"]["courses"]
        assert courses == {"snapshot": encode("courses", {})}
    packing.assert_called_once_with("courses", {})
