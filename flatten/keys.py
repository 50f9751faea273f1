"""Decide whether a field's value can be a key, and describe the values that cannot.

A key is non-empty text of at most 1,000 characters, or a number.
"""

from __future__ import annotations

from flatten.limits import MAX_KEY_LENGTH, MAX_SHOWN_LENGTH

Key = str | int

_JSON_TYPES = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}


def key_problem(name: str, value: object, key: object) -> str | None:
    """Return the reason why the value of the field `name` is no key; None if it is one.

    `value` is that of the object's own field: whether another spelling of it is the key is
    unknown, and a wrong key would replace other rows. `key` is what would be stored.
    """
    if value is None:
        return f"it has no {name}"
    if type(value) not in (str, int, float):
        return f"its {name} is {json_type(value)}"
    if key is None or key == "":
        return f"its {name} is {shorten(value)}"
    if type(key) is str and len(key) > MAX_KEY_LENGTH:
        return f"its {name} is longer than {MAX_KEY_LENGTH:,} characters"
    return None


def json_type(value: object) -> str:
    """Return the name of a value's JSON type, with its article."""
    return "null" if value is None else _JSON_TYPES.get(type(value), "a number")


def shorten(value: object) -> str:
    """Return an id for a log line: on one line, and its beginning if it is long."""
    text = "?" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[:MAX_SHOWN_LENGTH]}…"
