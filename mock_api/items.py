"""One catalog item by endpoint and number: item N is the same whatever else the catalog holds.

Fields are those that the API is known, or thought, to return for the endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from mock_api import words

Item = dict[str, Any]
Field = Callable[[Random, Item], Item]

_APP = "https://app.datacamp.com/learn"
_ASSETS = "https://assets.datacamp.com/production"
_NEWEST = datetime(2026, 8, 20, 18, 0, 19, 100_000, tzinfo=timezone.utc)
_THREE_YEARS_IN_MILLISECONDS = 3 * 365 * 24 * 3600 * 1000
_SHARE_WITH_LICENSES = 0.05


def make_item(endpoint_name: str, number: int) -> Item:
    """Make the item with this number, without the `content` that needs other endpoints' items."""
    rng = Random(f"{endpoint_name} {number}")
    kind = _KINDS[endpoint_name]
    made = _described(kind, number, rng)
    for field in kind.fields:
        made |= field(rng, made)
    return made


def make_title(endpoint_name: str, technology: str, rng: Random) -> str:
    """Draw a title for an item of this endpoint."""
    return rng.choice(_KINDS[endpoint_name].titles).format(**_subject(technology, rng))


def make_chapter(course: Item, number: int, rng: Random) -> Item:
    """Make a chapter of ``course``; ``number`` tells it from all chapters of all courses."""
    subject = _subject(course["technology"], rng)
    heading = rng.choice(words.CHAPTER_TITLES).format(**subject)
    return {
        "id": f"course-chapter-{number}",
        "title": heading,
        "description": _prose(rng.sample(words.SENTENCES, rng.randint(2, 3)), subject),
        "url": f"https://campus.datacamp.com/courses/{_slug(course['title'])}/{_slug(heading)}",
    }


def timestamp(rng: Random, days_after: int = 0) -> str:
    """Draw an ``updatedAt``: some time on the day so many days after the newest of revision 0."""
    since = timedelta(days=days_after, milliseconds=rng.randrange(3_600_000))
    return _written(_NEWEST + since)


def _written(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _described(kind: _Kind, number: int, rng: Random) -> Item:
    """Make the fields that every endpoint has."""
    technology = rng.choice(words.TECHNOLOGIES)
    subject = _subject(technology, rng)
    heading = rng.choice(kind.titles).format(**subject)
    sentences = [rng.choice(words.OPENERS), *rng.sample(words.SENTENCES, rng.randint(4, 7))]
    id_number = kind.first_id + number
    slug = f"{_slug(heading)}-{id_number}"
    age = timedelta(milliseconds=rng.randrange(_THREE_YEARS_IN_MILLISECONDS))
    return {
        "id": f"{kind.prefix}-{id_number}",
        "title": heading,
        "description": _prose(sentences, subject),
        "url": f"{_APP}/{kind.path}/{slug}",
        "infoUrl": f"{_APP}/{kind.path}/{slug}?info=true",
        "publicInfoUrl": f"https://www.datacamp.com/{kind.path}/{slug}",
        "imageUrl": {
            extension: f"{_ASSETS}/{kind.path}/{slug}.{extension}"
            for extension in ("jpg", "png", "svg")
        },
        "technology": technology,
        "live": True,
        "updatedAt": _written(_NEWEST - age),
    }


def _subject(technology: str, rng: Random) -> dict[str, str]:
    """Draw what a title and a description are about."""
    return {
        "technology": technology,
        "skill": rng.choice(words.SKILLS),
        "dataset": rng.choice(words.DATASETS),
        "role": rng.choice(words.ROLES),
        "team": rng.choice(words.TEAMS),
    }


def _prose(sentences: Sequence[str], subject: dict[str, str]) -> str:
    return " ".join(sentences).format(**subject)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _hours(rng: Random, _: Item) -> Item:
    return {"timeNeededInHours": rng.choice((1, 2, 3, 4, 5, 6, 0.25, 0.5, 1.5, 2.5, 3.75))}


def _unknown_hours(rng: Random, _: Item) -> Item:
    return rng.choice(({}, {"timeNeededInHours": None}))


def _topic(rng: Random, _: Item) -> Item:
    return {"topic": _named_topic(rng.choice(list(words.TOPICS)))}


def _topics(rng: Random, _: Item) -> Item:
    names = rng.sample(list(words.TOPICS), rng.randint(1, 3))
    return {"topics": [_named_topic(name) for name in names]}


def _named_topic(name: str) -> Item:
    return {"name": name, "description": words.TOPICS[name]}


def _instructors(rng: Random, _: Item) -> Item:
    names = [
        f"{rng.choice(words.FIRST_NAMES)} {rng.choice(words.LAST_NAMES)}"
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))
    ]
    return {"instructors": [{"fullName": name} for name in names]}


def _licenses(rng: Random, _: Item) -> Item:
    included = rng.sample(words.LICENSES, 2) if rng.random() < _SHARE_WITH_LICENSES else []
    return {"includedInLicenses": included}


def _chapters(rng: Random, course: Item) -> Item:
    first = 10 * int(course["id"].rpartition("-")[2])  # no course starts with more than ten
    count = rng.randint(3, 6)
    return {"chapters": [make_chapter(course, first + place, rng) for place in range(count)]}


@dataclass(frozen=True)
class _Kind:
    """What sets an endpoint's items apart: ids, URL folder, titles, further fields."""

    prefix: str
    first_id: int
    path: str
    titles: tuple[str, ...]
    fields: tuple[Field, ...]


_KINDS = {
    "assessments": _Kind(
        "assessment", 310, "assessments", words.ASSESSMENT_TITLES, (_unknown_hours,)
    ),
    "practices": _Kind("practice", 1200, "practices", words.PRACTICE_TITLES, (_unknown_hours,)),
    "projects": _Kind(
        "project", 1021, "projects", words.PROJECT_TITLES, (_hours, _topics, _instructors)
    ),
    "custom_tracks": _Kind(
        "custom-track", 5101, "custom-tracks", words.CUSTOM_TRACK_TITLES, (_topic,)
    ),
    "tracks": _Kind("track", 77, "tracks", words.TRACK_TITLES, (_topic, _licenses)),
    "courses": _Kind(
        "course",
        54_859,
        "courses",
        words.COURSE_TITLES,
        (_hours, _topic, _instructors, _licenses, _chapters),
    ),
}
