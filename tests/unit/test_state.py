"""The state between syncs: its shape, and what of an earlier one can be used."""

from __future__ import annotations

import json

import pytest

from changes import Progress, resume, state
from changes.snapshot import Known, encode
from endpoints import ENDPOINTS

SOURCE = "https://lms-catalog-api.datacamp.com"
NAMES = [endpoint.name for endpoint in ENDPOINTS]
COURSES = {"course-1": Known(b"12345678", ("chapter-1",)), "course-2": Known(b"abcdefgh", (), 2)}
TRACKS = {"track-1": Known(b"87654321", (1, 2, 3))}
ENTRIES = {
    "courses": {"snapshot": encode("courses", COURSES)},
    "tracks": {"snapshot": encode("tracks", TRACKS)},
}
SOUND = {"version": 1, "source": SOURCE, "writing": None, "endpoints": ENTRIES}


def resumed(given):
    """Resume from a state; gives what is known of which endpoint, which is open, and the notes."""
    progress = resume(given, SOURCE, NAMES)
    assert progress.source == SOURCE
    assert all(note[0].isupper() and note.endswith(".") for note in progress.notes)
    return progress.snapshots, progress.interrupted, progress.notes


def test_a_state_names_its_version_source_open_endpoint_and_snapshots():
    """The state is plain JSON of exactly this shape, endpoints sorted by name."""
    progress = Progress(SOURCE)
    progress.landed("tracks", TRACKS)
    progress.landed("courses", COURSES)
    made = progress.state("projects")
    assert made == {**SOUND, "writing": "projects"}
    assert list(made["endpoints"]) == ["courses", "tracks"]
    assert json.loads(json.dumps(made)) == made


def test_a_state_of_nothing_has_no_endpoint():
    """Before anything landed the state says so."""
    assert Progress(SOURCE).state(None) == {**SOUND, "endpoints": {}}


def test_a_state_is_resumed_as_it_was_left():
    """What was written into a state comes out of it, and the next state is the same."""
    progress = resume(json.loads(json.dumps(SOUND)), SOURCE, NAMES)
    assert progress.snapshots == {"courses": COURSES, "tracks": TRACKS}
    assert (progress.interrupted, progress.notes) == (None, [])
    assert progress.state(None) == SOUND


def test_an_empty_state_is_a_first_sync_and_no_news():
    """`{}` is what a new connection starts from: nothing is known and nothing is noted."""
    assert resumed({}) == ({}, None, [])


NOT_USED = "The state of the last sync is not used: {}. All is written anew."


@pytest.mark.parametrize(
    ("given", "flaw"),
    [
        pytest.param(
            {"last_synced_endpoint": "assessments"},
            "it is of another connector",
            id="that of the published example",
        ),
        pytest.param({**SOUND, "version": None}, "it is of another connector", id="no version"),
        pytest.param({**SOUND, "version": True}, "its version is True, not 1", id="version true"),
        pytest.param({**SOUND, "version": 2}, "its version is 2, not 1", id="a later version"),
        pytest.param({**SOUND, "version": "1"}, "its version is '1', not 1", id="version as text"),
        pytest.param(
            {**SOUND, "source": "https://elsewhere.example"},
            f"it is of 'https://elsewhere.example', not of '{SOURCE}'",
            id="another source",
        ),
        pytest.param({**SOUND, "source": 7}, f"it is of 7, not of '{SOURCE}'", id="a source 7"),
        pytest.param(
            {**SOUND, "writing": "podcasts"},
            "it was writing 'podcasts', which is no endpoint",
            id="writing an unknown endpoint",
        ),
        pytest.param(
            {**SOUND, "writing": ["tracks"]},
            "it was writing ['tracks'], which is no endpoint",
            id="writing a list",
        ),
        pytest.param(
            {**SOUND, "writing": {}}, "it was writing {}, which is no endpoint", id="an object"
        ),
        pytest.param(
            {**SOUND, "writing": False},
            "it was writing False, which is no endpoint",
            id="writing false",
        ),
        pytest.param({**SOUND, "endpoints": None}, "it is incomplete", id="null endpoints"),
        pytest.param({**SOUND, "endpoints": list(ENTRIES)}, "it is incomplete", id="a list"),
        pytest.param({**SOUND, "endpoints": "courses"}, "it is incomplete", id="text"),
        *(
            pytest.param(
                {key: value for key, value in SOUND.items() if key != missing},
                flaw,
                id=f"no {missing}",
            )
            for missing, flaw in {
                "version": "it is of another connector",
                "source": f"it is of None, not of '{SOURCE}'",
                "writing": "it is incomplete",
                "endpoints": "it is incomplete",
            }.items()
        ),
    ],
)
def test_a_state_that_is_none_is_noted_and_not_used(given, flaw):
    """All snapshots are dropped, whatever else the state holds, and one sentence says why."""
    assert resumed(given) == ({}, None, [NOT_USED.format(flaw)])


