"""Turn a JSON value into the exact Python value of its column's type, or say that it does not fit.

The SDK raises on a value that its column cannot hold and an exception there ends the sync, so all
that could make it raise is settled here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from decimal import Decimal

# The SDK sends an undeclared integer outside of this range as a 32-bit float.
_LARGEST_LONG = 2**63 - 1
# Deep enough for any real value, shallow enough for the recursion limit of every encoder.
_DEEPEST_LEVEL = 100
# An undeclared float is sent as a Java float, of 32 bits, with four digits. On Python 3.14 the SDK
# raises where these round up beyond the largest one (3.4028e38 becomes 3.403e38).
_LARGEST_FLOAT = 3.4e38
# Python, and with it the SDK, raises on a whole number of more digits than these, in any text.
_MOST_DIGITS = 4300

_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?\s*", re.ASCII)
# RFC 3339 and the other spellings of ISO 8601 that have one meaning only.
_TIMESTAMP = re.compile(
    r"\s*(\d{4})(-?)(\d\d)\2(\d\d)"
    r"(?:[Tt ]([01]\d|2[0-3]):?([0-5]\d)(?::?([0-5]\d)(?:[.,](\d+))?)?"
    # Whitespace in front of a zone only: two adjacent runs of it would take quadratic time.
    r"(?:\s*(?:[Zz]|UTC|([+-](?:[01]\d|2[0-3]))(?::?([0-5]\d))?))?)?\s*",
    re.ASCII,
)
# What the SDK may take for a number or a moment by its look; \d is a digit of any script.
_TYPED_BY_LOOK = re.compile(
    r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
    r"|\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?"
)
_DIGIT = re.compile(r"\d")
_MINUTE_AND_OFFSET = re.compile(r"(.{10}[Tt]\d\d:\d\d)(Z|[+-].{5})")


class UnfitError(ValueError):
    """A value that its column cannot hold as it is; `kept` is what is stored in its place."""

    def __init__(self, kept: object = None) -> None:
        """Keep nothing of the value, or what is left of it."""
        super().__init__("the value does not fit its column")
        self.kept = kept


def clean_text(text: str) -> str:
    """Remove NUL and replace lone surrogates by U+FFFD: neither SDK nor destination holds them."""
    if not text.isascii():
        text = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text.replace("\0", "")


def string(value: object) -> str:
    """Give text as it is, and any other value as the JSON text that stands for it, keys sorted."""
    if type(value) is str:
        if len(value) <= _MOST_DIGITS and value.isascii() and "\0" not in value:
            return value  # as nearly all text is
        return _readable(clean_text(value))
    if type(value) is int:
        return str(value)
    cleaned, kept_whole = _clean(value, _DEEPEST_LEVEL)
    if cleaned is None:
        raise UnfitError
    text = json.dumps(cleaned, ensure_ascii=False, sort_keys=True)
    if not kept_whole:
        raise UnfitError(text)
    return text


def double(value: object) -> float:
    """Give a finite number, from a number or from text that is one."""
    try:
        if type(value) is str:
            number = float(value) if _NUMBER.fullmatch(value) else math.nan
        elif type(value) is int or type(value) is float:
            number = float(value)
        else:
            raise UnfitError
    except OverflowError:  # an integer beyond the range of doubles
        raise UnfitError from None
    if not math.isfinite(number):
        raise UnfitError
    return number


def long(value: object) -> int:
    """Give a whole number of 64 bits, from a number or from text that is one."""
    if type(value) is int:
        number = value
    elif (type(value) is float and math.isfinite(value)) or (
        type(value) is str and _NUMBER.fullmatch(value)
    ):
        exact = Decimal(value)  # a float would round text beyond 2**53
        if exact.copy_abs() > _LARGEST_LONG or exact != exact.to_integral_value():
            raise UnfitError
        number = int(exact)
    else:
        raise UnfitError
    if abs(number) > _LARGEST_LONG:
        raise UnfitError
    return number


def boolean(value: object) -> bool:
    """Return a boolean, from one, from 1 or 0, or from text of these in any case."""
    if type(value) is bool:
        return value
    if isinstance(value, str):
        value = value.lower()
    if value in ("true", "1", 1):
        return True
    if value in ("false", "0", 0):
        return False
    raise UnfitError


def utc_datetime(value: object) -> datetime:
    """Return the timestamp of an RFC 3339 or similar ISO 8601 text, in UTC and to the microsecond.

    No offset means UTC, a date alone its midnight. Eight digits alone are a number, not a date.
    """
    match = _TIMESTAMP.fullmatch(value) if type(value) is str else None
    if match is None or not (match[2] or match[5]):
        raise UnfitError
    year, _, month, day, hour, minute, second, fraction, offset, offset_minutes = match.groups()
    microseconds = (fraction or "")[:6].ljust(6, "0")
    time = f"{hour or '00'}:{minute or '00'}:{second or '00'}.{microseconds}"
    zone = f"{offset or '+00'}:{offset_minutes or '00'}"
    try:
        moment = datetime.fromisoformat(f"{year}-{month}-{day}T{time}{zone}")
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):  # no such day, or out of the calendar once in UTC
        raise UnfitError from None


def undeclared(value: object) -> object:
    """Give a value for the SDK to infer a type from.

    Integers beyond 64 bits become text. NaN, infinity, floats beyond the 32 bits of the SDK's
    undeclared float, text of more digits than the SDK reads and what is nested deeper than 100
    levels do not fit.
    """
    if type(value) is str:
        return _legible(_readable(clean_text(value)))
    if type(value) is float and math.isfinite(value) and abs(value) > _LARGEST_FLOAT:
        raise UnfitError
    cleaned, kept_whole = _clean(value, _DEEPEST_LEVEL)
    if not kept_whole:
        raise UnfitError(cleaned)
    return cleaned


COERCIONS: Mapping[str, Callable[[object], object]] = {
    "STRING": string,
    "DOUBLE": double,
    "LONG": long,
    "BOOLEAN": boolean,
    "UTC_DATETIME": utc_datetime,
}


def _readable(text: str) -> str:
    """Refuse text that is nothing but digits, and more of them than the SDK reads."""
    if len(text) > _MOST_DIGITS and text.removeprefix("-").isdecimal():
        raise UnfitError
    return text


def _legible(text: str) -> str:
    """Write text that the SDK takes for a number or a moment so that the destination reads it too.

    The SDK goes by the look, and takes the digits of any script and a minute without seconds for
    what DuckDB then refuses, which ends the sync. Any other text stays as it is.
    """
    if not _TYPED_BY_LOOK.fullmatch(text):
        return text
    if not text.isascii():
        text = _DIGIT.sub(lambda digit: str(int(digit[0])), text)
    minute = _MINUTE_AND_OFFSET.fullmatch(text)
    return f"{minute[1]}:00{minute[2]}" if minute else text


def _clean(value: object, levels: int) -> tuple[object, bool]:
    """Copy a JSON value without what no destination holds; False if part of it became null."""
    if isinstance(value, (list, dict)):
        return _clean_nested(value, levels - 1) if levels else (None, False)
    if isinstance(value, str):
        return clean_text(value), True
    if isinstance(value, float) and not math.isfinite(value):
        return None, False
    if isinstance(value, int) and abs(value) > _LARGEST_LONG:
        return str(value), True
    return value, True


def _clean_nested(value: list[object] | dict[str, object], levels: int) -> tuple[object, bool]:
    if isinstance(value, list):
        elements = [_clean(element, levels) for element in value]
        return [element for element, _ in elements], all(whole for _, whole in elements)
    pairs = {clean_text(key): _clean(inner, levels) for key, inner in sorted(value.items())}
    # Sorted once more: without its NUL a key can belong elsewhere, and the digest goes by it.
    cleaned = {key: pairs[key][0] for key in sorted(pairs)}
    return cleaned, all(whole for _, whole in pairs.values())
