"""Judge the body of a response: whether it is a catalog, and which items it holds. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from async_client.charset import to_utf_8
from async_client.errors import paginated, too_large, unreadable
from async_client.evidence import error_beside, further_pages, shortfall
from async_client.items import (
    MAX_ITEM_LEVELS,
    REFUSED_BY_MSGSPEC,
    bounded,
    decode_item,
)
from async_client.nesting import cut
from async_client.status import check_status
from endpoints import Endpoint

MAX_BODY_COMMAS = 1_000_000
MAX_ITEMS = 100_000
# Of this many items or more, half must have a readable key; of fewer, one.
KEYED_HALF_FROM = 10

# Stands for what is nested deeper than an item may be, and is itself nested deeper.
_CUT = b"[" * 3 + b"]" * 3
# Reads a body in one pass: every list is split, every other member is decoded.
_MEMBER = None | bool | int | float | str | list[msgspec.Raw] | dict[str, Any]
_ENVELOPE = msgspec.json.Decoder(list[msgspec.Raw] | dict[str, _MEMBER])


class Response(NamedTuple):
    """A response as it was received; `body` is decompressed, and empty if it was not read."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray


def judge(endpoint: Endpoint, url: str, response: Response, now: datetime) -> Catalog:  # noqa: ARG001
    """Return the catalog that a response holds; raise FetchError if it holds none."""
    check_status(endpoint, url, response.status, response.headers)
    return split(endpoint, response.body, response.headers)


class Catalog:
    """The items of one endpoint; iterating decodes them one at a time.

    They are kept as views into the body, never as objects: as objects the catalog takes several
    times its size in memory, and six are held at once in a process that has 1 GB. An item that
    cannot be read is an UnreadableItem, and the others are still yielded.

    `shortfall` says, as a clause, that a total in the response exceeds the number of items.
    """

    def __init__(self, items: Sequence[object], shortfall: str | None = None) -> None:
        """Take items as `msgspec.Raw` or as decoded objects."""
        self._items = items
        self.shortfall = shortfall

    def __len__(self) -> int:
        """Return the number of items, unreadable ones included."""
        return len(self._items)

    def __iter__(self) -> Iterator[object]:
        """Yield each item decoded, in the order of the response."""
        return map(decode_item, self._items)


def split(
    endpoint: Endpoint, body: bytes | bytearray, headers: Mapping[str, str] | None = None
) -> Catalog:
    """Split a body into its items without decoding them.

    A body that msgspec refuses (NaN, lone surrogates) is decoded by the standard library, and
    only then are the items of the catalog objects. Raise TransientError if the body is no envelope
    of this endpoint or reports an error, FinalError if it is one of several pages or too large.
    """
    headers = headers or {}
    text = to_utf_8(body, headers.get("Content-Type", ""))
    if text is None:
        raise unreadable("the body is neither valid UTF-8 nor valid in its declared charset")
    # Commas bound the number of values, each of which costs memory.
    commas = text.count(b",") if len(text) > MAX_BODY_COMMAS else 0
    if commas > MAX_BODY_COMMAS:
        raise too_large(f"{commas:,} commas, more than {MAX_BODY_COMMAS:,}")
    items, members = _items_and_members(endpoint, text)
    if len(items) > MAX_ITEMS:
        raise too_large(f"{len(items):,} items, more than {MAX_ITEMS:,}")
    short = _judged(members, headers, len(items))
    _check_keys(endpoint, items)
    return Catalog(bounded(items, text), short)


def _judged(
    members: Mapping[str, object], headers: Mapping[str, str], item_count: int
) -> str | None:
    """Return the shortfall, or raise if the members speak against a complete catalog."""
    error = error_beside(members)
    if error:
        raise unreadable(f"the body reports an error: {error}")
    evidence = further_pages(members)
    if evidence:
        raise paginated(evidence)
    short = shortfall(members, headers, item_count)
    if short and short.paginated:
        raise paginated(short.reason)
    return short.reason if short else None


