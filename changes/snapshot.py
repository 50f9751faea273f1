"""What the last sync left in the destination, small enough for the state.

A snapshot holds, per item key, a digest of the item's rows, the keys of its children and how many
syncs in a row it has been missing. As text it is packed, compressed and carries a checksum that
also covers the endpoint's name, so that a snapshot cannot pass for another endpoint's.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import NamedTuple

import msgspec

from flatten import Flattened, Key, Row

_DIGEST_BYTES = 8
_CHECKSUM_BYTES = 8
# Twice the largest body, so that every snapshot that was written is read. A state of 10 MB could
# unpack to a thousand times that; the objects made of these bytes can take ten times as much.
_LARGEST_PACKED_BYTES = 64 * 1024 * 1024

_WIDEST_SORTED_BY_ENCODER = 64

_encoder = msgspec.json.Encoder()
_sorting_encoder = msgspec.json.Encoder(order="sorted")


class Known(NamedTuple):
    """One item of the last sync: its digest, its children's keys and how long it is missing."""

    digest: bytes
    children: tuple[Key, ...]
    missing_syncs: int = 0


Snapshot = dict[str, Known]


class DamagedSnapshotError(ValueError):
    """A snapshot text that is cut, changed or of another endpoint."""


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    keys: list[str]
    digests: bytes
    children: list[tuple[Key, ...]]
    missing_syncs: dict[str, int]


def known(flat: Flattened) -> Known:
    """Describe a flattened item; equal rows in any order give an equal digest."""
    if flat.row is None:
        raise ValueError("a rejected item has no rows to remember")
    rows = [_encoded(flat.row), *sorted(map(_encoded, flat.children.values()))]
    digest = hashlib.blake2b(b"".join(rows), digest_size=_DIGEST_BYTES).digest()
    return Known(digest, tuple(sorted(flat.children)))


def _encoded(row: Row) -> bytes:
    """Encode a row with its columns sorted; what is nested in it is sorted already.

    The encoder's own sorting is quicker for rows of usual width, but quadratic, and it recurses:
    900,000 columns crash the interpreter. Both give the same bytes.
    """
    if len(row) <= _WIDEST_SORTED_BY_ENCODER:
        return _sorting_encoder.encode(row)
    return _encoder.encode(dict(sorted(row.items())))


def encode(endpoint_name: str, snapshot: Snapshot) -> str:
    """Pack a snapshot into ASCII text that JSON leaves as it is."""
    ordered = sorted(snapshot.items())
    packed = msgspec.msgpack.encode(
        _Packed(
            keys=[key for key, _ in ordered],
            digests=b"".join(entry.digest for _, entry in ordered),
            children=[entry.children for _, entry in ordered],
            missing_syncs={key: e.missing_syncs for key, e in ordered if e.missing_syncs},
        )
    )
    body = zlib.compress(packed, level=9)
    return base64.b85encode(_checksum(endpoint_name, body) + body).decode("ascii")


def decode(endpoint_name: str, text: object) -> Snapshot:
    """Unpack what `encode` made; raises DamagedSnapshotError for anything else."""
    if not isinstance(text, str):
        raise DamagedSnapshotError(f"it is {type(text).__name__}, not text")
    try:
        raw = base64.b85decode(text)
    except ValueError:
        raise DamagedSnapshotError("it is no base 85 text") from None
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
    if len(packed.digests) != size * _DIGEST_BYTES or len(packed.children) != size:
        raise ValueError("its parts differ in length")
    return {
        key: Known(
            packed.digests[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES],
            packed.children[place],
            packed.missing_syncs.get(key, 0),
        )
        for place, key in enumerate(packed.keys)
    }


def _checksum(endpoint_name: str, body: bytes) -> bytes:
    return hashlib.blake2b(
        body, digest_size=_CHECKSUM_BYTES, person=endpoint_name.encode()
    ).digest()
