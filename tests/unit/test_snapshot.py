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
from flatten import Flattened, flatten_item

COURSES = ENDPOINTS[-1]
SNAPSHOT = {
    "course-1": SnapshotEntry(b"12345678", ("chapter-1", "chapter-2")),
    "course-2": SnapshotEntry(b"abcdefgh", (), missing_syncs=2),
    "Käthe\n": SnapshotEntry(b"\0\xff\0\xff\0\xff\0\xff", (-1, 0, 2**63 - 1)),
}

child_keys = st.lists(st.text(max_size=5)).map(tuple) | st.lists(
    st.integers(-(2**63), 2**63 - 1)
).map(tuple)
entries = st.builds(
    SnapshotEntry, st.binary(min_size=8, max_size=8), child_keys, st.sampled_from([0, 1, 2])
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.dictionaries(st.text(), entries, max_size=8))
def test_a_snapshot_survives_being_written_and_read(snapshot):
    """Any snapshot's text decodes to an equal snapshot, and needs no escaping in JSON."""
    text = encode("courses", snapshot)
    decoded = decode("courses", text)
    assert decoded == snapshot
    assert {type(entry) for entry in decoded.values()} <= {SnapshotEntry}
    assert json.dumps(text) == f'"{text}"'


def test_the_text_depends_on_the_content_alone():
    """Equal snapshots have the same text, whatever the order of their items."""
    turned = dict(reversed(SNAPSHOT.items()))
    assert encode("courses", turned) == encode("courses", SNAPSHOT)


def is_damaged(text, endpoint_name="courses"):
    """Check that a text is rejected with a reason."""
    with pytest.raises(DamagedSnapshotError) as caught:
        decode(endpoint_name, text)
    assert str(caught.value)


def test_a_truncated_text_is_damaged():
    """No prefix of a text is a snapshot."""
    text = encode("courses", SNAPSHOT)
    for length in range(len(text)):
        is_damaged(text[:length])


def test_a_text_with_one_changed_character_is_damaged():
    """Changing any one character never yields another snapshot."""
    text = encode("courses", SNAPSHOT)
    for place, old in enumerate(text):
        for new in ("~" if old == "0" else "0", " ", '"', "é"):
            changed = text[:place] + new + text[place + 1 :]
            with contextlib.suppress(DamagedSnapshotError):
                # The last character of base 85 may have unused bits.
                assert (decode("courses", changed), place) == (SNAPSHOT, len(text) - 1)


@pytest.mark.parametrize("endpoint", ENDPOINTS[:-1], ids=lambda endpoint: endpoint.name)
def test_the_text_of_another_endpoint_is_damaged(endpoint):
    """The checksum covers the endpoint's name."""
    is_damaged(encode(endpoint.name, SNAPSHOT))
    assert decode(endpoint.name, encode(endpoint.name, SNAPSHOT)) == SNAPSHOT


def sealed(content, *, compress=zlib.compress):
    """Return the text of any content, with a correct checksum."""
    body = compress(content)
    return base64.b85encode(snapshots._checksum("courses", body) + body).decode()


def packed(*parts):
    """Return the packed content of keys, digests, child keys and missing syncs."""
    return msgspec.msgpack.encode(list(parts))


WHOLE = packed(["a", "b"], b"1" * 16, [["c"], [7]], {"b": 2})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(sealed(b""), id="nothing"),
        pytest.param(sealed(b"\xc1"), id="no MessagePack"),
        pytest.param(sealed(WHOLE, compress=bytes), id="not compressed"),
        pytest.param(sealed(WHOLE + b"\0"), id="more than there should be"),
        pytest.param(sealed(msgspec.msgpack.encode({"keys": []})), id="an object"),
        pytest.param(sealed(packed(["a"], b"1" * 8, [[]], {}, 1)), id="a part too many"),
        pytest.param(sealed(packed(["a"], b"1" * 7, [[]], {})), id="a digest too short"),
        pytest.param(sealed(packed(["a"], b"1" * 8, [], {})), id="children missing"),
        pytest.param(sealed(packed(["a"], b"1" * 8, [[1.5]], {})), id="a child that is a float"),
    ],
)
def test_inconsistent_content_is_damaged(text):
    """Content that no snapshot has is rejected even with a correct checksum."""
    is_damaged(text)


def test_a_snapshot_never_exhausts_the_memory(monkeypatch):
    """Content that unpacks to more than any catalog needs is rejected before it is unpacked."""
    monkeypatch.setattr(snapshots, "_LARGEST_PACKED_BYTES", len(WHOLE) - 1)
    is_damaged(sealed(WHOLE))


def digest(row, *children):
    """Return the digest of an item with these rows."""
    rows = {child["id"]: child for child in children}
    return fingerprint(Flattened("x", row, rows, [], [])).digest


def test_order_does_not_change_the_digest():
    """The digest does not depend on the order of columns and children."""
    one = digest({"id": "x", "title": "T"}, {"id": "a", "n": 1}, {"id": "b", "n": 2})
    assert digest({"title": "T", "id": "x"}, {"n": 2, "id": "b"}, {"id": "a", "n": 1}) == one


VALUES = [
    *(None, True, False, 1, 1.0, 1.5, 0, "", "1", "True", "true", "null", "None", "x", "X"),
    *([], {}, ["1"], [1], {"a": 1}, {"a": "1"}, {"a": None}, [["1"]], "[1]", '{"a": 1}'),
]


@pytest.mark.parametrize("where", ["row", "child"])
def test_any_change_of_value_or_type_changes_the_digest(where):
    """No two different values share a digest: 1, 1.0, "1" and true are four."""

    def digest_of(value):
        if where == "row":
            return digest({"id": "x", "value": value})
        return digest({"id": "x"}, {"id": "a", "value": value})

    assert len({digest_of(value) for value in VALUES}) == len(VALUES)


def test_a_value_that_moves_changes_the_digest():
    """A value in another column, another child or the parent is a change."""
    digests = {
        digest({"id": "x", "a": 1, "b": None}),
        digest({"id": "x", "a": None, "b": 1}),
        digest({"id": "x", "a": None, "b": None}),
        digest({"id": "x", "a": None}),
        digest({"id": "x"}, {"id": "a", "a": 1}, {"id": "b"}),
        digest({"id": "x"}, {"id": "a"}, {"id": "b", "a": 1}),
        digest({"id": "x"}, {"id": "a", "a": 1}),
        digest({"id": "x"}, {"id": "a"}),
    }
    assert len(digests) == 8


def test_an_entry_has_a_digest_and_the_keys_of_the_children():
    """Child keys are sorted, and an item that is present is not missing."""
    item = {"id": "x", "chapters": [{"id": "b"}, {"id": "a"}]}
    entry = fingerprint(flatten_item(COURSES, item))
    assert entry == SnapshotEntry(entry.digest, ("a", "b"), 0)
    assert len(entry.digest) == 8


def test_a_rejected_item_has_no_fingerprint():
    """Only items that were written are in a snapshot."""
    with pytest.raises(ValueError, match="a rejected item has no rows"):
        fingerprint(flatten_item(COURSES, None))
