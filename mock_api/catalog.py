"""The whole catalog, made up: the same arguments always give the same items."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from endpoints import ENDPOINTS
from mock_api.edge_cases import made_odd
from mock_api.evolution import LASTING_EVERY, lived, lives
from mock_api.items import Item, make_item

Catalog = dict[str, list[Item]]

SIZES = {
    "assessments": 60,
    "practices": 300,
    "projects": 260,
    "custom_tracks": 20,
    "tracks": 120,
    "courses": 764,
}

# Whether positions count from 0 or from 1 is not known, so there is some of each.
_FIRST_POSITION = {"custom_tracks": 0, "tracks": 1}


def catalog(revision: int = 0, scale: float = 1.0) -> Catalog:
    """Make the items of every endpoint, by endpoint name; the caller may keep and change them.

    ``scale`` multiplies the number of items of each endpoint, which is at least 1. Each
    ``revision`` retires about 1 % of an endpoint's items, changes 2 % and adds a few.
    """
    sizes = {name: max(1, round(size * scale)) for name, size in SIZES.items()}
    shelf = _shelf(sizes)
    return {
        endpoint.name: _items(endpoint.name, sizes[endpoint.name], revision, shelf)
        for endpoint in ENDPOINTS
    }


def _items(endpoint_name: str, size: int, revision: int, shelf: Sequence[Item]) -> list[Item]:
    items = []
    for number, life in lives(endpoint_name, size, revision).items():
        item = make_item(endpoint_name, number)
        if endpoint_name in _FIRST_POSITION:
            item["content"] = _content(endpoint_name, number, shelf)
        items.append(made_odd(endpoint_name, number, lived(endpoint_name, item, life)))
    return items


def _shelf(sizes: dict[str, int]) -> list[Item]:
    """List what tracks can hold: courses and projects that never change or retire."""
    shelf = []
    for endpoint_name, kind in (("courses", "course"), ("projects", "project")):
        for number in range(0, sizes[endpoint_name], LASTING_EVERY):
            item = made_odd(endpoint_name, number, make_item(endpoint_name, number))
            shelf.append({"id": item["id"], "type": kind, "title": item["title"]})
    return shelf


def _content(endpoint_name: str, number: int, shelf: Sequence[Item]) -> list[Item]:
    rng = Random(f"content of {endpoint_name} {number}")
    chosen = rng.sample(shelf, min(rng.randint(5, 25), len(shelf)))
    first = _FIRST_POSITION[endpoint_name]
    return [{**item, "position": place} for place, item in enumerate(chosen, start=first)]
