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

_KINDS: dict[str, list[tuple[str, int]]] = {}
for _kind, _place, _names, _ in SIGNS:
    for _name in _names.split():
        _KINDS.setdefault(_name, []).append((_kind, _place))
_DESCRIBING = frozenset(DESCRIBING.split())

_NOTHING = frozenset({"", "0", "false", "no", "none", "null"})
_NO_ERROR = _NOTHING | {"no error", "ok", "success"}
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_NO_NAME = re.compile(r"[^\w@.-]", re.ASCII)
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


class _Fact(NamedTuple):
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
    facts = [*_facts(headers, place=HEADER), *_facts(members)]
    held = [fact for fact in facts if fact.kind in _HOLDS and _HOLDS[fact.kind](fact.value)]
    for fact in held:
        if fact.kind in ("error", "failed", "status"):
            return Evidence(error=_finding(fact))
    if held:
        return Evidence(pages=_finding(held[0]))
    return Evidence() if item_count is None else _shortfall(facts, item_count)


def _facts(
    members: Mapping[str, object],
    within: str = "",
    place: int = TOP,
    levels: int = 0,
    *,
    ended: bool = False,
) -> Iterator[_Fact]:
    """Yield the signs in an object and in the objects in it.

    A last page may have a cursor too: none is a sign where a member beside it, or beside an object
    that it is in, says that there is no more (`ended`).
    """
    found, objects = [], []
    for key, value in members.items():
        short = key[:64].lower()
        plain = short.removeprefix("x-") if place == HEADER else short.translate(_PUNCTUATION)
        known = plain in _KINDS or plain in _DESCRIBING
        name = _NO_NAME.sub("", key[:64]) if known else "…"
        for kind, least in _KINDS.get(plain, ()):
            if least <= place < HEADER or least == place:
                found.append(_Fact(kind, within, name, value))
        inner: object = value
        if place == HEADER and plain == "pagination":  # JSON, as in samples of ASP.NET Core
            with suppress(ValueError, RecursionError):
                inner = json.loads(str(value))
        if isinstance(inner, dict) and levels < MAX_EVIDENCE_LEVELS:
            inner_place = LIST if place >= LIST and plain in _DESCRIBING else ANY
            inner_place = TOP if place == TOP and plain == "meta" else inner_place
            objects.append((inner, f"{within}{name}.", inner_place))
    ended = ended or any(map(_ends, found))
    yield from (fact for fact in found if fact.kind != "cursor" or not ended)
    for inner, path, inner_place in objects:
        yield from _facts(inner, path, inner_place, levels + 1, ended=ended)


def _ends(fact: _Fact) -> bool:
    if fact.kind == "last":
        return fact.value is True
    return fact.kind in ("next", "more", "true") and not _is_set(fact.value)


def _shortfall(facts: list[_Fact], item_count: int) -> Evidence:
    """Compare totals with the number of items; beside a sign of a page, they mean more pages."""
    numbers = [(fact, number) for fact in facts if (number := _whole(fact.value)) is not None]
    with_total = {fact.within for fact, _ in numbers if fact.kind == "total"}
    totals, pages = [(item_count, "")], []
    for fact, number in numbers:
        if fact.kind == "total" or (fact.kind == "count" and fact.within not in with_total):
            totals.append((number, f"{fact.within}{fact.name} is {number:,}"))
        limits = fact.kind == "limit" and 0 < number <= item_count
        if limits or fact.kind == "offset" or (fact.kind == "page" and number > 1):
            pages.append(f" ({_finding(fact)})")
    for fact in facts:
        found = _RANGE.fullmatch(str(fact.value).strip()) if fact.kind == "range" else None
        if found:
            total = max(int(found[2]) + 1 if found[2] else 0, _whole(found[3]) or 0)
            totals.append((total, f"{fact.name} is {found[1]}"))
            pages += [""] if found[2] else []
    greatest, clause = max(totals, key=lambda each: each[0])
    if greatest == item_count:
        return Evidence()
    items = f"{item_count:,} item{'' if item_count == 1 else 's'}"
    clause += f", but the response has {items}{pages[0] if pages else ''}"
    return Evidence(pages=clause) if pages else Evidence(shortfall=clause)


def _is_set(value: object, levels: int = 0, nothing: frozenset[str] = _NOTHING) -> bool:
    """Return whether a link, cursor, flag or error is anything but null, false, 0 or empty."""
    if isinstance(value, (dict, list)) and value:
        inner = value.values() if isinstance(value, dict) else value
        deep = levels == MAX_EVIDENCE_LEVELS
        return deep or any(_is_set(each, levels + 1, nothing) for each in inner)
    return _word(value) not in nothing if isinstance(value, str) else bool(value)


def _is_error(value: object) -> bool:
    """Return whether an error is set, other than with a code of 0 or 200."""
    for error in value if isinstance(value, list) else [value]:
        members = error.items() if isinstance(error, dict) else ()
        is_fine = any(_word(key) == "code" and _whole(code) in (0, 200) for key, code in members)
        if not is_fine and _is_set(error, nothing=_NO_ERROR):
            return True
    return False


def _links_to_next(value: object) -> bool:
    """Return whether a Link header or a list of links has one of the relation `next`."""
    links = value if isinstance(value, list) else []
    if isinstance(value, str):
        links = [{"rel": r.strip('"')} for r in _RELATION.findall(_NO_RELATION.sub("", value))]
    for link in links:
        rel = link.get("rel") if isinstance(link, dict) else None
        relations = rel.split() if isinstance(rel, str) else rel if isinstance(rel, list) else []
        targets = [text for key, text in link.items() if key != "rel"] if relations else []
        if any(_word(each) == "next" for each in relations) and (not targets or _is_set(targets)):
            return True
    return False


_HOLDS: Mapping[str, Callable[[object], bool]] = {
    "next": _is_set,
    "cursor": _is_set,
    "link": _links_to_next,
    "more": lambda value: not isinstance(value, (dict, list)) and _is_set(value),
    "true": lambda value: _word(value) == "true",
    "last": lambda value: _word(value) == "false",
    "pages": lambda value: (_whole(value) or 0) > 1,
    "error": _is_error,
    "failed": lambda value: _word(value) == "false",
    "status": lambda value: _word(value) in _FAILED or (_whole(value) or 0) >= 400,
}


def _whole(value: object) -> int | None:
    """Return a whole number of up to 18 digits, given as number or text; None for others."""
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    text = value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _word(value: object) -> str:
    return str(value)[:64].strip().lower() if isinstance(value, (str, bool)) else "…"


def _finding(fact: _Fact) -> str:
    number, word = _whole(fact.value), _word(fact.value)
    shown = "present"
    if fact.kind == "link":
        return f"{fact.within}{fact.name} has rel=next"
    if number is not None and number < 10**12:
        shown = str(number)
    elif word in _NO_ERROR | _FAILED | {"true", "yes"}:
        shown = word if isinstance(fact.value, bool) else repr(word)
    return f"{fact.within}{fact.name} is {shown}"
