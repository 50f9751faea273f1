"""Judge a response: whether it is a complete catalog, and where its items are. Pure."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from async_client.errors import FetchError, paginated, too_large, unreadable
from async_client.evidence import find_evidence
from async_client.limits import MAX_BODY_BYTES, MAX_ITEMS, MAX_VALUES
from async_client.status import check_status
from endpoints import Endpoint

# Of this many items or more, half must have a readable key; of fewer, one.
KEYED_HALF_FROM = 10

_NO_JSON = object()
_CHARSETS = frozenset(
    {"utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}
    | {"iso8859-1", "iso8859-15", "cp1252"}
)
_CHARSET = re.compile(r';\s*charset="?([\w.:-]{1,40})', re.IGNORECASE | re.ASCII)


class Response(NamedTuple):
    """A response as it was received; `body` is decompressed, and empty if it was not read."""

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray


@dataclass(eq=False, repr=False)
class Catalog:
    """The items of one endpoint, kept as `text`, JSON in UTF-8.

    As objects they take several times that memory, and six catalogs are held at once in a process
    that has 1 GB. `list_name` is the member that holds the items, None if the text is a list.
    `shortfall` says, as a clause, that a total exceeds the number of items.
    """

    text: bytes | bytearray
    list_name: str | None
    item_count: int
    shortfall: str | None = None

    def __len__(self) -> int:
        """Return the number of items."""
        return self.item_count

    def items(self) -> list[object]:
        """Decode the items, from scratch at each call."""
        # In a thread of its own: how deeply nested a text may be depends on how deep in the stack
        # it is decoded, and no text that `judge` could decode may fail here.
        with ThreadPoolExecutor(max_workers=1) as decoder:
            document = decoder.submit(_decode, self.text).result()
        items: list[object] = document if self.list_name is None else document[self.list_name]
        return items


def judge(endpoint: Endpoint, url: str, response: Response, now: datetime) -> Catalog:
    """Return the catalog that a response holds; raise FetchError if it holds none.

    A TransientError means that the body cannot be read or reports an error, so that another
    attempt may succeed; a FinalError, that it is one page of several, or too large.
    """
    check_status(endpoint, url, response.status, response.headers, now)
    try:
        return _read_catalog(endpoint, response)
    except FetchError as error:
        # Its frames would keep the decoded objects while another attempt is waited for.
        failure = error.with_traceback(None)
    raise failure


def _read_catalog(endpoint: Endpoint, response: Response) -> Catalog:
    # 1. The bytes, and what they would cost as objects.
    text = _to_utf_8(response.body, response.headers.get("Content-Type", ""))
    if text is None:
        raise unreadable("the body is neither valid UTF-8 nor valid in its declared charset")
    if len(text) > MAX_BODY_BYTES:  # it may have grown to twice its size
        raise too_large(f"a body of more than {MAX_BODY_BYTES:,} bytes in UTF-8")
    values = len(text) - len(text.translate(None, delete=b",[{"))
    if values > MAX_VALUES:
        raise too_large(f"{values:,} commas and opening brackets, more than {MAX_VALUES:,}")
    # 2. The list of items.
    try:
        document = _decode(text)
    except (ValueError, RecursionError):
        document = _NO_JSON  # refused below, as the error of a parser would keep the body
    list_name = _find_list(endpoint, document, text)
    items = document if list_name is None else document.pop(list_name)
    if len(items) > MAX_ITEMS:
        raise too_large(f"{len(items):,} items, more than {MAX_ITEMS:,}")
    # 3. Whether it is all of the catalog.
    found = find_evidence({} if list_name is None else document, response.headers, len(items))
    if found.error:
        raise unreadable(f"the body reports an error: {found.error}")
    if found.pages:
        raise paginated(found.pages)
    _check_keys(endpoint, items)
    return Catalog(text, list_name, len(items), found.shortfall)


def _to_utf_8(body: bytes | bytearray, content_type: str) -> bytes | bytearray | None:
    """Return `body` in UTF-8, or None if it is not valid in any charset that may be meant.

    The bytes take precedence over the declared charset, as UTF-8 declared as ISO-8859-1 is a
    common mistake: a byte order mark, the NUL bytes that UTF-16 and UTF-32 have in JSON (RFC 4627,
    section 3), or valid UTF-8.
    """
    declared = _CHARSET.search(content_type)
    for encoding in (json.detect_encoding(body), declared[1] if declared else ""):
        with suppress(LookupError, UnicodeError):
            name = codecs.lookup(encoding).name
            if name in _CHARSETS:
                text = body.decode(name)
                return body if name == "utf-8" else text.encode()
    return None


def _decode(text: bytes | bytearray) -> Any:
    """Decode JSON. What msgspec refuses, such as NaN and lone surrogates, the library may read.

    Raise ValueError if neither reads it, RecursionError if it is nested too deeply for both.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return json.loads(text)


def envelope_names(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names under which a response may hold this catalog's list, beside `data`.

    They are the endpoint's name and its path's last part, each with and without `live-` and with
    dashes or underscores, such as `custom_tracks` and `live-custom-tracks`.
    """
    dashed = endpoint.path.rsplit("/", 1)[-1]
    names = (endpoint.name, dashed, dashed.removeprefix("live-"), dashed.replace("-", "_"))
    return tuple(dict.fromkeys(names))


def _find_list(endpoint: Endpoint, document: object, text: bytes | bytearray) -> str | None:
    """Return the member that holds the catalog, None for a bare list; no list is guessed."""
    if isinstance(document, list):
        return None
    if document is _NO_JSON:
        start = bytes(text[:512]).lstrip()
        kind = "not valid JSON" if start else "empty"
        raise unreadable(f"the body is {'HTML, not JSON' if start[:1] == b'<' else kind}")
    if not isinstance(document, dict):
        raise unreadable("the body is JSON that is neither an object nor a list")
    names = ("data", *envelope_names(endpoint))
    found = [name for name in names if isinstance(document.get(name), list)]
    if len(found) != 1:
        raise unreadable(f"the body is JSON without exactly one `{endpoint.name}` list")
    return found[0]


def _check_keys(endpoint: Endpoint, items: Sequence[object]) -> None:
    """Raise TransientError unless an item has a key, or half of the items if there are many.

    A renamed key would otherwise look like a catalog that has lost all its items.
    """
    key = endpoint.table.primary_key[0]
    values = [item.get(key) for item in items if isinstance(item, dict)]
    readable = sum(
        type(value) in (int, float) or (type(value) is str and value.strip("\0") != "")
        for value in values
    )
    needed = 1 if len(items) < KEYED_HALF_FROM else (len(items) + 1) // 2
    if items and readable < needed:
        raise unreadable(f"only {readable:,} of {len(items):,} items have a readable {key}")
