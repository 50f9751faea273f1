"""Convert a JSON value to the exact Python type of its column, or raise `UnfitError`.

The SDK raises an exception for a value that a column cannot store, and that ends the sync, so
nothing that could cause it leaves this module.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from decimal import Decimal

from flatten.limits import MAX_DIGITS, MAX_FLOAT, MAX_INTEGER, MAX_LEVELS

_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?\s*", re.ASCII)
# The format that DataCamp uses. It is also matched by `_TIMESTAMP`, in three times the time.
_USUAL_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII
)
# RFC 3339 and the other unambiguous formats of ISO 8601.
_TIMESTAMP = re.compile(
    r"\s*(\d{4})(-?)(\d\d)\2(\d\d)"
    r"(?:[Tt ]([01]\d|2[0-3]):?([0-5]\d)(?::?([0-5]\d)(?:[.,](\d+))?)?"
    # Whitespace only before a zone: two adjacent runs of it would take quadratic time.
    r"(?:\s*(?:[Zz]|UTC|([+-](?:[01]\d|2[0-3]))(?::?([0-5]\d))?))?)?\s*",
    re.ASCII,
)
# Text from which the SDK may infer a number or a timestamp; \d is a digit of any script.
_INFERRED = re.compile(
    r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
    r"|\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?"
)
_DIGIT = re.compile(r"\d")
_MINUTE_AND_OFFSET = re.compile(r"(.{10}[Tt]\d\d:\d\d)(Z|[+-].{5})")


class UnfitError(ValueError):
    """A value that its column cannot store; `fallback` is stored instead."""

    def __init__(self, fallback: object = None) -> None:
        """Take the part of the value that can be stored, by default None."""
        super().__init__("the value does not fit its column")
        self.fallback = fallback


def clean_text(text: str) -> str:
    """Return text without NUL and with U+FFFD for lone surrogates, which cannot be stored."""
    try:
        text.encode()  # takes a fifth of the time that a search for surrogates does
    except UnicodeEncodeError:
        text = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text.replace("\0", "")


def string(value: object) -> str:
    """Return text as it is, and any other value as JSON with sorted keys.

    Numbers that are equal are the same text: 7.0 is `7`, as some serialisers write all numbers as
    floats, and an id must not depend on that.
    """
    if type(value) is str:
        if value.isascii() and "\0" not in value and len(value) <= MAX_DIGITS:
            return value  # nearly every value is such text, and this takes half the time
        return _within_digit_limit(clean_text(value))
    if type(value) is int or (type(value) is float and value.is_integer()):
        return str(int(value))
    unfit: list[object] = []
    storable = _make_storable(value, MAX_LEVELS, unfit)
    text = None if storable is None else json.dumps(storable, ensure_ascii=False)
    if text is None or unfit:
        raise UnfitError(text)
    return text


def double(value: object) -> float:
    """Return a finite number from a number or the text of one."""
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
    """Return a 64-bit whole number from a number or the text of one."""
    if type(value) is int:
        number = value
    elif (type(value) is float and math.isfinite(value)) or (
        type(value) is str and _NUMBER.fullmatch(value)
    ):
        exact = Decimal(value)  # a float would round text above 2**53
        if exact.copy_abs() > MAX_INTEGER or exact != exact.to_integral_value():
            raise UnfitError
        number = int(exact)
    else:
        raise UnfitError
    if abs(number) > MAX_INTEGER:
        raise UnfitError
    return number


def boolean(value: object) -> bool:
    """Return a boolean from a boolean, 1 or 0, or the text of one in any case."""
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

    Without an offset it is taken as UTC, and a date without a time as midnight. Eight digits are
    a number, not a date.
    """
    if type(value) is not str:
        raise UnfitError
    text = f"{value[:-1]}+00:00" if _USUAL_TIMESTAMP.fullmatch(value) else _rfc3339(value)
    try:
        return datetime.fromisoformat(text).astimezone(timezone.utc)
    except (ValueError, OverflowError):  # no such date, or outside of years 1 to 9999 in UTC
        raise UnfitError from None


def _rfc3339(text: str) -> str:
    """Return a timestamp in the format that `datetime.fromisoformat` reads on every Python."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None or not (match[2] or match[5]):  # neither dashes nor a time
        raise UnfitError
    year, _, month, day, hour, minute, second, fraction, offset, offset_minutes = match.groups()
    microseconds = (fraction or "")[:6].ljust(6, "0")
    time = f"{hour or '00'}:{minute or '00'}:{second or '00'}.{microseconds}"
    zone = f"{offset or '+00'}:{offset_minutes or '00'}"
    return f"{year}-{month}-{day}T{time}{zone}"


def inferable(value: object) -> object:
    """Return a value from which the SDK infers a type that it can store.

    Integers of more than 64 bits become text. NaN, infinity, floats of more than 32 bits, text of
    more digits than the SDK parses, and values nested more than 100 levels deep do not fit.
    """
    if type(value) is str:
        return _readable_if_inferred(_within_digit_limit(clean_text(value)))
    if type(value) is float and abs(value) > MAX_FLOAT:
        raise UnfitError
    unfit: list[object] = []
    storable = _make_storable(value, MAX_LEVELS, unfit)
    if unfit:
        raise UnfitError(storable)
    return storable


COERCIONS: Mapping[str, Callable[[object], object]] = {
    "STRING": string,
    "DOUBLE": double,
    "LONG": long,
    "BOOLEAN": boolean,
    "UTC_DATETIME": utc_datetime,
}


def _within_digit_limit(text: str) -> str:
    """Return text unless it consists of more digits than the SDK parses."""
    if len(text) > MAX_DIGITS and text.removeprefix("-").isdecimal():
        raise UnfitError
    return text


def _readable_if_inferred(text: str) -> str:
    """Rewrite text from which the SDK infers a type so that the destination can read it.

    The SDK infers a number from digits of any script, and a timestamp from text without seconds.
    DuckDB refuses both, and that ends the sync. Any other text is unchanged.
    """
    if not _INFERRED.fullmatch(text):
        return text
    if not text.isascii():
        text = _DIGIT.sub(lambda digit: str(int(digit[0])), text)
    minute = _MINUTE_AND_OFFSET.fullmatch(text)
    return f"{minute[1]}:00{minute[2]}" if minute else text


def _make_storable(value: object, levels: int, unfit: list[object]) -> object:
    """Return a copy that every destination can store, with null for what is added to `unfit`."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list) and levels:
        return [_make_storable(element, levels - 1, unfit) for element in value]
    if isinstance(value, dict) and levels:
        members = {
            clean_text(name): _make_storable(inner, levels - 1, unfit)
            for name, inner in sorted(value.items())
        }
        # Sorted again: without its NUL a name can sort elsewhere, and the digest depends on it.
        return {name: members[name] for name in sorted(members)}
    if isinstance(value, (list, dict)) or (isinstance(value, float) and not math.isfinite(value)):
        unfit.append(value)
        return None
    return str(value) if isinstance(value, int) and abs(value) > MAX_INTEGER else value
