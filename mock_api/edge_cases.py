"""Valid but unusual values that the API may send, on a few items."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from mock_api.items import Item

EdgeCase = Item | Callable[[Item], Item]


def with_edge_case(endpoint_name: str, number: int, item: Item) -> Item:
    """Return the item; for a few numbers of each endpoint it has an unusual value.

    These are every third number at the start of a period, so that small catalogs have some, too.
    """
    place, rest = divmod(number % _PERIODS[endpoint_name], 3)
    cases = _EDGE_CASES[endpoint_name]
    if rest != 2 or place >= len(cases):
        return item
    case = cases[place]
    return {**item, **(case(item) if callable(case) else deepcopy(case))}  # items share no list


def _without_position(track: Item) -> Item:
    *others, last = track["content"]
    return {"content": [*others, {key: last[key] for key in last if key != "position"}]}


def _topics_as_text(project: Item) -> Item:
    return {"topics": [topic["name"] for topic in project["topics"]]}


def _topics_as_one_object(project: Item) -> Item:
    return {"topics": project["topics"][0]}


# After so many items, the same edge cases occur again.
_PERIODS = {
    "assessments": 30,
    "practices": 100,
    "projects": 90,
    "custom_tracks": 20,
    "tracks": 60,
    "courses": 190,
}
_NULLS: tuple[Item, ...] = ({"technology": None}, {"imageUrl": None})
_NO_TOPIC: Item = {"topic": None}
_LICENSE_OBJECTS: Item = {"includedInLicenses": [{"id": 7, "name": "enterprise"}]}
_UNICODE_TITLE: Item = {"title": "データ分析: naïve café Größen, ½ price 🐍"}
_HTML = '<p>Learn <b>joins</b> &amp; "windows"<br/>\n\tin <a href="/x?a=1&b=2">SQL</a></p>'

_EDGE_CASES: dict[str, tuple[EdgeCase, ...]] = {
    "assessments": (*_NULLS, {"passingScore": 0.7}, _UNICODE_TITLE),
    "practices": (
        *_NULLS,
        {"questions": {"count": 25, "kinds": ["choice", "order"]}},
        {"description": _HTML},
    ),
    "projects": (
        _topics_as_text,
        _topics_as_one_object,
        {"topics": None},
        {"topics": []},
        *_NULLS,
        {"instructors": [{"fullName": None}]},
        {"isGuided": False},
        _UNICODE_TITLE,
    ),
    "custom_tracks": (
        _NO_TOPIC,
        _without_position,
        {"content": None},
        *_NULLS,
        {"owner": {"group": "Learning & Development", "size": 120}},
    ),
    "tracks": (
        _without_position,
        {"content": None},
        {"content": []},
        _NO_TOPIC,
        *_NULLS,
        _LICENSE_OBJECTS,
        {"isCertification": True},
    ),
    "courses": (
        {"chapters": None},
        {"chapters": []},
        _NO_TOPIC,
        {"topic": {"name": "Programming", "description": None}},
        *_NULLS,
        {"instructors": []},
        {"instructors": [{"fullName": None}, {"fullName": "Zoë Müller"}]},
        {"includedInLicenses": ["teams", "enterprise"]},
        _LICENSE_OBJECTS,
        {"difficulty": {"level": 2, "label": "Intermediate"}, "tags": ["new", None, 1]},
        _UNICODE_TITLE,
        {"description": _HTML},
    ),
}
