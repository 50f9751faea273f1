"""Judge an answer: is it a catalog, which items does it hold, is another try worth it. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import msgspec

from async_client.errors import (
    FetchError,
    FinalError,
    NotIncludedError,
    TransientError,
    UnauthorizedError,
)
from endpoints import Endpoint

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})

_NEXT_SYNC = "DataCamp's service has trouble; the next sync asks again"
_CHECK_URL = "Check base_url, and the proxy if there is one"
_DEEPEST_ENVELOPE_LEVEL = 4

# Members of an envelope that speak of further pages, by their letters and digits in lower case.
_NEXT_MEMBERS = frozenset(
    {"next", "nextpage", "nexturl", "nextlink", "nextcursor", "nextpagetoken", "nexttoken"}
    | {"nextpageurl", "nexthref", "odatanextlink", "hasmore", "hasnext", "hasnextpage"}
)
_PAGE_COUNT_MEMBERS = frozenset(
    {"numberofpages", "totalpages", "pagecount", "pages", "numpages", "lastpage"}
)

_NEXT_PAGE = re.compile(r';\s*rel="?[^",;]*\bnext\b', re.IGNORECASE)  # RFC 8288

_ENVELOPE = msgspec.json.Decoder(list[msgspec.Raw] | dict[str, msgspec.Raw])
_REFUSED_BY_MSGSPEC = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Items = list[msgspec.Raw] | list[object]


class Unreadable:
    """Stands for an item that no decoder reads."""

    def __str__(self) -> str:
        """Say so, to end a sentence that begins with "it is"."""
        return "JSON that cannot be decoded"


def check_status(endpoint: Endpoint, url: str, status: int, headers: Mapping[str, str]) -> None:
    """Return if the answer should hold a catalog; else raise the FetchError of its status."""
    if status == HTTPStatus.OK:
        if _NEXT_PAGE.search(headers.get("Link", "")):
            raise _one_page()
        return
    reason = f"the server answers {_status_text(status)}"
    if status in TRANSIENT_STATUSES:
        wait = retry_after_seconds(headers.get("Retry-After"), datetime.now(timezone.utc))
        raise TransientError(reason, _NEXT_SYNC, wait)
    if 300 <= status < 400 and "Location" in headers:
        raise _redirect(reason, url, headers["Location"])
    raise _FINAL_STATUSES.get(status, _other_status)(endpoint, reason)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Read a ``Retry-After`` header, seconds or an HTTP date; None if it is missing or garbage.

    A date that has passed is 0. Source: RFC 9110, section 10.2.3.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def split(endpoint: Endpoint, body: bytes | bytearray) -> Items:
    """Split a body into its items, undecoded, so that they can be decoded one at a time.

    The items are views into ``body``. A body that msgspec refuses (NaN, lone surrogates) is read
    once more by the standard library, and only then are the items decoded objects. Raises
    TransientError if the body is no envelope of this endpoint, FinalError if it is one of several
    pages.
    """
    try:
        return _split_raw(endpoint, body)
    except _REFUSED_BY_MSGSPEC:
        pass
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = Unreadable()
    if isinstance(document, Unreadable):
        raise _unreadable(_not_json(body))
    if isinstance(document, dict):
        name = _list_name(endpoint, document, lambda value: isinstance(value, list))
        return document[name]  # type: ignore[no-any-return]
    if isinstance(document, list):
        return document
    raise _unreadable("JSON that is neither an object nor a list")


def decode_item(item: object) -> object:
    """Decode one item of `split`; gives Unreadable for what no decoder reads."""
    if not isinstance(item, msgspec.Raw):
        return item
    try:
        return msgspec.json.decode(item)
    except _REFUSED_BY_MSGSPEC:
        pass
    try:
        return json.loads(bytes(item))
    except (ValueError, RecursionError):
        return Unreadable()


def _split_raw(endpoint: Endpoint, body: bytes | bytearray) -> list[msgspec.Raw]:
    envelope = _ENVELOPE.decode(body)
    if isinstance(envelope, list):
        return envelope
    name = _list_name(endpoint, envelope, _is_raw_list)
    return msgspec.json.decode(envelope[name], type=list[msgspec.Raw])


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
        raise _unreadable(f"JSON without one list of {endpoint.name}")
    others = {key: _decoded(value) for key, value in members.items() if key != names[0]}
    if any(_speaks_of_pages(others, _DEEPEST_ENVELOPE_LEVEL)):
        raise _one_page()
    return names[0]


def _one_page() -> FinalError:
    return FinalError(
        "the answer is one page of several, and half a catalog must not pass for a whole",
        "DataCamp's API has begun to page: update this connector",
    )


def _decoded(value: object) -> object:
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def _speaks_of_pages(members: Mapping[str, object], levels: int) -> Iterator[bool]:
    for key, value in members.items():
        name = "".join(filter(str.isalnum, key.lower()))
        if name in _NEXT_MEMBERS:
            yield _leads_somewhere(value)
        elif name in _PAGE_COUNT_MEMBERS and not isinstance(value, dict):
            yield _number(value) > 1
        elif isinstance(value, dict) and levels:
            yield from _speaks_of_pages(value, levels - 1)
        elif isinstance(value, list):  # of links, each with its relation
            yield any(isinstance(link, dict) and link.get("rel") == "next" for link in value)


def _leads_somewhere(value: object) -> bool:
    """Tell a link or cursor from the null, false, 0, empty text or empty link of a last page."""
    if isinstance(value, dict):
        return any(_leads_somewhere(inner) for inner in value.values())
    return bool(value.strip() if isinstance(value, str) else value)


def _number(value: object) -> float:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return float(value[:9])
    return value if isinstance(value, (int, float)) else 0


def _not_json(body: bytes | bytearray) -> str:
    start = bytes(body[:512]).lstrip()
    if not start:
        return "nothing"
    return "HTML, not JSON" if start[:1] == b"<" else "no valid JSON"


def _unreadable(what: str) -> TransientError:
    return TransientError(
        f"the server answers 200, but the body is {what}",
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
        return "an address that cannot be read"
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