@pytest.mark.parametrize("writing", NAMES)
def test_an_interrupted_endpoint_is_unknown(writing):
    """The endpoint that was being written loses its snapshot, and the others keep theirs."""
    kept = {"courses": COURSES, "tracks": TRACKS}
    kept.pop(writing, None)
    note = f"The last sync ended while it wrote {writing}: its tables will be written anew."
    assert resumed({**SOUND, "writing": writing}) == (kept, writing, [note])


def test_an_interrupted_endpoint_stays_out_of_the_state_until_it_lands():
    """No later state has a snapshot of it, until it was written whole."""
    progress = resume({**SOUND, "writing": "courses"}, SOURCE, NAMES)
    assert set(progress.state("tracks")["endpoints"]) == {"tracks"}
    progress.landed("courses", COURSES)
    assert progress.state(None) == SOUND


DAMAGED = "The snapshot of courses is damaged ({}): its tables will be written anew."


@pytest.mark.parametrize(
    ("entry", "flaw"),
    [
        pytest.param(None, "it is NoneType, not text", id="null"),
        pytest.param([], "it is NoneType, not text", id="a list"),
        pytest.param("text", "it is NoneType, not text", id="text"),
        pytest.param({}, "it is NoneType, not text", id="no snapshot"),
        pytest.param({"snapshot": 7}, "it is int, not text", id="a snapshot that is a number"),
        pytest.param({"snapshot": ""}, "its checksum is wrong", id="an empty snapshot"),
        pytest.param({"snapshot": "\u00e9"}, "it is no base 85 text", id="a snapshot of no use"),
        pytest.param(
            {"snapshot": ENTRIES["courses"]["snapshot"][:-1]}, "its checksum is wrong", id="cut"
        ),
        pytest.param(ENTRIES["tracks"], "its checksum is wrong", id="that of another endpoint"),
    ],
)
def test_a_damaged_snapshot_costs_only_its_endpoint(entry, flaw):
    """The other endpoints are resumed, and one sentence names the one that is not."""
    given = {**SOUND, "endpoints": {**ENTRIES, "courses": entry}}
    assert resumed(given) == ({"tracks": TRACKS}, None, [DAMAGED.format(flaw)])


def test_an_unknown_endpoint_is_dropped_and_noted():
    """An endpoint that a later version has added costs nothing but itself."""
    given = {**SOUND, "endpoints": {**ENTRIES, "podcasts": ENTRIES["courses"]}}
    note = "The state holds an unknown endpoint, 'podcasts': it is dropped."
    assert resumed(given) == ({"courses": COURSES, "tracks": TRACKS}, None, [note])


def test_each_flaw_is_noted_by_itself():
    """An interrupted, a damaged and an unknown endpoint are three notes."""
    given = {**SOUND, "writing": "projects", "endpoints": {"x": {}, "courses": {}, **ENTRIES}}
    given["endpoints"]["courses"] = None
    snapshots, interrupted, notes = resumed(given)
    assert (snapshots, interrupted) == ({"tracks": TRACKS}, "projects")
    assert notes == [
        "The last sync ended while it wrote projects: its tables will be written anew.",
        "The state holds an unknown endpoint, 'x': it is dropped.",
        DAMAGED.format("it is NoneType, not text"),
    ]


def test_unknown_members_of_a_state_are_no_flaw():
    """What else a state holds is not looked at, and not kept."""
    assert resumed({**SOUND, "last_synced_endpoint": "x"})[2] == []
    assert resume({**SOUND, "more": 1}, SOURCE, NAMES).state(None) == SOUND


def test_the_state_it_was_given_is_not_changed():
    """Resuming and landing leave the earlier state as it was."""
    given = json.loads(json.dumps(SOUND))
    resume(given, SOURCE, NAMES).landed("courses", {})
    assert given == SOUND


def test_a_snapshot_is_packed_again_only_if_it_changed(monkeypatch):
    """The texts of endpoints in which nothing changed go from one state into the next."""
    packed = []

    def encoding(name, snapshot):
        packed.append(name)
        return encode(name, snapshot)

    monkeypatch.setattr(state, "encode", encoding)
    progress = resume(SOUND, SOURCE, NAMES)
    progress.landed("courses", dict(COURSES))
    progress.state("tracks")
    assert packed == []
    progress.landed("courses", {})
    progress.landed("projects", {})
    progress.state("tracks")
    assert progress.state(None)["endpoints"]["courses"] == {"snapshot": encode("courses", {})}
    assert packed == ["courses", "projects"]
