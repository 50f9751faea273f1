"""The snapshot of an endpoint: what the last sync left in the destination, kept in the state.

A snapshot holds, per item key, a digest of the item's rows, the keys of its children and the
number of syncs in a row in which the item was missing. As text it is packed and compressed, with a
checksum that also covers the endpoint's name, so that the snapshot of one endpoint is never read
as that of another.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import NamedTuple

import msgspec

from flatten import Flattened, Key

_DIGEST_BYTES = 8
_CHECKSUM_BYTES = 8
# Twice the largest body, so that every snapshot that was written can be read. A state of 10 MB
# could unpack to a thousand times that. The objects made of it can take ten times as much.
_LARGEST_PACKED_BYTES = 64 * 1024 * 1024

# Its sorting takes quadratic time for some orders of many thousand keys, and recurses. Rows have
# at most a few hundred columns, and objects nested in them are sorted already.
_encoder = msgspec.json.Encoder(order="sorted")


class SnapshotEntry(NamedTuple):
    """One item: the digest of its rows, its children's keys, and for how many syncs it is missing.

    A child's key is the part of the primary key beside the foreign key.
    """

    digest: bytes
    child_keys: tuple[Key, ...]
    missing_syncs: int = 0


Snapshot = dict[str, SnapshotEntry]


class DamagedSnapshotError(ValueError):
    """The text of a snapshot is truncated, altered or belongs to another endpoint."""


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
    return hashlib.blake2b(encoded, digest_size=_DIGEST_BYTES).digest()


def encode(endpoint_name: str, snapshot: Snapshot) -> str:
    """Return a snapshot as ASCII text that needs no escaping in JSON."""
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
    return base64.b85encode(_checksum(endpoint_name, body) + body).decode("ascii")


def decode(endpoint_name: str, text: object) -> Snapshot:
    """Return the snapshot that `encode` wrote; raises DamagedSnapshotError for any other text."""
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
        packed = zlib.decompressobj().decompress(body, _LARGEST_PACKED_BYTES)
        return _unpacked(msgspec.msgpack.decode(packed, type=_Packed))
    except (zlib.error, msgspec.DecodeError, ValueError) as error:
        raise DamagedSnapshotError(f"its content cannot be read: {error}") from None


def _unpacked(packed: _Packed) -> Snapshot:
    size = len(packed.keys)
    if len(packed.digests) != size * _DIGEST_BYTES or len(packed.child_keys) != size:
        raise ValueError("its parts differ in length")
    return {
        key: SnapshotEntry(
            packed.digests[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES],
            packed.child_keys[place],
            packed.missing_syncs.get(key, 0),
        )
        for place, key in enumerate(packed.keys)
    }


def _checksum(endpoint_name: str, body: bytes) -> bytes:
    return hashlib.blake2b(
        body, digest_size=_CHECKSUM_BYTES, person=endpoint_name.encode()
    ).digest()
