"""Valid but unusual values that the API may send, on a few items."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from operator import itemgetter
from typing import Any

from mock_api.items import Item


def with_edge_case(endpoint_name: str, number: int, item: Item) -> Item:
    """Return the item; for a few numbers of each endpoint it has an unusual value.

    These are every third number at the start of a period, so that small catalogs have some, too.
    """
    period, *cases = _EDGE_CASES[endpoint_name]
    place, rest = divmod(number % period, 3)
    if rest != 2 or place >= len(cases):
        return item
    return item | {
        # A copy, since items share no lists; a function computes the value from the usual one.
        field: value(item[field]) if callable(value) else deepcopy(value)
        for field, value in cases[place].items()
    }


def _each(field: str, *values: object) -> Iterable[Item]:
    """Yield an edge case for each value of a field."""
    return ({field: value} for value in values)


def _without_position(content: list[Item]) -> list[Item]:
    *others, last = content
    return [*others, {key: last[key] for key in last if key != "position"}]


_NULLS: tuple[Item, ...] = ({"technology": None}, {"imageUrl": None})
_LICENSE_OBJECTS = [{"id": 7, "name": "enterprise"}]
_UNICODE_TITLE: Item = {"title": "データ分析: naïve café Größen, ½ price 🐍"}
_HTML = '<p>Learn <b>joins</b> &amp; "windows"<br/>\n\tin <a href="/x?a=1&b=2">SQL</a></p>'

# The period, as a number of items, and the edge cases at its start.
_EDGE_CASES: dict[str, tuple[Any, ...]] = {
    "assessments": (30, *_NULLS, {"passingScore": 0.7}, _UNICODE_TITLE),
    "practices": (
        100,
        *_NULLS,
        {"questions": {"count": 25, "kinds": ["choice", "order"]}},
        {"description": _HTML},
    ),
    "projects": (
        90,
        *_each("topics", lambda topics: [topic["name"] for topic in topics], itemgetter(0)),
        *_each("topics", None, []),
        *_NULLS,
        {"instructors": [{"fullName": None}]},
        {"isGuided": False},
        _UNICODE_TITLE,
    ),
    "custom_tracks": (
        20,
        {"topic": None},
        *_each("content", _without_position, None),
        *_NULLS,
        {"owner": {"group": "Learning & Development", "size": 120}},
    ),
    "tracks": (
        60,
        *_each("content", _without_position, None, []),
        {"topic": None},
        *_NULLS,
        {"includedInLicenses": _LICENSE_OBJECTS},
        {"isCertification": True},
    ),
    "courses": (
        190,
        *_each("chapters", None, []),
        *_each("topic", None, {"name": "Programming", "description": None}),
        *_NULLS,
        *_each("instructors", [], [{"fullName": None}, {"fullName": "Zoë Müller"}]),
        *_each("includedInLicenses", ["teams", "enterprise"], _LICENSE_OBJECTS),
        {"difficulty": {"level": 2, "label": "Intermediate"}, "tags": ["new", None, 1]},
        _UNICODE_TITLE,
        {"description": _HTML},
    ),
}
