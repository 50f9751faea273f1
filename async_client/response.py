"""Judge an answer: is it a catalog, which items does it hold, is another try worth it. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import msgspec

from async_client.charset import to_utf_8
from async_client.errors import (
    FetchError,
    FinalError,
    NotIncludedError,
    RateLimitError,
    TransientError,
    UnauthorizedError,
)
from async_client.evidence import (
    error_beside,
    further_pages,
    further_pages_in_headers,
    shortfall,
)
from async_client.nesting import cut, is_deeper
from async_client.requested_wait import (
    is_rate_limit,
    rate_limit_reset_seconds,
    retry_after_seconds,
)
from endpoints import Endpoint

# Proxies and CDNs have 5xx statuses of their own, such as 520. 501 and 505 do not pass.
TRANSIENT_STATUSES = frozenset({408, 425, 429, *range(500, 600)} - {501, 505})

MOST_BODY_COMMAS = 1_000_000
MOST_ITEMS = 100_000
MOST_ITEM_BYTES = 4 * 1024 * 1024
MOST_ITEM_COMMAS = 100_000
DEEPEST_ITEM_LEVEL = 500
# Stands for what is nested deeper, and is itself deeper than an item may be.
_CUT = b"[" * 3 + b"]" * 3
_BEYOND = "larger or nested deeper than any item"
# Of this many items or more, half must have a readable key; of fewer, one.
KEYED_HALF_FROM = 10

# Encodings that some servers send without being asked; not every client can read them.
NOT_REQUESTED = ("br", "zstd", "compress")

_NEXT_SYNC = "DataCamp's service has trouble; the next sync asks again"
_CHECK_URL = "Check base_url, and the proxy if there is one"
_ENVELOPE = msgspec.json.Decoder(list[msgspec.Raw] | dict[str, msgspec.Raw])
_REFUSED_BY_MSGSPEC = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Items = list[msgspec.Raw] | list[object]


class SplitBody(NamedTuple):
    """The items of a body, undecoded where msgspec could split it.

    `shortfall` says, in words, that a total in the response is greater than the number of items.
    """

    items: Items
    shortfall: str | None


class UnreadableItem:
    """Stands for an item that no decoder reads, or that is beyond the bounds of one item."""

    def __init__(self, problem: str = "JSON that cannot be decoded") -> None:
        """Take what it is, to end a sentence that begins with "it is"."""
        self.problem = problem

    def __str__(self) -> str:
        """Return what the item is."""
        return self.problem


def check_status(endpoint: Endpoint, url: str, status: int, headers: Mapping[str, str]) -> None:
    """Return if the answer should hold a catalog; else raise the FetchError of its status."""
    if status == HTTPStatus.OK:
        encoding = headers.get("Content-Encoding", "").strip().lower()
        if encoding in NOT_REQUESTED:
            raise not_requested(encoding)
        evidence = further_pages_in_headers(headers)
        if evidence:
            raise _paginated(evidence)
        return
    reason = f"the server answers {_status_text(status)}"
    now = datetime.now(timezone.utc)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _rate_limit(reason, _NEXT_SYNC, headers, now)
    if status == HTTPStatus.FORBIDDEN and is_rate_limit(headers):
        raise _rate_limit(f"{reason} as a rate limit", _lower_rate(endpoint), headers, now)
    if status in TRANSIENT_STATUSES:
        raise TransientError(reason, _NEXT_SYNC, retry_after_seconds(headers, now))
    if 300 <= status < 400 and "Location" in headers:
        raise _redirect(reason, url, headers["Location"])
    raise _FINAL_STATUSES.get(status, _other_status)(endpoint, reason)


def _rate_limit(
    reason: str, advice: str, headers: Mapping[str, str], now: datetime
) -> RateLimitError:
    retry_after, reset = retry_after_seconds(headers, now), rate_limit_reset_seconds(headers, now)
    return RateLimitError(reason, advice, retry_after, reset)


def _lower_rate(endpoint: Endpoint) -> str:
    return (
        "Sync less often, or run fewer clients with this token; if the token may not read "
        f"{endpoint.name} at all, add {endpoint.name} to skip_endpoints"
    )


def split(
    endpoint: Endpoint, body: bytes | bytearray, headers: Mapping[str, str] | None = None
) -> SplitBody:
    """Split a body into its items, undecoded, so that they can be decoded one at a time.

    The items are views into ``body``, or into its copy in UTF-8. A body that msgspec refuses (NaN,
    lone surrogates) is read once more by the standard library, and only then are the items decoded
    objects. Raises TransientError if the body is no envelope of this endpoint or reports an error,
    FinalError if it is one of several pages or larger than any catalog.
    """
    headers = headers or {}
    text = to_utf_8(body, headers.get("Content-Type", ""))
    if text is None:
        raise _unreadable("the body is neither valid UTF-8 nor text in a declared charset")
    # Commas bound the number of values, each of which costs memory.
    commas = text.count(b",") if len(text) > MOST_BODY_COMMAS else 0
    if commas > MOST_BODY_COMMAS:
        raise too_large(f"{commas:,} commas, more than {MOST_BODY_COMMAS:,}")
    items, members = _items_and_members(endpoint, text)
    if len(items) > MOST_ITEMS:
        raise too_large(f"{len(items):,} items, more than {MOST_ITEMS:,}")
    error = error_beside(members)
    if error:
        raise _unreadable(f"the body reports an error: {error}")
    evidence = further_pages(members)
    if evidence:
        raise _paginated(evidence)
    short = shortfall(members, headers, len(items))
    if short and short.paginated:
        raise _paginated(short.reason)
    _check_keys(endpoint, items)
    return SplitBody(items, short.reason if short else None)


def not_requested(encoding: str) -> TransientError:
    """Return the error of a body in an encoding that ``Accept-Encoding`` does not name."""
    return _unreadable(f"the body is encoded as {encoding}, which was not requested")


def too_large(what: str) -> FinalError:
    """Return the error of a response that is larger than any catalog."""
    return FinalError(f"the response has {what}", f"No catalog is that large. {_CHECK_URL}")


def _items_and_members(
    endpoint: Endpoint, body: bytes | bytearray
) -> tuple[Items, Mapping[str, object]]:
    """Return the items and the envelope's other members; see `split`."""
    try:
        return _split_raw(endpoint, body)
    except _REFUSED_BY_MSGSPEC:
        pass
    try:
        document = json.loads(cut(body, DEEPEST_ITEM_LEVEL + 2, _CUT))  # 2 are the envelope's
    except (ValueError, RecursionError):
        document = UnreadableItem()
    if isinstance(document, UnreadableItem):
        raise _unreadable(f"the body is {_not_json(body)}")
    if isinstance(document, dict):
        name = _list_name(endpoint, document, lambda value: isinstance(value, list))
        return _bounded(document.pop(name), body), document
    if isinstance(document, list):
        return _bounded(document, body), {}
    raise _unreadable("the body is JSON that is neither an object nor a list")


