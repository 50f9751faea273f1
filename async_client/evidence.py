"""Find evidence that a response is not the complete catalog, or no catalog at all. Pure.

Findings contain known names, numbers and known words; other text of a server could be a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from async_client.limits import MAX_EVIDENCE_LEVELS
from async_client.signs import ANY, DESCRIBING, HEADER, LIST, SIGNS, TOP

_DESCRIBING = frozenset(DESCRIBING.split())
_NAMES = _DESCRIBING.union(*(names.split() for _, _, names, _ in SIGNS))
# The kinds of sign by name and place: what counts in any object counts where a list is described,
# and what counts there counts in the envelope.
_KINDS: dict[tuple[str, int], list[str]] = {}
for _kind, _place, _names, _ in SIGNS:
    for _name in _names.split():
        for _at in {ANY: (ANY, LIST, TOP), LIST: (LIST, TOP)}.get(_place, (_place,)):
            _KINDS.setdefault((_name, _at), []).append(_kind)

_NOTHING = frozenset({"", "0", "false", "no", "none", "null"})
_NO_ERROR = _NOTHING | {"no error", "ok", "success"}
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_NOT_SHOWN = re.compile(r"[^\w@.-]", re.ASCII)
_PUNCTUATION = {code: None for code in range(128) if not chr(code).isalnum()}
# In a Link header: targets and parameters other than the relation; the relation.
_NO_RELATION = re.compile(r'<[^>]*>|;\s*(?!rel\b)[\w*-]+\s*=\s*"[^"]*"', re.IGNORECASE)
_RELATION = re.compile(r';\s*rel\s*=\s*("[^"]*"|[^\s;,]*)', re.IGNORECASE)
_RANGE = re.compile(r"(?:(?!(?i:bytes))[\w-]+\s+)?((?:\d+-(\d{1,18})|\*)/(\d{1,18}|\*))", re.ASCII)


class Evidence(NamedTuple):
    """Clauses that report an error, further pages, or a total above the number of items."""

    error: str | None = None
    pages: str | None = None
    shortfall: str | None = None


class _Sign(NamedTuple):
    kind: str
    within: str  # the path of its object, with a dot at the end
    name: str
    value: object


def find_evidence(
    members: Mapping[str, object], headers: Mapping[str, str], item_count: int | None = None
) -> Evidence:
    """Return what the members beside the list, and the headers, say against a response.

    Without `item_count`, totals are not compared.
    """
    signs = [*_find_signs(headers, place=HEADER), *_find_signs(members)]
    evidence = [sign for sign in signs if sign.kind in _HOLDS and _HOLDS[sign.kind](sign.value)]
    for sign in evidence:
        if sign.kind in ("error", "failed", "status"):
            return Evidence(error=_describe(sign))
    if evidence:
        return Evidence(pages=_describe(evidence[0]))
    return Evidence() if item_count is None else _compare_totals(signs, item_count)


def _find_signs(
    members: Mapping[str, object],
    within: str = "",
    place: int = TOP,
    levels: int = 0,
    *,
    ended: bool = False,
) -> Iterator[_Sign]:
    """Yield the signs in an object and in the objects in it.

    A last page may have a cursor too: none is a sign where a member beside it, or beside an object
    that it is in, says that there is no more (`ended`).
    """
    found, objects = [], []
    for key, value in members.items():
        # 1. Its name, without what differs between spellings; only known names are shown.
        word = key[:64].lower()
        word = word.removeprefix("x-") if place == HEADER else word.translate(_PUNCTUATION)
        name = _NOT_SHOWN.sub("", key[:64]) if word in _NAMES else "…"
        # 2. The kinds of sign that it is at this place.
        for kind in _KINDS.get((word, place), ()):
            found.append(_Sign(kind, within, name, value))
            no_more = kind in ("next", "more", "true") and not _is_set(value)
            ended = ended or no_more or (kind == "last" and value is True)
        # 3. If it is an object, its signs, and which of them count.
        inner: object = value
        if place == HEADER and word == "pagination":  # JSON, as in samples of ASP.NET Core
            with suppress(ValueError, RecursionError):
                inner = json.loads(str(value))
        if isinstance(inner, dict) and levels < MAX_EVIDENCE_LEVELS:
            inner_place = LIST if place != ANY and word in _DESCRIBING else ANY
            inner_place = TOP if place == TOP and word == "meta" else inner_place
            objects.append((inner, f"{within}{name}.", inner_place))
    yield from (sign for sign in found if sign.kind != "cursor" or not ended)
    for inner, path, inner_place in objects:
        yield from _find_signs(inner, path, inner_place, levels + 1, ended=ended)


def _compare_totals(signs: list[_Sign], item_count: int) -> Evidence:
    """Compare totals with the number of items; beside a sign of a page, they mean more pages."""
    numbers = [sign for sign in signs if _to_number(sign.value) is not None]
    with_total = {sign.within for sign in numbers if sign.kind == "total"}
    totals, pages = [(item_count, "")], []
    for sign in sorted(signs, key=lambda sign: sign.kind == "range"):  # a range comes last
        kind, within, name, value = sign
        number = _to_number(value)
        if kind == "range" and (found := _RANGE.fullmatch(str(value).strip())):
            total = max(int(found[2] or -1) + 1, _to_number(found[3]) or 0)
            totals.append((total, f"{name} is {found[1]}"))
            pages += [""] if found[2] else []
        elif number is None:
            continue
        elif kind == "total" or (kind == "count" and within not in with_total):
            totals.append((number, f"{within}{name} is {number:,}"))
        elif (
            (kind == "limit" and 0 < number <= item_count)
            or kind == "offset"
            or (kind == "page" and number > 1)
        ):
            pages.append(f" ({_describe(sign)})")
    greatest, clause = max(totals, key=lambda each: each[0])
    if greatest == item_count:
        return Evidence()
    items = f"{item_count:,} item{'' if item_count == 1 else 's'}"
    clause += f", but the response has {items}{pages[0] if pages else ''}"
    return Evidence(pages=clause) if pages else Evidence(shortfall=clause)


def _is_set(value: object, nothing: frozenset[str] = _NOTHING, levels: int = 0) -> bool:
    """Return whether a link, cursor, flag or error is anything but null, false, 0 or empty.

    An error with a code of 0 or 200 is none.
    """
    if isinstance(value, dict):
        codes = [_to_number(code) for key, code in value.items() if _to_word(key) == "code"]
        if levels == 0 and nothing is _NO_ERROR and {0, 200}.intersection(codes):
            return False
        value = list(value.values())
    if isinstance(value, list):
        deep = levels == MAX_EVIDENCE_LEVELS
        return any(deep or _is_set(each, nothing, levels + 1) for each in value)
    return _to_word(value) not in nothing


def _links_to_next(value: object) -> bool:
    """Return whether a Link header or a list of links has one of the relation `next`."""
    links = value if isinstance(value, list) else []
    if isinstance(value, str):
        links = [{"rel": r.strip('"')} for r in _RELATION.findall(_NO_RELATION.sub("", value))]
    for link in links:
        rel = link.get("rel") if isinstance(link, dict) else None
        relations = rel.split() if isinstance(rel, str) else rel if isinstance(rel, list) else []
        if "next" in map(_to_word, relations):
            targets = [text for key, text in link.items() if key != "rel"]
            if not targets or _is_set(targets):
                return True
    return False


# When the value of a sign is evidence by itself. Totals, ranges and pages are compared.
_HOLDS: Mapping[str, Callable[[object], bool]] = {
    "next": _is_set,
    "cursor": _is_set,
    "link": _links_to_next,
    "more": lambda value: not isinstance(value, (dict, list)) and _is_set(value),
    "true": lambda value: _to_word(value) == "true",
    "last": lambda value: _to_word(value) == "false",
    "pages": lambda value: (_to_number(value) or 0) > 1,
    "error": lambda value: any(
        _is_set(error, _NO_ERROR) for error in (value if isinstance(value, list) else [value])
    ),
    "failed": lambda value: _to_word(value) == "false",
    "status": lambda value: _to_word(value) in _FAILED or (_to_number(value) or 0) >= 400,
}


def _to_word(value: object) -> str:
    """Return text, a whole number, true, false or none in lower case; `…` for anything else."""
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    is_scalar = value is None or isinstance(value, (str, int))
    return str(value)[:64].strip().lower() if is_scalar else "…"


def _to_number(value: object) -> int | None:
    """Return a whole number of up to 18 digits, given as number or text; None for others."""
    word = _to_word(value)
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 18 else None


def _describe(sign: _Sign) -> str:
    shown, number, word = "present", _to_number(sign.value), _to_word(sign.value)
    if sign.kind == "link":
        return f"{sign.within}{sign.name} has rel=next"
    if number is not None and number < 10**12:
        shown = str(number)
    elif word in _NO_ERROR | _FAILED | {"true", "yes"}:
        shown = word if isinstance(sign.value, bool) else repr(word)
    return f"{sign.within}{sign.name} is {shown}"
