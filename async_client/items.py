"""Decode one item of a catalog, or state why it cannot be read. No I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from async_client.nesting import is_deeper

MAX_ITEM_BYTES = 4 * 1024 * 1024
MAX_ITEM_COMMAS = 100_000  # commas bound the number of values, each of which costs memory
MAX_ITEM_LEVELS = 500

REFUSED_BY_MSGSPEC = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_USUAL_LEVELS = 4  # one more than a known item has


@dataclass(frozen=True)
class UnreadableItem:
    """An item that cannot be decoded or exceeds a bound; `problem` is a clause about it."""

    problem: str


_NOT_DECODABLE = UnreadableItem("it is JSON that cannot be decoded")
_BEYOND_BOUNDS = UnreadableItem("it is larger or nested deeper than any valid item")


def _nested(levels: int) -> Any:
    """Return the type of JSON values with at most so many levels of lists and objects."""
    value: Any = None | bool | int | float | str
    for _ in range(levels):
        value = None | bool | int | float | str | list[value] | dict[str, value]
    return value


# Decoders give up at a depth that differs between versions of Python. This one accepts no value
# that is nested deeper than usual, so the text of all others needs no check of its depth.
_USUAL_DECODER = msgspec.json.Decoder(_nested(_USUAL_LEVELS))


def decode_item(item: object) -> object:
    """Decode an item; what is no `msgspec.Raw` is decoded already and returned unchanged."""
    if not isinstance(item, msgspec.Raw):
        return item
    try:
        return _USUAL_DECODER.decode(item)
    except REFUSED_BY_MSGSPEC:
        return _decode_unusual(bytes(item))


def _decode_unusual(text: bytes) -> object:
    if is_deeper(text, MAX_ITEM_LEVELS):
        return _BEYOND_BOUNDS
    try:
        return msgspec.json.decode(text)
    except REFUSED_BY_MSGSPEC:
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOT_DECODABLE


def bounded(items: Sequence[object], body: bytes | bytearray) -> Sequence[object]:
    """Return the items of a body, with UnreadableItem for each beyond the bounds.

    The depth of a `msgspec.Raw` is checked when it is decoded.
    """
    if items and isinstance(items[0], msgspec.Raw):
        longest = max(map(len, map(memoryview, items)))  # type: ignore[arg-type]
        may_exceed = longest > MAX_ITEM_COMMAS
    else:
        may_exceed = _exceeds_bounds(body)
    if not may_exceed:
        return items
    return [_BEYOND_BOUNDS if _exceeds_bounds(_text(item)) else item for item in items]


def _exceeds_bounds(text: bytes | bytearray) -> bool:
    return (
        len(text) > MAX_ITEM_BYTES
        or (len(text) > MAX_ITEM_COMMAS and text.count(b",") > MAX_ITEM_COMMAS)
        or is_deeper(text, MAX_ITEM_LEVELS)
    )


def _text(item: object) -> bytes:
    if isinstance(item, msgspec.Raw):
        return bytes(item)
    text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")
