"""Snapshots are written to the state and read back, and a damaged one is always detected."""

from __future__ import annotations

import base64
import contextlib
import json
import zlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changes import snapshot as snapshots
from changes.snapshot import DamagedSnapshotError, SnapshotEntry, decode, encode, fingerprint
from endpoints import ENDPOINTS
from flatten import Flattened
from tests.support.cases import cases

COURSES = ENDPOINTS[-1]
SNAPSHOT = {
    "course-1": SnapshotEntry(b"12345678", ("chapter-1", "chapter-2")),
    "course-2": SnapshotEntry(b"abcdefgh", (), missing_syncs=2, lost_children_syncs=1),
    "Käthe\n": SnapshotEntry(b"\0\xff\0\xff\0\xff\0\xff", (-1, 0, 2**63 - 1)),
}
PARTS = [["a", "b"], b"1" * 16, [["c"], [7]], {"b": 2}]

child_keys = st.lists(st.text(max_size=3) | st.integers(-(2**63), 2**63 - 1), max_size=3)
entries = st.builds(
    SnapshotEntry,
    st.binary(min_size=8, max_size=8),
    child_keys.map(tuple),
    st.sampled_from([0, 1, 2]),
    st.sampled_from([0, 1, 2]),
)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.dictionaries(st.text(max_size=3), entries, max_size=4))
def test_a_snapshot_survives_being_written_and_read(snapshot):
    """It decodes to an equal one; the items' order does not matter; the text needs no escaping."""
    saved = encode("courses", snapshot)
    decoded = decode("courses", json.loads(json.dumps(saved)))
    assert decoded == snapshot
    assert {type(entry) for entry in decoded.values()} <= {SnapshotEntry}
    assert json.dumps(saved["snapshot"]) == f'"{saved["snapshot"]}"'
    assert encode("courses", dict(reversed(snapshot.items()))) == saved


def test_counts_of_lost_children_stand_beside_the_snapshot_that_1_0_0_reads():
    saved = encode("courses", SNAPSHOT)
    assert saved["lost_children"] == {"course-2": 1}
    unlost = {key: entry._replace(lost_children_syncs=0) for key, entry in SNAPSHOT.items()}
    assert encode("courses", unlost) == {"snapshot": saved["snapshot"]}


@pytest.mark.parametrize("name", ["x" * 16, "x" * 17, "live_exercises_of_all_learning_paths"])
def test_an_endpoint_may_have_a_name_of_any_length(name):
    saved = encode(name, SNAPSHOT)
    assert decode(name, saved) == SNAPSHOT
    with pytest.raises(DamagedSnapshotError):
        decode(name + "s", saved)


def is_damaged(text, **others):
    """Check that a text is not accepted as a snapshot of courses."""
    with pytest.raises(DamagedSnapshotError, match="it"):
        decode("courses", {"snapshot": text, **others})


def test_a_truncated_or_changed_text_or_that_of_another_endpoint_is_damaged():
    """The checksum covers every character and the endpoint's name."""
    text = encode("courses", SNAPSHOT)["snapshot"]
    for length in range(len(text)):
        is_damaged(text[:length])
    for endpoint in ENDPOINTS[:-1]:
        is_damaged(encode(endpoint.name, SNAPSHOT)["snapshot"])
    for place, old in enumerate(text):
        for new in ("~" if old == "0" else "0", " ", '"', "é"):
            changed = {"snapshot": text[:place] + new + text[place + 1 :]}
            with contextlib.suppress(DamagedSnapshotError):
                # The last character of base 85 may have unused bits.
                assert (decode("courses", changed).keys(), place) == (
                    SNAPSHOT.keys(),
                    len(text) - 1,
                )


@pytest.mark.parametrize("counts", [None, [], {"course-2": "two"}, {"course-2": 1.5}])
def test_counts_of_lost_children_that_are_no_counts_are_damaged(counts):
    is_damaged(encode("courses", SNAPSHOT)["snapshot"], lost_children=counts)


def sealed(content):
    """Return the text of a compressed body, with a correct checksum."""
    return base64.b85encode(snapshots._checksum("courses", content) + content).decode()


def packed(*parts):
    """Return the compressed content of keys, digests, child keys and missing syncs."""
    return zlib.compress(msgspec.msgpack.encode(list(parts)))


@cases(
    "body",
    {
        "no MessagePack": [zlib.compress(b"\xc1")],
        "not compressed": [msgspec.msgpack.encode(PARTS)],
        "a part too many": [packed(*PARTS, 1)],
        "a digest that is too short": [packed(["a"], b"1" * 7, [[]], {})],
        "children missing": [packed(["a"], b"1" * 8, [], {})],
        "a child that is a float": [packed(["a"], b"1" * 8, [[1.5]], {})],
    },
)
def test_inconsistent_content_is_damaged(body):
    """Content that no snapshot has is rejected even with a correct checksum."""
    is_damaged(sealed(body))


def test_a_snapshot_never_exhausts_the_memory(monkeypatch):
    """Content that unpacks to more than any catalog needs is rejected before it is unpacked."""
    size = len(msgspec.msgpack.encode(PARTS))
    monkeypatch.setattr(snapshots, "MAX_UNPACKED_BYTES", size)
    assert decode("courses", {"snapshot": sealed(packed(*PARTS))})
    monkeypatch.setattr(snapshots, "MAX_UNPACKED_BYTES", size - 1)
    is_damaged(sealed(packed(*PARTS)))


def digest(row, *children):
    """Return the digest of an item with these rows."""
    rows = {child["id"]: child for child in children}
    return fingerprint(Flattened("x", row, rows))


def test_order_does_not_change_the_digest():
    """The digest does not depend on the order of columns and children."""
    one = digest({"id": "x", "title": "T"}, {"id": "a", "n": 1}, {"id": "b", "n": 2})
    assert digest({"title": "T", "id": "x"}, {"n": 2, "id": "b"}, {"id": "a", "n": 1}) == one


VALUES = [
    *(None, True, False, 1, 1.0, 1.5, 0, "", "1", "True", "true", "null", "None", "x", "X"),
    *([], {}, ["1"], [1], {"a": 1}, {"a": "1"}, {"a": None}, [["1"]], "[1]", '{"a": 1}'),
]


def test_any_difference_changes_the_digest():
    """Each value, its type and its place counts: 1, 1.0, "1" and true are four values."""
    digests = [
        *(digest({"id": "x", "a": value}) for value in VALUES),
        *(digest({"id": "x"}, {"id": "a", "a": value}) for value in VALUES),
        digest({"id": "x", "a": 1, "b": None}),
        digest({"id": "x", "a": None, "b": 1}),
        digest({"id": "x", "a": None, "b": None}),
        digest({"id": "x"}, {"id": "a", "a": 1}, {"id": "b"}),
        digest({"id": "x"}, {"id": "a"}, {"id": "b", "a": 1}),
        digest({"id": "x"}, {"id": "a"}),
        digest({"id": "x"}),
        fingerprint(Flattened("x", {"id": "x"}, children_unreadable=True)),
    ]
    assert len(set(digests)) == len(digests)
