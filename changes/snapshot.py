"""The snapshot of an endpoint: what the last sync left in the destination, kept in the state.

A snapshot says what the destination may hold: per item key a digest of the item's rows, the keys
of its children, and the number of syncs in a row in which the item was missing or had lost
children. In the state it is packed and compressed, with a checksum that also covers the endpoint's
name, so that the snapshot of one endpoint is never read as that of another.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from changes.limits import MAX_UNPACKED_BYTES
from flatten import Flattened, Key

_DIGEST_BYTES = 8
# The digest of an item whose rows were being written or deleted: no rows have it.
UNKNOWN_DIGEST = bytes(_DIGEST_BYTES)
_CHECKSUM_BYTES = 8

# Its sorting takes quadratic time for some orders of many thousand keys, and recurses. Rows have
# at most a few hundred columns, and objects nested in them are sorted already.
_encoder = msgspec.json.Encoder(order="sorted")


class SnapshotEntry(NamedTuple):
    """One item: the digest of its rows and its children's keys.

    A child's key is the part of the primary key beside the foreign key. The counts are of syncs in
    a row in which the item was missing, or was there without some of these children.
    """

    digest: bytes
    child_keys: tuple[Key, ...]
    missing_syncs: int = 0
    lost_children_syncs: int = 0


Snapshot = dict[str, SnapshotEntry]


class DamagedSnapshotError(ValueError):
    """A snapshot in a state is truncated, altered or belongs to another endpoint."""


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    keys: list[str]
    digests: bytes
    child_keys: list[tuple[Key, ...]]
    missing_syncs: dict[str, int]


def fingerprint(flat: Flattened) -> bytes:
    """Return the digest of an item's rows; the order of columns and children does not matter."""
    encoded = _encoder.encode(flat.row)
    if flat.children:
        encoded += b"".join(sorted(map(_encoder.encode, flat.children.values())))
    if flat.children_unreadable:
        encoded += b"unreadable"  # JSON objects never end in this
    return hashlib.blake2b(encoded, digest_size=_DIGEST_BYTES).digest()


def encode(endpoint_name: str, snapshot: Snapshot) -> dict[str, object]:
    """Return a snapshot as JSON: `{"snapshot": text}`, and `lost_children` if any are counted.

    The text is ASCII that needs no escaping. The counts of lost children stand beside it, as
    version 1.0.0 refuses a snapshot with a fifth part.
    """
    ordered = sorted(snapshot.items())
    packed = msgspec.msgpack.encode(
        _Packed(
            keys=[key for key, _ in ordered],
            digests=b"".join(entry.digest for _, entry in ordered),
            child_keys=[entry.child_keys for _, entry in ordered],
            missing_syncs={key: e.missing_syncs for key, e in ordered if e.missing_syncs},
        )
    )
    body = zlib.compress(packed, level=9)
    text = base64.b85encode(_checksum(endpoint_name, body) + body).decode("ascii")
    lost = {key: e.lost_children_syncs for key, e in ordered if e.lost_children_syncs}
    return {"snapshot": text, "lost_children": lost} if lost else {"snapshot": text}


def decode(endpoint_name: str, saved: object) -> Snapshot:
    """Return the snapshot that `encode` wrote; raise DamagedSnapshotError for anything else."""
    members = saved if isinstance(saved, Mapping) else {}
    text, lost = members.get("snapshot"), members.get("lost_children", {})
    if not isinstance(text, str):
        raise DamagedSnapshotError(f"it is {type(text).__name__}, not text")
    try:
        raw = base64.b85decode(text)
    except ValueError:
        raise DamagedSnapshotError("it is not base 85") from None
    checksum, body = raw[:_CHECKSUM_BYTES], raw[_CHECKSUM_BYTES:]
    if checksum != _checksum(endpoint_name, body):
        raise DamagedSnapshotError("its checksum is wrong")
    try:
        packed = zlib.decompressobj().decompress(body, MAX_UNPACKED_BYTES)
        return _unpacked(
            msgspec.msgpack.decode(packed, type=_Packed), msgspec.convert(lost, dict[str, int])
        )
    except (zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise DamagedSnapshotError(f"its content cannot be read: {error}") from None


def _unpacked(packed: _Packed, lost_children_syncs: Mapping[str, int]) -> Snapshot:
    size = len(packed.keys)
    if len(packed.digests) != size * _DIGEST_BYTES or len(packed.child_keys) != size:
        raise ValueError("its parts differ in length")
    return {
        key: SnapshotEntry(
            packed.digests[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES],
            packed.child_keys[place],
            packed.missing_syncs.get(key, 0),
            lost_children_syncs.get(key, 0),
        )
        for place, key in enumerate(packed.keys)
    }


def _checksum(endpoint_name: str, body: bytes) -> bytes:
    person = endpoint_name.encode()
    if len(person) > hashlib.blake2b.PERSON_SIZE:
        person = hashlib.blake2b(person, digest_size=hashlib.blake2b.PERSON_SIZE).digest()
    return hashlib.blake2b(body, digest_size=_CHECKSUM_BYTES, person=person).digest()
