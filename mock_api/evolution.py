"""How a catalog changes from revision to revision: which items come, change and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from mock_api.items import Item, make_chapter, make_title, moment

# Every fourth item stays as it is for ever. Tracks are made of these, so that a course that
# changes or retires leaves the tracks alone.
LASTING_EVERY = 4

_RETIRED_SHARE = 0.01
_ADDED_SHARE = 0.015
_CHANGED_SHARE = 0.02


@dataclass
class Life:
    """When an item came, and its changes: the revision and the place among the changed ones."""

    born: int = 0
    changes: list[tuple[int, int]] = field(default_factory=list)


def lives(endpoint_name: str, size: int, revision: int) -> dict[int, Life]:
    """Give the life of every item that exists at ``revision``, by its number in ascending order.

    ``size`` is the number of items at revision 0. Each revision builds on the one before.
    """
    alive = {number: Life() for number in range(size)}
    # At least one goes, but never half of them: that would look like a broken response.
    retired_count = min(max(1, round(size * _RETIRED_SHARE)), (size - 1) // 2)
    changed_count = max(1, round(size * _CHANGED_SHARE))
    added_count = max(1, round(size * _ADDED_SHARE))
    for current in range(1, revision + 1):
        passing = [number for number in alive if number % LASTING_EVERY]
        Random(f"{endpoint_name} at revision {current}").shuffle(passing)
        for number in passing[:retired_count]:
            del alive[number]
        changed = passing[retired_count : retired_count + changed_count]
        for place, number in enumerate(changed):
            alive[number].changes.append((current, place))
        first_new = size + (current - 1) * added_count
        alive |= {number: Life(current) for number in range(first_new, first_new + added_count)}
    return alive


def lived(endpoint_name: str, item: Item, life: Life) -> Item:
    """Give the item as its life has left it."""
    if life.born:
        item = {**item, "updatedAt": _moment(item, life.born)}
    edits = _EDITS[endpoint_name]
    for revision, place in life.changes:
        rng = Random(f"{item['id']} at revision {revision}")
        edit = edits[(revision + place) % len(edits)]
        item = {**item, **edit(item, rng, revision), "updatedAt": _moment(item, revision)}
    return item


def _moment(item: Item, revision: int) -> str:
    return moment(Random(f"{item['id']} on day {revision}"), days_after=revision)


def _title_changed(endpoint_name: str) -> Callable[[Item, Random, int], Item]:
    return lambda item, rng, _: {"title": make_title(endpoint_name, item["technology"], rng)}


def _hours_changed(item: Item, rng: Random, _: int) -> Item:
    return {"timeNeededInHours": item["timeNeededInHours"] + rng.choice((0.25, 0.5, 1, 2))}


def _chapter_lost(course: Item, rng: Random, _: int) -> Item:
    lost = rng.choice(course["chapters"])["id"] if len(course["chapters"]) > 1 else None
    return {"chapters": [chapter for chapter in course["chapters"] if chapter["id"] != lost]}


def _chapter_gained(course: Item, rng: Random, revision: int) -> Item:
    number = int(f"{revision}{course['id'].rpartition('-')[2]}0")
    return {"chapters": [*course["chapters"], make_chapter(course, number, rng)]}


def _tail_lost(track: Item, rng: Random, _: int) -> Item:
    content = track["content"]
    return {"content": content[: max(1, len(content) - rng.randint(1, 3))]}


_EDITS: dict[str, tuple[Callable[[Item, Random, int], Item], ...]] = {
    "assessments": (_title_changed("assessments"),),
    "practices": (_title_changed("practices"),),
    "projects": (_title_changed("projects"), _hours_changed),
    "custom_tracks": (_hours_changed, _tail_lost, _title_changed("custom_tracks")),
    "tracks": (_hours_changed, _tail_lost, _title_changed("tracks")),
    "courses": (_title_changed("courses"), _hours_changed, _chapter_lost, _chapter_gained),
}
