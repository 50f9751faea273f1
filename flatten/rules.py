"""Rules, by field name, that turn nested fields into plain fields and lists into child objects.

A field rule takes the name and value of a field and returns the fields that replace it. A child
rule takes the value of a child list and returns its elements; the caller rejects those that are
not objects. A rule never raises and never modifies its input, and it keeps a value of another
shape than it expects under its own name, so that no data is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

from flatten.values import UnfitError, long

FieldRule = Callable[[str, object], Mapping[str, object]]
ChildRule = Callable[[object], list[object]]


def prefixed(field: str, value: object) -> Mapping[str, object]:
    """Return a field `<field>_<key>` for each key of an object, and no field for null."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return {f"{field}_{key}": inner for key, inner in value.items()}
    return {field: value}


def joined(field: str, value: object) -> Mapping[str, object]:
    """Join a list of texts, or of objects with a `fullName`, with commas; nulls are skipped.

    An empty list becomes `""`. A list that contains anything else is unchanged.
    """
    if not isinstance(value, list):
        return {field: value}
    names = [
        element.get("fullName", element) if isinstance(element, dict) else element
        for element in value
    ]
    try:
        return {field: ", ".join([name for name in names if name is not None])}
    except TypeError:  # it contains a value that is not text
        return {field: value}


FIELD_RULES: Mapping[str, FieldRule] = {
    "topic": prefixed,
    "imageUrl": prefixed,
    "includedInLicenses": joined,
    "instructors": joined,
}


def children(value: object) -> list[object]:
    """Return the elements of a list, none for null, and any other value as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def named(value: object) -> list[object]:
    """Return the children, with `{"name": text}` for each that is text."""
    return [{"name": child} if isinstance(child, str) else child for child in children(value)]


def numbered_where_missing(value: object) -> list[object]:
    """Return the children; one without a `position` gets its place in the list, from 1."""
    return [
        {**child, "position": place}
        if isinstance(child, dict) and child.get("position") is None
        else child
        for place, child in enumerate(children(value), start=1)
    ]


def numbered_all_or_none(value: object) -> list[object]:
    """Return the children; unless all have distinct positions, they are numbered from 1.

    Their positions are their key: filling only the gaps, or keeping a repeated position, would
    lose rows. Elements that are not objects are not counted.
    """
    listed = children(value)
    positions = [_position(child) for child in listed if isinstance(child, dict)]
    if None not in positions and len(set(positions)) == len(positions):
        return listed
    places = count(1)
    return [
        {**child, "position": next(places)} if isinstance(child, dict) else child
        for child in listed
    ]


CHILD_RULES: Mapping[str, ChildRule] = {
    "topics": named,
    "chapters": numbered_where_missing,
    "content": numbered_all_or_none,
}


def _position(child: Mapping[str, object]) -> int | None:
    try:
        return long(child.get("position"))
    except UnfitError:
        return None
