"""Generate the catalog and its revisions; the same arguments always return the same items."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from endpoints import ENDPOINTS
from mock_api.edge_cases import with_edge_case
from mock_api.items import Item, make_chapter, make_item, make_title, timestamp

Edit = Callable[[Item, Random, int], Item]
# A course or project as tracks refer to it, and its hours.
Entry = tuple[Item, float]
# The revisions that changed an item, each with the place of the change in the revision, which
# selects the edit. The place is None in the revision that added the item.
History = list[tuple[int, int | None]]

SIZES = {
    "assessments": 60,
    "practices": 300,
    "projects": 260,
    "custom_tracks": 20,
    "tracks": 120,
    "courses": 764,
}

# Every fourth item never changes. Tracks contain only these, so that a changed or retired
# course does not change a track.
_LASTING_EVERY = 4
# Whether positions start at 0 or 1 is unknown, so both occur.
_FIRST_POSITION = {"custom_tracks": 0, "tracks": 1}


def catalog(revision: int = 0, scale: float = 1.0) -> dict[str, list[Item]]:
    """Return new items of every endpoint, by endpoint name.

    `scale` multiplies the number of items of each endpoint, which is at least 1. Each `revision`
    retires about 1 % of an endpoint's items, changes 2 % and adds 1.5 %. The first track and the
    first custom track contain a course that revision 1 retires.
    """
    sizes = {name: max(1, round(size * scale)) for name, size in SIZES.items()}
    lasting = [
        _entry(endpoint_name, number)
        for endpoint_name in ("courses", "projects")
        for number in range(0, sizes[endpoint_name], _LASTING_EVERY)
    ]
    kept = histories("courses", sizes["courses"], revision=1)
    retired = [_entry("courses", n) for n in range(sizes["courses"]) if n not in kept]
    items: dict[str, list[Item]] = {endpoint.name: [] for endpoint in ENDPOINTS}
    for name, listed in items.items():
        for number, history in histories(name, sizes[name], revision).items():
            item = make_item(name, number)
            if name in _FIRST_POSITION:
                item |= _content(name, number, lasting, retired[:1] if number == 0 else [])
            listed.append(with_edge_case(name, number, _with_history(name, item, history)))
    return items


def histories(endpoint_name: str, size: int, revision: int) -> dict[int, History]:
    """Return the history of every item that exists at `revision`, by its number, ascending.

    `size` is the number of items at revision 0. Each revision builds on the one before.
    """
    existing: dict[int, History] = {number: [] for number in range(size)}
    retired_count, added_count, changed_count = (
        max(1, round(size * share)) for share in (0.01, 0.015, 0.02)
    )
    # Never half of the items, which would make the response suspicious.
    retired_count = min(retired_count, (size - 1) // 2)
    for current in range(1, revision + 1):
        passing = [number for number in existing if number % _LASTING_EVERY]
        Random(f"{endpoint_name} at revision {current}").shuffle(passing)
        for number in passing[:retired_count]:
            del existing[number]
        changed = passing[retired_count : retired_count + changed_count]
        for place, number in enumerate(changed):
            existing[number].append((current, place))
        first_new = size + (current - 1) * added_count
        existing |= {n: [(current, None)] for n in range(first_new, first_new + added_count)}
    return existing


def _entry(endpoint_name: str, number: int) -> Entry:
    item = with_edge_case(endpoint_name, number, make_item(endpoint_name, number))
    kind = endpoint_name.removesuffix("s")
    named = {"id": item["id"], "type": kind, "title": item["title"]}
    return named, item["timeNeededInHours"]


def _content(endpoint_name: str, number: int, lasting: list[Entry], retired: list[Entry]) -> Item:
    """Return a track's content and its total hours."""
    rng = Random(f"content of {endpoint_name} {number}")
    chosen = rng.sample(lasting, min(rng.randint(5, 25), len(lasting)))
    chosen[: len(retired)] = retired
    total = sum(hours for _, hours in chosen)
    first = _FIRST_POSITION[endpoint_name]
    return {
        "timeNeededInHours": total if total % 1 else int(total),
        "content": [{**named, "position": n} for n, (named, _) in enumerate(chosen, start=first)],
    }


def _with_history(endpoint_name: str, item: Item, history: History) -> Item:
    edits = _EDITS[endpoint_name]
    for revision, place in history:
        rng = Random(f"{item['id']} at revision {revision}")
        if place is not None:
            item = {**item, **edits[(revision + place) % len(edits)](item, rng, revision)}
        day = Random(f"{item['id']} on day {revision}")
        item = {**item, "updatedAt": timestamp(day, days_after=revision)}
    return item


def _title_changed(endpoint_name: str) -> Edit:
    return lambda item, rng, _: {"title": make_title(endpoint_name, item["technology"], rng)}


def _hours_changed(item: Item, rng: Random, _: int) -> Item:
    return {"timeNeededInHours": item["timeNeededInHours"] + rng.choice((0.25, 0.5, 1, 2))}


def _chapter_removed(course: Item, rng: Random, _: int) -> Item:
    removed = rng.choice(course["chapters"])["id"] if len(course["chapters"]) > 1 else None
    return {"chapters": [chapter for chapter in course["chapters"] if chapter["id"] != removed]}


def _chapter_added(course: Item, rng: Random, revision: int) -> Item:
    number = int(f"{revision}{course['id'].rpartition('-')[2]}0")
    return {"chapters": [*course["chapters"], make_chapter(course, number, rng)]}


def _end_removed(track: Item, rng: Random, _: int) -> Item:
    content = track["content"]
    return {"content": content[: max(1, len(content) - rng.randint(1, 3))]}


_EDITS: dict[str, tuple[Edit, ...]] = {
    "assessments": (_title_changed("assessments"),),
    "practices": (_title_changed("practices"),),
    "projects": (_title_changed("projects"), _hours_changed),
    "custom_tracks": (_hours_changed, _end_removed, _title_changed("custom_tracks")),
    "tracks": (_hours_changed, _end_removed, _title_changed("tracks")),
    "courses": (_title_changed("courses"), _hours_changed, _chapter_removed, _chapter_added),
}
