"""The state between syncs: its shape, and which parts of a saved one can be used."""

from __future__ import annotations

import json

import pytest

from changes import Progress, resume, state
from changes.snapshot import SnapshotEntry, encode
from endpoints import ENDPOINTS

SOURCE = "https://lms-catalog-api.datacamp.com"
NAMES = [endpoint.name for endpoint in ENDPOINTS]
COURSES = {
    "course-1": SnapshotEntry(b"12345678", ("chapter-1",)),
    "course-2": SnapshotEntry(b"abcdefgh", (), 2),
}
TRACKS = {"track-1": SnapshotEntry(b"87654321", (1, 2, 3))}
ENTRIES = {
    "courses": {"snapshot": encode("courses", COURSES)},
    "tracks": {"snapshot": encode("tracks", TRACKS)},
}
SOUND = {"version": 1, "source": SOURCE, "writing": None, "endpoints": ENTRIES}


def resumed(given):
    """Resume from a state; return the snapshots, the interrupted endpoint and the notes."""
    progress = resume(given, SOURCE, NAMES)
    assert progress.source == SOURCE
    assert all(note[0].isupper() and note.endswith(".") for note in progress.notes)
    return progress.snapshots, progress.interrupted, progress.notes


def test_a_state_has_version_source_endpoint_being_written_and_snapshots():
    """The state is plain JSON of exactly this shape, endpoints sorted by name."""
    progress = Progress(SOURCE)
    progress.record_snapshot("tracks", TRACKS)
    progress.record_snapshot("courses", COURSES)
    made = progress.state("projects")
    assert made == {**SOUND, "writing": "projects"}
    assert list(made["endpoints"]) == ["courses", "tracks"]
    assert json.loads(json.dumps(made)) == made


def test_a_state_survives_being_read_and_written():
    """A state that is read and written again is the same."""
    progress = resume(json.loads(json.dumps(SOUND)), SOURCE, NAMES)
    assert progress.snapshots == {"courses": COURSES, "tracks": TRACKS}
    assert (progress.interrupted, progress.notes) == (None, [])
    assert progress.state(None) == SOUND


def test_an_empty_state_is_an_initial_sync_without_a_note():
    """`{}` is the state of a new connection."""
    assert resumed({}) == ({}, None, [])


IGNORED = "Ignoring the saved state: {}. Rewriting all tables."


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        pytest.param(
            {"last_synced_endpoint": "assessments"},
            "another connector wrote it",
            id="that of the published example",
        ),
        pytest.param({**SOUND, "version": True}, "its version is True, not 1", id="version true"),
        pytest.param({**SOUND, "version": 2}, "its version is 2, not 1", id="a later version"),
        pytest.param(
            {**SOUND, "source": "https://elsewhere.example"},
            f"its source is 'https://elsewhere.example', not '{SOURCE}'",
            id="another source",
        ),
        pytest.param(
            {**SOUND, "writing": "podcasts"},
            "it names 'podcasts' as the endpoint being written, which does not exist",
            id="writing an unknown endpoint",
        ),
        pytest.param(
            {**SOUND, "writing": ["tracks"]},
            "it names ['tracks'] as the endpoint being written, which does not exist",
            id="writing a list",
        ),
        pytest.param({**SOUND, "endpoints": None}, "it is incomplete", id="null endpoints"),
        pytest.param({**SOUND, "endpoints": list(ENTRIES)}, "it is incomplete", id="a list"),
        *(
            pytest.param(
                {key: value for key, value in SOUND.items() if key != missing},
                problem,
                id=f"no {missing}",
            )
            for missing, problem in {
                "version": "another connector wrote it",
                "source": f"its source is None, not '{SOURCE}'",
                "writing": "it is incomplete",
                "endpoints": "it is incomplete",
            }.items()
        ),
    ],
)
def test_an_unusable_state_is_ignored_with_a_note(given, problem):
    """All snapshots are dropped, and one sentence says why."""
    assert resumed(given) == ({}, None, [IGNORED.format(problem)])


@pytest.mark.parametrize("writing", NAMES)
def test_an_interrupted_endpoint_loses_its_snapshot(writing):
    """What its tables hold is not known; the others keep their snapshots."""
    kept = {"courses": COURSES, "tracks": TRACKS}
    kept.pop(writing, None)
    note = f"The last sync was interrupted while it wrote {writing}. Rewriting its tables."
    assert resumed({**SOUND, "writing": writing}) == (kept, writing, [note])


def test_an_interrupted_endpoint_stays_out_of_the_state_until_it_is_written():
    """No later state has a snapshot of it until all of it was written."""
    progress = resume({**SOUND, "writing": "courses"}, SOURCE, NAMES)
    assert set(progress.state("tracks")["endpoints"]) == {"tracks"}
    progress.record_snapshot("courses", COURSES)
    assert progress.state(None) == SOUND


DAMAGED = "Ignoring the damaged snapshot of courses ({}). Rewriting its tables."


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        pytest.param({}, "it is NoneType, not text", id="no snapshot"),
        pytest.param({"snapshot": "\u00e9"}, "it is not base 85", id="text in another encoding"),
        pytest.param(
            {"snapshot": ENTRIES["courses"]["snapshot"][:-1]}, "its checksum is wrong", id="cut"
        ),
        pytest.param(ENTRIES["tracks"], "its checksum is wrong", id="that of another endpoint"),
    ],
)
def test_a_damaged_snapshot_affects_its_endpoint_only(entry, problem):
    """The other endpoints keep their snapshots, and a note names the damaged one."""
    given = {**SOUND, "endpoints": {**ENTRIES, "courses": entry}}
    assert resumed(given) == ({"tracks": TRACKS}, None, [DAMAGED.format(problem)])


def test_an_unknown_endpoint_is_ignored_with_a_note():
    """The endpoint of a later version does not affect the others."""
    given = {**SOUND, "endpoints": {**ENTRIES, "podcasts": ENTRIES["courses"]}}
    note = "Ignoring the saved state of 'podcasts': unknown endpoint."
    assert resumed(given) == ({"courses": COURSES, "tracks": TRACKS}, None, [note])


def test_unknown_members_of_a_state_are_ignored():
    """They are neither noted nor kept."""
    assert resumed({**SOUND, "last_synced_endpoint": "x"})[2] == []
    assert resume({**SOUND, "more": 1}, SOURCE, NAMES).state(None) == SOUND


def test_a_snapshot_is_packed_again_only_if_it_changed(monkeypatch):
    """The text of an unchanged endpoint is carried from one state to the next."""
    packed = []

    def encoding(name, snapshot):
        packed.append(name)
        return encode(name, snapshot)

    monkeypatch.setattr(state, "encode", encoding)
    progress = resume(SOUND, SOURCE, NAMES)
    progress.record_snapshot("courses", dict(COURSES))
    progress.state("tracks")
    assert packed == []
    progress.record_snapshot("courses", {})
    progress.record_snapshot("projects", {})
    progress.state("tracks")
    assert progress.state(None)["endpoints"]["courses"] == {"snapshot": encode("courses", {})}
    assert packed == ["courses", "projects"]
