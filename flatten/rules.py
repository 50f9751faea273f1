"""Rules, by field name, that turn nested fields into plain fields and lists into child objects.

A field rule replaces a field of a row; it leaves a value of another shape than it expects as it
is, so that no data is lost. A child rule takes the value of a child list that is not null and
returns its elements, or None if it is no list; the caller rejects elements that are not objects.
No rule raises, and none modifies a value inside an item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count

from flatten.keys import key_problem
from flatten.values import UnfitError, long, string

FieldRule = Callable[[dict[str, object], str], None]
ChildRule = Callable[[object], list[object] | None]


def prefix_keys(row: dict[str, object], field: str) -> None:
    """Replace an object by a field `<field>_<key>` for each of its keys, and null by none.

    A field of that name that the row has takes precedence, unless it is null.
    """
    value = row[field]
    if value is None or isinstance(value, dict):
        del row[field]
        for key, inner in (value or {}).items():
            name = f"{field}_{key}"
            if row.get(name) is None:
                row[name] = inner


def join_names(row: dict[str, object], field: str) -> None:
    """Join a list of texts, or of objects with a `fullName`, with commas; nulls are skipped.

    An empty list becomes `""`. A list that contains anything else is unchanged.
    """
    value = row[field]
    if isinstance(value, list):
        names = [
            element.get("fullName", element) if isinstance(element, dict) else element
            for element in value
        ]
        try:
            text = ", ".join([name for name in names if name is not None])
        except TypeError:  # it contains a value that is not text
            return
        row[field] = text


FIELD_RULES: Mapping[str, FieldRule] = {
    "topic": prefix_keys,
    "imageUrl": prefix_keys,
    "includedInLicenses": join_names,
    "instructors": join_names,
}


def name_texts(value: object) -> list[object] | None:
    """Return the topics, with `{"name": text}` for each that is text.

    One text, or one object with a readable name, in the place of the list is one topic.
    """
    if isinstance(value, list):
        return [{"name": topic} if isinstance(topic, str) else topic for topic in value]
    topic = {"name": value} if isinstance(value, str) else value
    if isinstance(topic, dict):
        name = topic.get("name")
        with suppress(UnfitError):
            if key_problem("name", name, string(name)) is None:
                return [topic]
    return None


def number_where_missing(value: object) -> list[object] | None:
    """Return the children; one without a `position` gets its place in the list, from 1."""
    if not isinstance(value, list):
        return None
    return [
        {**child, "position": place}
        if isinstance(child, dict) and child.get("position") is None
        else child
        for place, child in enumerate(value, start=1)
    ]


def number_all_or_none(value: object) -> list[object] | None:
    """Return the children; unless all have distinct positions, they are numbered from 1.

    Their positions are their key: filling only the gaps, or keeping a repeated position, would
    lose rows. Elements that are not objects are not counted.
    """
    if not isinstance(value, list):
        return None
    objects = [child for child in value if isinstance(child, dict)]
    with suppress(UnfitError):
        if len({long(child.get("position")) for child in objects}) == len(objects):
            return value
    places = count(1)
    return [
        {**child, "position": next(places)} if isinstance(child, dict) else child
        for child in value
    ]


CHILD_RULES: Mapping[str, ChildRule] = {
    "topics": name_texts,
    "chapters": number_where_missing,
    "content": number_all_or_none,
}
