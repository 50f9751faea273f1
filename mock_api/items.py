"""Generate an item from endpoint and number, independent of the rest of the catalog.

It has the fields that the API is known, or assumed, to return for the endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable
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
_HOURS = (1, 2, 3, 4, 5, 6, 0.25, 0.5, 1.5, 2.5, 3.75)


def make_item(endpoint_name: str, number: int) -> Item:
    """Return the item with this number, without the content of a track and its hours."""
    rng = Random(f"{endpoint_name} {number}")
    first_id, titles, fields = _KINDS[endpoint_name]
    path = endpoint_name.replace("_", "-")
    technology = rng.choice(words.TECHNOLOGIES)
    subject = _subject(technology, rng)
    heading = rng.choice(titles).format(**subject)
    sentences = [rng.choice(words.OPENERS), *rng.sample(words.SENTENCES, rng.randint(4, 7))]
    id_number = first_id + number
    slug = f"{path}/{_slug(heading)}-{id_number}"
    age = timedelta(milliseconds=rng.randrange(_THREE_YEARS_IN_MILLISECONDS))
    item = {
        "id": f"{path.removesuffix('s')}-{id_number}",
        "title": heading,
        "description": " ".join(sentences).format(**subject),
        "url": f"{_APP}/{slug}",
        "infoUrl": f"{_APP}/{slug}?info=true",
        "publicInfoUrl": f"https://www.datacamp.com/{slug}",
        "imageUrl": {end: f"{_ASSETS}/{slug}.{end}" for end in ("jpg", "png", "svg")},
        "technology": technology,
        "live": True,
        "updatedAt": _iso(_NEWEST - age),
    }
    for field in fields.split(", "):
        item |= _FIELDS[field](rng, item)
    return item


def make_title(endpoint_name: str, technology: str, rng: Random) -> str:
    """Return a title for an item of this endpoint."""
    _, titles, _ = _KINDS[endpoint_name]
    return rng.choice(titles).format(**_subject(technology, rng))


def make_chapter(course: Item, number: int, rng: Random) -> Item:
    """Return a chapter of `course`; `number` identifies it among the chapters of all courses."""
    subject = _subject(course["technology"], rng)
    heading = rng.choice(words.CHAPTER_TITLES).format(**subject)
    sentences = rng.sample(words.SENTENCES, rng.randint(2, 3))
    return {
        "id": f"course-chapter-{number}",
        "title": heading,
        "description": " ".join(sentences).format(**subject),
        "url": f"https://campus.datacamp.com/courses/{_slug(course['title'])}/{_slug(heading)}",
    }


def timestamp(rng: Random, days_after: int = 0) -> str:
    """Return an `updatedAt` that many days after the newest of revision 0, within an hour."""
    return _iso(_NEWEST + timedelta(days=days_after, milliseconds=rng.randrange(3_600_000)))


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _subject(technology: str, rng: Random) -> dict[str, str]:
    """Return the subject of a title and a description."""
    chosen = {name: rng.choice(listed) for name, listed in words.SUBJECTS.items()}
    return {"technology": technology, **chosen}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _topic(name: str) -> Item:
    return {"name": name, "description": words.TOPICS[name]}


def _instructor(rng: Random) -> Item:
    return {"fullName": f"{rng.choice(words.FIRST_NAMES)} {rng.choice(words.LAST_NAMES)}"}


def _licenses(rng: Random, _: Item) -> Item:
    included = rng.sample(words.LICENSES, 2) if rng.random() < _SHARE_WITH_LICENSES else []
    return {"includedInLicenses": included}


def _chapters(rng: Random, course: Item) -> Item:
    first = 10 * int(course["id"].rpartition("-")[2])  # no new course has more than ten
    count = rng.randint(3, 6)
    return {"chapters": [make_chapter(course, first + place, rng) for place in range(count)]}


_FIELDS: dict[str, Field] = {
    "hours": lambda rng, _: {"timeNeededInHours": rng.choice(_HOURS)},
    "unknown hours": lambda rng, _: rng.choice(({}, {"timeNeededInHours": None})),
    "topic": lambda rng, _: {"topic": _topic(rng.choice(list(words.TOPICS)))},
    "topics": lambda rng, _: {
        "topics": [_topic(name) for name in rng.sample(list(words.TOPICS), rng.randint(1, 3))]
    },
    "instructors": lambda rng, _: {
        "instructors": [_instructor(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))]
    },
    "licenses": _licenses,
    "chapters": _chapters,
}
# What distinguishes an endpoint's items: the first id, titles and further fields.
_KINDS: dict[str, tuple[int, tuple[str, ...], str]] = {
    "assessments": (310, words.ASSESSMENT_TITLES, "unknown hours"),
    "practices": (1200, words.PRACTICE_TITLES, "unknown hours"),
    "projects": (1021, words.PROJECT_TITLES, "hours, topics, instructors"),
    "custom_tracks": (5101, words.CUSTOM_TRACK_TITLES, "topic"),
    "tracks": (77, words.TRACK_TITLES, "topic, licenses"),
    "courses": (54_859, words.COURSE_TITLES, "hours, topic, instructors, licenses, chapters"),
}