def _bounded(items: list[object], body: bytes | bytearray) -> list[object]:
    """Put UnreadableItem in the place of items beyond the bounds of `decode_item`."""
    if not _beyond_bounds(body):  # so that no item can be
        return items
    return [
        UnreadableItem(_BEYOND) if _beyond_bounds(_json_text(item)) else item for item in items
    ]


def _beyond_bounds(text: bytes | bytearray) -> bool:
    return (
        len(text) > MOST_ITEM_BYTES
        or (len(text) > MOST_ITEM_COMMAS and text.count(b",") > MOST_ITEM_COMMAS)
        or is_deeper(text, DEEPEST_ITEM_LEVEL)
    )


def _json_text(item: object) -> bytes:
    return json.dumps(item, ensure_ascii=False).encode(errors="replace")


def decode_item(item: object) -> object:
    """Decode one item of `split`; gives UnreadableItem for what no decoder reads."""
    if not isinstance(item, msgspec.Raw):
        return item
    text = bytes(item)
    if _beyond_bounds(text):
        return UnreadableItem(_BEYOND)
    try:
        return msgspec.json.decode(item)
    except _REFUSED_BY_MSGSPEC:
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return UnreadableItem()


def _split_raw(
    endpoint: Endpoint, body: bytes | bytearray
) -> tuple[list[msgspec.Raw], Mapping[str, object]]:
    envelope = _ENVELOPE.decode(body)
    if isinstance(envelope, list):
        return envelope, {}
    name = _list_name(endpoint, envelope, _is_raw_list)
    members = {key: msgspec.json.decode(raw) for key, raw in envelope.items() if key != name}
    return msgspec.json.decode(envelope[name], type=list[msgspec.Raw]), members


