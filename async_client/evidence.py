"""Find evidence that a response is not the complete catalog, or no catalog at all. No I/O.

Every finding names the member or header, and its value if that is a number, a boolean or a known
word. Other text of the server is never repeated, as it could contain the token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

_DEEPEST_LEVEL = 4

# Names of members by their lower-case letters and digits; headers without their "X-".
_NEXT = frozenset(
    {"next", "nextpage", "nexturl", "nextlink", "nextcursor", "nextpagetoken", "nexttoken"}
    | {"nextpageurl", "nexthref", "nextoffset", "nextpagenumber", "odatanextlink"}
)
_MORE = frozenset(
    {"hasmore", "hasnext", "hasnextpage", "hasmoreitems", "hasmorepages", "hasmoreresults"}
    | {"moreitems", "moreitemsincollection", "morepages", "moreresults", "moredata"}
    | {"istruncated", "truncated", "incompleteresults"}
)
_IS_LAST = frozenset({"last", "islast", "lastpage", "islastpage"})
_PAGE_COUNT = frozenset(
    {"numberofpages", "totalpages", "pagecount", "pages", "numpages", "lastpage", "wptotalpages"}
)
_CURSOR = frozenset({"cursor", "aftercursor", "endcursor"})
_TOTAL = frozenset(
    {"total", "totalcount", "totalitems", "totalelements", "totalresults", "totalrecords", "count"}
    | {"wptotal"}
)
_LIMIT = frozenset(
    {"limit", "pagesize", "perpage", "size", "itemsperpage", "resultsperpage", "maxresults"}
)
_OFFSET = frozenset({"offset", "skip", "start", "startat", "startindex", "from"})
_PAGE = frozenset({"page", "currentpage", "pagenumber", "pageindex", "number"})

# Objects of an envelope that describe its list.
_DESCRIBING = frozenset({"meta", "metadata", "pagination", "paging", "page", "pageinfo"})

# Names that a finding may show.
_KNOWN = _NEXT.union(
    _MORE, _IS_LAST, _PAGE_COUNT, _CURSOR, _TOTAL, _LIMIT, _OFFSET, _PAGE, _DESCRIBING
) | {"link", "links", "error", "errors", "success", "ok", "status", "statuscode"}

_NOTHING = frozenset({"", "0", "false", "no", "none", "null", "ok"})
_FAILED = frozenset({"error", "fail", "failed", "failure"})

_LINK_TO_NEXT = re.compile(r';\s*rel="?[^",;]*\bnext\b', re.IGNORECASE)  # RFC 8288
_RANGE = re.compile(r"\s*([\w-]+)\s+(?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18}|\*)\s*", re.ASCII)


class Shortfall(NamedTuple):
    """A total above the number of items; `paginated` if a page size or offset is beside it."""

    reason: str
    paginated: bool


def further_pages(members: Mapping[str, object]) -> str | None:
    """Return the member that reports further pages, such as `meta.hasMore is true`."""
    return _first_page_evidence(members, "")


def further_pages_in_headers(headers: Mapping[str, str]) -> str | None:
    """Return the header that reports further pages; see `further_pages`."""
    if _LINK_TO_NEXT.search(headers.get("Link", "")):
        return "the Link header has rel=next"
    return _first_page_evidence(_header_members(headers), "X-")


def shortfall(
    members: Mapping[str, object], headers: Mapping[str, str], item_count: int
) -> Shortfall | None:
    """Compare the totals that a response reports with the number of its items."""
    ranged = _outside_of_range(headers.get("Content-Range", ""), item_count)
    if ranged is not None:
        return ranged
    facts = [*_facts(_header_members(headers), "X-"), *_facts(members, "")]
    totals = [(path, total) for path, name, total in facts if name in _TOTAL]
    greatest = max(totals, key=lambda named: named[1], default=None)
    if greatest is None or greatest[1] <= item_count:
        return None
    page = next(
        (f"{path} is {n}" for path, name, n in facts if _pages_by(name, n, item_count)), ""
    )
    counted = f"{greatest[0]} is {greatest[1]:,}, but the response has {_items(item_count)}"
    return Shortfall(f"{counted}{f' ({page})' if page else ''}", paginated=bool(page))


def error_beside(members: Mapping[str, object]) -> str | None:
    """Return the member that reports an error, such as `success is false`."""
    for prefix, reporting in _reporting(members):
        for key, value in reporting.items():
            if _reports_error(_plain(key), value):
                return _finding(f"{prefix}{_safe_name(key)}", value)
    return None


def _first_page_evidence(members: Mapping[str, object], prefix: str) -> str | None:
    return next(_pages(members, prefix, _DEEPEST_LEVEL, ended=False), None)


def _reporting(members: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield "", members
    for key, value in members.items():
        if _plain(key) == "meta" and isinstance(value, dict):
            yield f"{_safe_name(key)}.", value


def _reports_error(name: str, value: object) -> bool:
    if name in ("error", "errors"):
        return not _is_nothing(value)
    if name in ("success", "ok"):
        return _is_false(value)
    if name == "status" and isinstance(value, str) and value.strip().lower() in _FAILED:
        return True
    return name in ("status", "statuscode") and (_whole(value) or 0) >= 400


def _is_nothing(value: object, levels: int = _DEEPEST_LEVEL) -> bool:
    """Return whether an error member reports none: empty, zero, or with a code of 0 or 200."""
    if isinstance(value, dict):
        code = next((inner for key, inner in value.items() if _plain(key) == "code"), None)
        if _whole(code) in (0, 200):
            return True
        value = list(value.values())
    if isinstance(value, list):
        return not value or (levels > 0 and all(_is_nothing(v, levels - 1) for v in value))
    return not value or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _pages(
    members: Mapping[str, object], prefix: str, levels: int, *, ended: bool
) -> Iterator[str]:
    ended = ended or any(_reports_end(_plain(key), value) for key, value in members.items())
    for key, value in members.items():
        name, path = _plain(key), f"{prefix}{_safe_name(key)}"
        if _reports_more(name, value) or (name in _CURSOR and not ended and _leads(value)):
            yield _finding(path, value)
        elif isinstance(value, dict) and levels:
            yield from _pages(value, f"{path}.", levels - 1, ended=ended)
        elif isinstance(value, list) and _links_to_next(value):
            yield f"{path} has a link with rel=next"


def _links_to_next(links: list[object]) -> bool:
    return any(isinstance(link, dict) and link.get("rel") == "next" for link in links)


def _reports_more(name: str, value: object) -> bool:
    if name in _NEXT:
        return _leads(value)
    if name in _MORE:
        return not isinstance(value, (dict, list)) and _leads(value)
    if name in _IS_LAST and _is_false(value):
        return True
    return name in _PAGE_COUNT and (_whole(value) or 0) > 1


def _reports_end(name: str, value: object) -> bool:
    """Return whether a member says that this page is the last one."""
    if name in _NEXT:
        return not _leads(value)
    if name in _MORE:
        return not isinstance(value, (dict, list)) and not _leads(value)
    return name in _IS_LAST and value is True


def _leads(value: object, levels: int = _DEEPEST_LEVEL) -> bool:
    """Return whether a link, cursor or flag is set, not null, false, 0 or empty."""
    if isinstance(value, dict):
        return levels == 0 or any(_leads(inner, levels - 1) for inner in value.values())
    if isinstance(value, str):
        return value.strip().lower() not in _NOTHING
    return bool(value)


def _is_false(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def _pages_by(name: str, number: int, item_count: int) -> bool:
    return (
        (name in _LIMIT and 0 < number <= item_count)
        or name in _OFFSET
        or (name in _PAGE and number > 1)
    )


def _outside_of_range(value: str, item_count: int) -> Shortfall | None:
    """Read a Content-Range of items; ranges of bytes are not pages. Source: RFC 9110, 14.4."""
    match = _RANGE.fullmatch(value)
    if match is None or match[1].lower() == "bytes":
        return None
    start, total = int(match[2] or 0), _whole(match[3]) or 0
    if not start and total <= item_count:
        return None
    ranged = value.strip()[len(match[1]) :].strip()  # without the unit, which could be any word
    reason = f"Content-Range is {ranged}, but the response has {_items(item_count)}"
    return Shortfall(reason, paginated=match[2] is not None)


def _facts(members: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str, int]]:
    """Yield path, plain name and value of the whole numbers that describe the list."""
    for path, key, value in _described(members, prefix, levels=2):
        number = _whole(value)
        if number is not None:
            yield path, _plain(key), number


def _described(
    members: Mapping[str, object], prefix: str, levels: int
) -> Iterator[tuple[str, str, object]]:
    for key, value in members.items():
        path, name = f"{prefix}{_safe_name(key)}", _plain(key)
        if not isinstance(value, dict):
            yield path, key, value
        elif levels and name in _DESCRIBING:
            yield from _described(value, f"{path}.", levels - 1)


def _header_members(headers: Mapping[str, str]) -> dict[str, object]:
    """Return the headers named `X-…` as members; X-Pagination may contain a JSON object."""
    members: dict[str, object] = {}
    for name, value in headers.items():
        if name[:2].lower() == "x-":
            members[name[2:]] = value
            if name.lower() == "x-pagination":
                with suppress(ValueError, RecursionError):
                    members[name[2:]] = json.loads(value)
    return members


def _whole(value: object) -> int | None:
    """Return a whole number, given as number or text; None for anything else."""
    if type(value) is int or (type(value) is float and value.is_integer()):
        return int(value)
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _plain(key: str) -> str:
    return "".join(filter(str.isalnum, key[:64].lower()))


def _safe_name(key: str) -> str:
    """Return a known name in its spelling, else an ellipsis, as it could contain the token."""
    if _plain(key) in _KNOWN:
        return re.sub(r"[^\w@.-]", "", key[:64], flags=re.ASCII) or _plain(key)
    return "…"


def _finding(path: str, value: object) -> str:
    if isinstance(value, bool):
        return f"{path} is {'true' if value else 'false'}"
    if type(value) is int and abs(value) < 10**12:
        return f"{path} is {value}"
    if isinstance(value, str) and value.strip().lower() in _FAILED | _NOTHING | {"true", "yes"}:
        return f"{path} is {value.strip()!r}"
    number = _whole(value)
    if number is not None and number < 10**12:
        return f"{path} is {number}"
    return f"{path} is present"


def _items(item_count: int) -> str:
    return f"{item_count:,} item{'' if item_count == 1 else 's'}"
