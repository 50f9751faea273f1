"""What the values of each field have in common, without their texts. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from flatten.values import UnfitError, utc_datetime

Facts = dict[str, object]

NOT_SHOWN = "(not shown)"

_MOST_PATHS = 200  # more are the keys of data, not field names
_LARGEST_NUMBER = 1e300  # larger ones are no numbers to most readers of JSON
_IDENTIFIER = re.compile(r"[@$A-Za-z_]\w{0,59}", re.ASCII)
_JSON_TYPES: dict[object, str] = dict(
    zip(
        (str, bool, int, float, list, dict, type(None)),
        ("string", "boolean", "integer", "number", "list", "object", "null"),
        strict=True,
    )
)


def shown(name: str) -> str:
    """Return a name that is an identifier; any other could be a text of the catalog."""
    return name if _IDENTIFIER.fullmatch(name) else NOT_SHOWN


def json_type(value: object) -> str:
    """Return the name of the JSON type of `value`."""
    return _JSON_TYPES.get(type(value), "unreadable")


def profile(items: Iterable[object]) -> dict[str, Facts]:
    """Describe the fields of objects and, one level down, of objects and lists in them.

    Paths are like `topic.name`, `tags[]` for elements and `chapters[].id` for their fields.
    """
    objects = [item for item in items if isinstance(item, dict)]
    values: defaultdict[str, list[object]] = defaultdict(list)
    for path, value in (found for item in objects for found in _values(item)):
        values[path if path in values or len(values) < _MOST_PATHS else NOT_SHOWN].append(value)
    return {
        path: _described(found, values.get(path.rpartition(".")[0], objects))
        for path, found in sorted(values.items())
    }


def _values(item: dict[str, object]) -> Iterator[tuple[str, object]]:
    for path, value in _members("", item):
        yield path, value
        yield from _members(f"{path}.", value)
        for element in value if isinstance(value, list) else ():
            yield f"{path}[]", element
            yield from _members(f"{path}[].", element)


def _members(prefix: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from ((prefix + shown(name), inner) for name, inner in value.items())


def _described(values: Sequence[object], parents: Sequence[object]) -> Facts:
    """Describe the values of a field, whose `parents` are the objects that could have it."""
    texts = [value for value in values if isinstance(value, str)]
    numbers = [v for v in values if type(v) is int or type(v) is float]
    numbers = [number for number in numbers if abs(number) < _LARGEST_NUMBER]
    return {
        "parents": sum(type(parent) is dict for parent in parents),
        "present": len(values),
        "types": Counter(map(json_type, values)),
        "longest_text": max(map(len, texts), default=None),
        "timestamps": sum(map(_is_timestamp, texts)),
        "smallest": min(numbers, default=None),
        "largest": max(numbers, default=None),
    }


def _is_timestamp(text: str) -> bool:
    try:
        return bool(utc_datetime(text))
    except UnfitError:
        return False
