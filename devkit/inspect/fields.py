"""Summarize the values of each field, without their texts. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from flatten.values import UnfitError, utc_datetime

Facts = dict[str, object]

NOT_SHOWN = "(not shown)"

_MAX_PATHS = 200  # an object with more has data as keys
LARGEST_NUMBER = 10**15
_IDENTIFIER = re.compile(r"[@$A-Za-z_]\w{0,59}", re.ASCII)
_JSON_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "list",
    dict: "object",
    type(None): "null",
}


def shown(name: str) -> str:
    """Return a name that is an identifier; hide any other, as it may be a text of the catalog."""
    return name if _IDENTIFIER.fullmatch(name) else NOT_SHOWN


def json_type(value: object) -> str:
    """Return the name of the JSON type of `value`."""
    return _JSON_TYPES.get(type(value), "unreadable")


def profile(items: Iterable[object]) -> dict[str, Facts]:
    """Describe the fields of objects and, one level deeper, of objects and lists in them.

    Paths are like `topic.name`, `tags[]` for elements and `chapters[].id` for their fields.
    """
    objects = [item for item in items if isinstance(item, dict)]
    values: defaultdict[str, list[object]] = defaultdict(list)
    for path, value in (found for item in objects for found in _values(item)):
        values[path if path in values or len(values) < _MAX_PATHS else NOT_SHOWN].append(value)
    return {
        path: _described(
            found, () if path.endswith("[]") else values.get(path.rpartition(".")[0], objects)
        )
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
    """Describe the values of a field that each object among `parents` could have."""
    texts = [value for value in values if isinstance(value, str)]
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    numbers = [number for number in numbers if abs(number) < LARGEST_NUMBER]
    return {
        "present": _share(len(values), sum(isinstance(parent, dict) for parent in parents)),
        "null": _share(values.count(None), len(values)),
        "types": Counter(json_type(value) for value in values if value is not None),
        "longest": max(map(len, texts), default=None),
        "timestamps": _share(sum(map(_is_timestamp, texts)), len(texts)),
        "smallest": min(numbers, default=None),
        "largest": max(numbers, default=None),
    }


def _share(number: int, total: int) -> str | None:
    """Return a percentage, 100% only if exact; None for 0 and for more than the total."""
    if number == 0 or number >= total:
        return "100%" if number == total > 0 else None
    return f"{min(max(number / total, 0.001), 0.999):.1%}"


def _is_timestamp(text: str) -> bool:
    try:
        return bool(utc_datetime(text))
    except UnfitError:
        return False
