"""Values that the API may legally send and that a careless reader trips over, on a few items."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from mock_api.items import Item

Oddity = Callable[[Item], Item]


def made_odd(endpoint_name: str, number: int, item: Item) -> Item:
    """Give the item as it is or, for a few numbers of each endpoint, with an odd but legal value.

    Odd numbers are spread over the catalog's beginning, so a small catalog has its share of them.
    """
    oddities = _ODDITIES[endpoint_name]
    place, rest = divmod(number % _PERIODS[endpoint_name], 3)
    return oddities[place](item) if rest == 2 and place < len(oddities) else item


def _with(**fields: object) -> Oddity:
    return lambda item: {**item, **deepcopy(fields)}  # no two items share a list


def _without_position(track: Item) -> Item:
    content = deepcopy(track["content"])
    del content[-1]["position"]
    return {**track, "content": content}


def _topics_as_text(project: Item) -> Item:
    return {**project, "topics": [topic["name"] for topic in project["topics"]]}


def _topics_as_one_object(project: Item) -> Item:
    return {**project, "topics": project["topics"][0]}


_UNICODE_TITLE = _with(title="データ分析: naïve café Größen, ½ price 🐍")
_HTML_DESCRIPTION = _with(
    description='<p>Learn <b>joins</b> &amp; "windows"<br/>\n\tin <a href="/x?a=1&b=2">SQL</a></p>'
)

_PERIODS = {
    "assessments": 30,
    "practices": 100,
    "projects": 90,
    "custom_tracks": 20,
    "tracks": 60,
    "courses": 190,
}

_ODDITIES: dict[str, tuple[Oddity, ...]] = {
    "assessments": (
        _with(technology=None),
        _with(imageUrl=None),
        _with(passingScore=0.7),
        _UNICODE_TITLE,
    ),
    "practices": (
        _with(technology=None),
        _with(imageUrl=None),
        _with(questions={"count": 25, "kinds": ["choice", "order"]}),
        _HTML_DESCRIPTION,
    ),
    "projects": (
        _topics_as_text,
        _topics_as_one_object,
        _with(topics=None),
        _with(topics=[]),
        _with(technology=None),
        _with(imageUrl=None),
        _with(instructors=[{"fullName": None}]),
        _with(isGuided=False),
        _UNICODE_TITLE,
    ),
    "custom_tracks": (
        _with(topic=None),
        _without_position,
        _with(content=None),
        _with(technology=None),
        _with(imageUrl=None),
        _with(owner={"group": "Learning & Development", "size": 120}),
    ),
    "tracks": (
        _without_position,
        _with(content=None),
        _with(content=[]),
        _with(topic=None),
        _with(technology=None),
        _with(imageUrl=None),
        _with(includedInLicenses=[{"id": 7, "name": "enterprise"}]),
        _with(isCertification=True),
    ),
    "courses": (
        _with(chapters=None),
        _with(chapters=[]),
        _with(topic=None),
        _with(topic={"name": "Programming", "description": None}),
        _with(technology=None),
        _with(imageUrl=None),
        _with(instructors=[]),
        _with(instructors=[{"fullName": None}, {"fullName": "Zoë Müller"}]),
        _with(includedInLicenses=["teams", "enterprise"]),
        _with(includedInLicenses=[{"id": 7, "name": "enterprise"}]),
        _with(difficulty={"level": 2, "label": "Intermediate"}, tags=["new", None, 1]),
        _UNICODE_TITLE,
        _HTML_DESCRIPTION,
    ),
}