def _items_and_members(
    endpoint: Endpoint, body: bytes | bytearray
) -> tuple[Sequence[object], Mapping[str, object]]:
    """Return the items and the envelope's other members; see `split`."""
    document = _document(body)
    if isinstance(document, list):
        return document, {}
    if not isinstance(document, dict):
        raise unreadable("the body is JSON that is neither an object nor a list")
    items = document.pop(_list_name(endpoint, document))
    members = {
        name: [*map(decode_item, value)] if isinstance(value, list) else value
        for name, value in document.items()
    }
    return items, members


def _document(body: bytes | bytearray) -> Any:
    """Return the body as JSON, with the elements of its lists undecoded if msgspec reads it."""
    try:
        return _ENVELOPE.decode(body)
    except REFUSED_BY_MSGSPEC:
        pass
    try:
        return json.loads(cut(body, MAX_ITEM_LEVELS + 2, _CUT))  # 2 are the envelope's
    except (ValueError, RecursionError):
        pass  # raised below, as the error of a parser refers to the body
    raise unreadable(f"the body is {_not_json(body)}")


def _not_json(body: bytes | bytearray) -> str:
    start = bytes(body[:512]).lstrip()
    if not start:
        return "empty"
    return "HTML, not JSON" if start[:1] == b"<" else "not valid JSON"


def envelope_names(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names under which a response may hold this catalog's list, beside `data`.

    They are the endpoint's name and its path's last part, each with and without `live-` and with
    dashes or underscores, such as `custom_tracks` and `live-custom-tracks`.
    """
    dashed = endpoint.path.rsplit("/", 1)[-1]
    return tuple(
        dict.fromkeys(
            (endpoint.name, dashed, dashed.removeprefix("live-"), dashed.replace("-", "_"))
        )
    )


def _list_name(endpoint: Endpoint, members: Mapping[str, object]) -> str:
    """Return the name of the member that holds the catalog; no list is guessed."""
    names = ("data", *envelope_names(endpoint))
    found = [name for name in names if isinstance(members.get(name), list)]
    if len(found) != 1:
        raise unreadable(f"the body is JSON without exactly one `{endpoint.name}` list")
    return found[0]


def _check_keys(endpoint: Endpoint, items: Sequence[object]) -> None:
    """Raise TransientError unless an item has a key, or half of the items if there are many.

    A renamed key would otherwise look like a catalog that has lost all its items.
    """
    key = endpoint.table.primary_key[0]
    needed = 1 if len(items) < KEYED_HALF_FROM else (len(items) + 1) // 2
    if items and isinstance(items[0], msgspec.Raw):
        first: Iterator[memoryview] = map(memoryview, islice(items, needed))  # type: ignore[arg-type]
        if all(map(_key_first(key).match, first)):
            return  # nearly always, and much faster than decoding
    readable = 0
    for item in items:
        readable += _has_key(key, item)
        if readable == needed:
            return
    if items:
        raise unreadable(f"only {readable:,} of {len(items):,} items have a readable {key}")


@lru_cache
def _key_first(key: str) -> re.Pattern[bytes]:
    """Return a pattern of the start of an object whose first member is a readable key."""
    name = re.escape(json.dumps(key)).encode()
    return re.compile(rb"\s*\{\s*" + name + rb'\s*:\s*(?:"[^"\\]|-?\d)')


def _has_key(key: str, item: object) -> bool:
    value: object = None
    if isinstance(item, msgspec.Raw):
        try:
            value = _key_decoder(key).decode(item).key
        except REFUSED_BY_MSGSPEC:
            decoded = decode_item(item)
            value = decoded.get(key) if isinstance(decoded, dict) else None
    elif isinstance(item, dict):
        value = item.get(key)
    return type(value) in (int, float) or (type(value) is str and value.strip("\0") != "")


@lru_cache
def _key_decoder(key: str) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads nothing of an object but its key."""
    return msgspec.json.Decoder(
        msgspec.defstruct("Keyed", [("key", object, None)], rename={"key": key})
    )