def _check_keys(endpoint: Endpoint, items: Items) -> None:
    """Raise TransientError if no item of some, or fewer than half of 10 or more, has a key.

    A renamed key would otherwise look like a catalog that has lost all its items.
    """
    key = endpoint.table.primary_key[0]
    needed = 1 if len(items) < KEYED_HALF_FROM else (len(items) + 1) // 2
    if items and isinstance(items[0], msgspec.Raw):
        first: Iterator[memoryview] = map(memoryview, islice(items, needed))  # type: ignore[arg-type]
        if all(map(_key_first(key).match, first)):
            return  # nearly always, and much quicker than decoding
    readable = 0
    for item in items or ():
        readable += _has_key(key, item)
        if readable == needed:
            return
    if items:
        raise _unreadable(f"only {readable:,} of {len(items):,} items have a readable {key}")


def _has_key(key: str, item: object) -> bool:
    value: object = None
    if isinstance(item, msgspec.Raw):
        try:
            value = _key_decoder(key).decode(item).key
        except _REFUSED_BY_MSGSPEC:
            decoded = decode_item(item)
            value = decoded.get(key) if isinstance(decoded, dict) else None
    elif isinstance(item, dict):
        value = item.get(key)
    return type(value) in (int, float) or (type(value) is str and value.strip("\0") != "")


@lru_cache
def _key_first(key: str) -> re.Pattern[bytes]:
    """Return what matches the start of an object whose first member is a readable key."""
    name = re.escape(json.dumps(key)).encode()
    return re.compile(rb"\s*\{\s*" + name + rb'\s*:\s*(?:"[^"\\]|-?\d)')


@lru_cache
def _key_decoder(key: str) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads nothing of an object but its key."""
    return msgspec.json.Decoder(
        msgspec.defstruct("Keyed", [("key", object, None)], rename={"key": key})
    )


def _is_raw_list(value: object) -> bool:
    return isinstance(value, msgspec.Raw) and bytes(memoryview(value)[:1]) == b"["


def _list_name(
    endpoint: Endpoint, members: Mapping[str, object], is_list: Callable[[object], bool]
) -> str:
    """Find the member that holds the catalog; no list is guessed."""
    names = [
        name
        for name in ("data", *endpoint.envelope_names)
        if name in members and is_list(members[name])
    ]
    if len(names) != 1:
        raise _unreadable(f"the body is JSON without exactly one {endpoint.name} list")
    return names[0]


def _paginated(evidence: str) -> FinalError:
    return FinalError(
        f"the response is paginated: {evidence}; a partial catalog would delete the rest",
        "DataCamp's API has begun to paginate: update this connector",
    )


def _not_json(body: bytes | bytearray) -> str:
    start = bytes(body[:512]).lstrip()
    if not start:
        return "empty"
    return "HTML, not JSON" if start[:1] == b"<" else "not valid JSON"


def _unreadable(problem: str) -> TransientError:
    return TransientError(
        f"HTTP 200, but {problem}",
        f"{_CHECK_URL}; if both are right, {_NEXT_SYNC}",
    )


def _redirect(reason: str, url: str, location: str) -> FinalError:
    target = _host(url, location)
    return FinalError(
        f"{reason} and points to {target}; redirects are not followed, to keep the token here",
        f"{_CHECK_URL}: the API is at another path of this host"
        if target == _host(url, "")
        else "If you trust that address, set base_url to it",
    )


def _host(url: str, location: str) -> str:
    """Name scheme, host and port of a redirect's target; the rest may hold a secret."""
    try:
        target = urlsplit(urljoin(url, location))
        readable = target.hostname and target.port != 0 and target.netloc.isprintable()
    except ValueError:  # a port that is no number, a bracket that is not closed
        readable = False
    if not readable:
        return "an address that cannot be shown"
    return f"{target.scheme}://{target.netloc.rpartition('@')[2]}"


def _unauthorized(_: Endpoint, reason: str) -> FetchError:
    return UnauthorizedError(
        reason, "Check bearer_token: it is wrong, expired or revoked; DataCamp issues a new one"
    )


def _forbidden(endpoint: Endpoint, reason: str) -> FetchError:
    return NotIncludedError(
        reason,
        f"The token may not read {endpoint.name}: ask DataCamp to include it, "
        f"or add {endpoint.name} to skip_endpoints",
    )


def _not_found(endpoint: Endpoint, reason: str) -> FetchError:
    return NotIncludedError(
        reason,
        f"{_CHECK_URL}; if your license has no {endpoint.name}, "
        f"add {endpoint.name} to skip_endpoints",
    )


def _other_status(_: Endpoint, reason: str) -> FetchError:
    return FinalError(reason, f"{_CHECK_URL}; if both are right, ask DataCamp's support")


_FINAL_STATUSES: Mapping[int, Callable[[Endpoint, str], FetchError]] = {
    204: _not_found,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    410: _not_found,
}


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
