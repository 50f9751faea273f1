"""How fields and child lists with a shape of their own become plain fields and plain objects.

A field rule takes a field's name and value and gives the fields that stand in its place. A child
rule takes the value of a child field and gives the objects in it; what it gives that is no object
is for the caller to reject. A rule never fails and never changes its input: a value that does not
fit its rule stays under its own name, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

from flatten.values import UnfitError, long

FieldRule = Callable[[str, object], Mapping[str, object]]
ChildRule = Callable[[object], list[object]]


def prefixed(field: str, value: object) -> Mapping[str, object]:
    """Spread an object over one field per key, ``<field>_<key>``; null gives no field at all."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return {f"{field}_{key}": inner for key, inner in value.items()}
    return {field: value}


def joined(field: str, value: object) -> Mapping[str, object]:
    """Make one text of a list of texts, or of objects with a ``fullName``; nulls are skipped.

    An empty list gives ``""``. A list that holds anything else is left as it is.
    """
    if not isinstance(value, list):
        return {field: value}
    names = [
        element["fullName"] if isinstance(element, dict) and "fullName" in element else element
        for element in value
    ]
    if all(name is None or isinstance(name, str) for name in names):
        return {field: ", ".join(name for name in names if name is not None)}
    return {field: value}


FIELD_RULES: Mapping[str, FieldRule] = {
    "topic": prefixed,
    "imageUrl": prefixed,
    "includedInLicenses": joined,
    "instructors": joined,
}


def children(value: object) -> list[object]:
    """List the children in ``value``: none for null, and one for anything that is no list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def named(value: object) -> list[object]:
    """List the children, those given as text as ``{"name": text}``."""
    return [
        {"name": child} if isinstance(child, str) else child  # keeps one shape for the table
        for child in children(value)
    ]


def numbered_where_missing(value: object) -> list[object]:
    """List the children; one without a ``position`` gets its place in the list, from 1."""
    return [
        {**child, "position": place} if _lacks_position(child) else child  # type: ignore[dict-item]
        for place, child in enumerate(children(value), start=1)
    ]


def numbered_all_or_none(value: object) -> list[object]:
    """List the children; unless all have distinct positions, all get their place, from 1.

    Positions are the key of these children: filling only the gaps, or keeping a position that
    repeats, would lose rows. What is no object does not count.
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


def _lacks_position(child: object) -> bool:
    return isinstance(child, dict) and child.get("position") is None
