"""Valid but unusual values that the API may send, on a few items."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from mock_api.items import Item

Change = Callable[[Item], Item]


def with_edge_case(endpoint_name: str, number: int, item: Item) -> Item:
    """Return the item; for a few numbers of each endpoint it has an unusual value.

    These are every third number at the start of a period, so that small catalogs have some, too.
    """
    period, changes = _EDGE_CASES[endpoint_name]
    place, rest = divmod(number % period, 3)
    return changes[place](item) if rest == 2 and place < len(changes) else item


def _with(**fields: object) -> Change:
    return lambda item: {**item, **deepcopy(fields)}  # no two items share a list


def _without_position(track: Item) -> Item:
    content = deepcopy(track["content"])
    del content[-1]["position"]
    return {**track, "content": content}


def _topics_as_text(project: Item) -> Item:
    return {**project, "topics": [topic["name"] for topic in project["topics"]]}


def _topics_as_one_object(project: Item) -> Item:
    return {**project, "topics": project["topics"][0]}


_NO_TECHNOLOGY = _with(technology=None)
_NO_IMAGE = _with(imageUrl=None)
_NO_TOPIC = _with(topic=None)
_NO_CONTENT = _with(content=None)
_LICENSE_OBJECTS = _with(includedInLicenses=[{"id": 7, "name": "enterprise"}])
_UNICODE_TITLE = _with(title="データ分析: naïve café Größen, ½ price 🐍")
_HTML_DESCRIPTION = _with(
    description='<p>Learn <b>joins</b> &amp; "windows"<br/>\n\tin <a href="/x?a=1&b=2">SQL</a></p>'
)
_NESTED_FIELD = _with(questions={"count": 25, "kinds": ["choice", "order"]})

# The period, in items, and the changes.
_EDGE_CASES: dict[str, tuple[int, tuple[Change, ...]]] = {
    "assessments": (30, (_NO_TECHNOLOGY, _NO_IMAGE, _with(passingScore=0.7), _UNICODE_TITLE)),
    "practices": (100, (_NO_TECHNOLOGY, _NO_IMAGE, _NESTED_FIELD, _HTML_DESCRIPTION)),
    "projects": (
        90,
        (
            _topics_as_text,
            _topics_as_one_object,
            _with(topics=None),
            _with(topics=[]),
            _NO_TECHNOLOGY,
            _NO_IMAGE,
            _with(instructors=[{"fullName": None}]),
            _with(isGuided=False),
            _UNICODE_TITLE,
        ),
    ),
    "custom_tracks": (
        20,
        (
            _NO_TOPIC,
            _without_position,
            _NO_CONTENT,
            _NO_TECHNOLOGY,
            _NO_IMAGE,
            _with(owner={"group": "Learning & Development", "size": 120}),
        ),
    ),
    "tracks": (
        60,
        (
            _without_position,
            _NO_CONTENT,
            _with(content=[]),
            _NO_TOPIC,
            _NO_TECHNOLOGY,
            _NO_IMAGE,
            _LICENSE_OBJECTS,
            _with(isCertification=True),
        ),
    ),
    "courses": (
        190,
        (
            _with(chapters=None),
            _with(chapters=[]),
            _NO_TOPIC,
            _with(topic={"name": "Programming", "description": None}),
            _NO_TECHNOLOGY,
            _NO_IMAGE,
            _with(instructors=[]),
            _with(instructors=[{"fullName": None}, {"fullName": "Zoë Müller"}]),
            _with(includedInLicenses=["teams", "enterprise"]),
            _LICENSE_OBJECTS,
            _with(difficulty={"level": 2, "label": "Intermediate"}, tags=["new", None, 1]),
            _UNICODE_TITLE,
            _HTML_DESCRIPTION,
        ),
    ),
}
