"""JSON values become the exact Python values of their columns, or are said not to fit."""

from __future__ import annotations

import contextlib
import json
import math
import time
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatten.values import (
    COERCIONS,
    UnfitError,
    boolean,
    clean_text,
    double,
    long,
    string,
    undeclared,
    utc_datetime,
)

LONGS = 2**63  # the first number beyond 64 bits
FLOAT_LIMIT = 3.4e38  # above it the SDK may round up to more than 32 bits hold


def utc(*parts):
    """Make a moment in UTC."""
    return datetime(*parts, tzinfo=timezone.utc)


def thai(text):
    """Write the digits of a text in Thai."""
    return text.translate(
        {ord(str(digit)): chr(ord("\N{THAI DIGIT ZERO}") + digit) for digit in range(10)}
    )


def nested(levels):
    """Make lists in lists, so many levels deep."""
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def fits(coerce, value, expected):
    """Check that a value is coerced to one of the same type, sign and digits."""
    result = coerce(value)
    assert (type(result), repr(result)) == (type(expected), repr(expected))


def unfit(coerce, value):
    """Check that a value does not fit; gives what is kept of it."""
    with pytest.raises(UnfitError) as caught:
        coerce(value)
    return caught.value.fallback


def test_five_types_are_coerced():
    """There is a coercion for each type that a column is declared with."""
    assert dict(COERCIONS) == {
        "STRING": string,
        "DOUBLE": double,
        "LONG": long,
        "BOOLEAN": boolean,
        "UTC_DATETIME": utc_datetime,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("Zürich 東京 \U0001f600", "Zürich 東京 \U0001f600", id="any script"),
        pytest.param("a\r\n\t\x01\x7f\u2028", "a\r\n\t\x01\x7f\u2028", id="control characters"),
        pytest.param("a\0b\0", "ab", id="NUL is removed"),
        pytest.param("\0", "", id="NUL alone is nothing"),
        pytest.param("a\ud83d", "a\ufffd", id="a high surrogate alone"),
        pytest.param("\ude00b", "\ufffdb", id="a low surrogate alone"),
        pytest.param("\ude00\ud83d\0", "\ufffd\ufffd", id="surrogates in the wrong order"),
    ],
)
def test_text_is_cleaned(text, expected):
    """NUL goes and lone surrogates become U+FFFD; all else stays."""
    assert clean_text(text) == expected


@settings(derandomize=True, max_examples=200)
@given(st.text(alphabet=st.characters(codec=None) | st.sampled_from("\0\ud800\udfff")))
def test_cleaned_text_can_be_written(text):
    """What is left of any text is UTF-8 without NUL, and cleaning it again changes nothing."""
    cleaned = clean_text(text)
    assert b"\0" not in cleaned.encode()
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("course-1", "course-1", id="text"),
        pytest.param("\ud83d\0", "\ufffd", id="text with what nothing holds"),
        pytest.param("9" * 4300, "9" * 4300, id="as many digits as the SDK reads"),
        pytest.param("9" * 5000 + "x", "9" * 5000 + "x", id="digits and something else"),
        pytest.param(7, "7", id="a whole number"),
        pytest.param(-(10**40), "-1" + "0" * 40, id="a huge number"),
        pytest.param(1.0, "1.0", id="a float that is whole"),
        pytest.param(1e22, "1e+22", id="a large float"),
        pytest.param(-0.0, "-0.0", id="minus zero"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param([], "[]", id="an empty list"),
        pytest.param({}, "{}", id="an empty object"),
        pytest.param(["a", 1, None, True], '["a", 1, null, true]', id="a list"),
        pytest.param(
            {"b": [{"d": 1, "c": "é"}], "a": 2},
            '{"a": 2, "b": [{"c": "é", "d": 1}]}',
            id="an object, with its keys sorted at every level",
        ),
        pytest.param({"a\0": "\0\ud83d"}, '{"a": "\ufffd"}', id="an object is cleaned throughout"),
        pytest.param({"n": LONGS}, '{"n": "9223372036854775808"}', id="a huge number inside"),
        pytest.param(nested(100), "[" * 100 + "]" * 100, id="100 levels"),
    ],
)
def test_string_takes_any_value(value, expected):
    """Text stays, numbers and booleans are as JSON writes them, the rest is JSON text."""
    fits(string, value, expected)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param(math.nan, None, id="NaN"),
        pytest.param(math.inf, None, id="infinity"),
        pytest.param("9" * 4301, None, id="more digits than the SDK reads in any text"),
        pytest.param("-\0" + "0" * 4301, None, id="more zeros than it reads"),
        pytest.param([1, math.nan], "[1, null]", id="a list with NaN"),
        pytest.param({"a": [-math.inf], "b": 1}, '{"a": [null], "b": 1}', id="infinity inside"),
        pytest.param(nested(101), "[" * 100 + "null" + "]" * 100, id="101 levels"),
    ],
)
def test_string_keeps_what_can_be_kept(value, kept):
    """What JSON cannot hold becomes null, and the rest of the text is kept."""
    assert unfit(string, value) == kept


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(3, 3.0, id="a whole number"),
        pytest.param(0.25, 0.25, id="a fraction"),
        pytest.param(-0.0, -0.0, id="minus zero"),
        pytest.param(5e-324, 5e-324, id="the smallest number"),
        pytest.param(1.7e308, 1.7e308, id="a very large number"),
        pytest.param(10**300, 1e300, id="a huge whole number"),
        pytest.param("1.5", 1.5, id="text"),
        pytest.param(" +1.5e2\n", 150.0, id="text with a sign, an exponent and blanks"),
        pytest.param(".5", 0.5, id="text without whole part"),
        pytest.param("5.", 5.0, id="text without fraction"),
        pytest.param("1e-400", 0.0, id="text of a number that is next to nothing"),
    ],
)
def test_double_takes_numbers(value, expected):
    """Numbers, and text that is one, become floats."""
    fits(double, value, expected)


NO_NUMBERS = [
    pytest.param(True, id="a boolean"),
    pytest.param([], id="a list"),
    pytest.param({"hours": 1}, id="an object"),
    pytest.param(math.nan, id="NaN"),
    pytest.param(math.inf, id="infinity"),
    pytest.param(-math.inf, id="minus infinity"),
    pytest.param("", id="no text"),
    pytest.param(" ", id="a blank"),
    pytest.param("1 h", id="text that begins with a number"),
    pytest.param("1,5", id="a decimal comma"),
    pytest.param("1_000", id="an underscore, which Python would take"),
    pytest.param("0x10", id="another base"),
    pytest.param("nan", id="text NaN"),
    pytest.param("Infinity", id="text infinity"),
    pytest.param("1e400", id="text beyond the range of floats"),
    pytest.param("1e9999999", id="text with an endless exponent"),
    pytest.param(thai("12"), id="digits of another script"),
    pytest.param("1\0", id="text with NUL"),
]


@pytest.mark.parametrize("value", [*NO_NUMBERS, pytest.param(10**400, id="beyond the range")])
def test_double_refuses_what_is_no_number(value):
    """Of a value that is no finite number nothing is kept."""
    assert unfit(double, value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(0, 0, id="zero"),
        pytest.param(3.0, 3, id="a float that is whole"),
        pytest.param(-0.0, 0, id="minus zero"),
        pytest.param("7", 7, id="text"),
        pytest.param("7.00", 7, id="text of a whole number with a fraction"),
        pytest.param(" 1e3 ", 1000, id="text with an exponent and blanks"),
        pytest.param("9007199254740993", 9007199254740993, id="text that a float would round"),
        pytest.param(LONGS - 1, LONGS - 1, id="the largest"),
        pytest.param(1 - LONGS, 1 - LONGS, id="the smallest"),
        pytest.param(str(LONGS - 1), LONGS - 1, id="the largest as text"),
        pytest.param("0" * 5000 + "7", 7, id="thousands of zeros"),
    ],
)
def test_long_takes_whole_numbers(value, expected):
    """Whole numbers of 64 bits, and text that is one, become integers."""
    fits(long, value, expected)


@pytest.mark.parametrize(
    "value",
    [
        *NO_NUMBERS,
        pytest.param(1.5, id="a fraction"),
        pytest.param("1.5", id="text of a fraction"),
        pytest.param("1e-3", id="text of a small fraction"),
        pytest.param(LONGS, id="beyond 64 bits"),
        pytest.param(-LONGS - 1, id="below 64 bits"),
        pytest.param(1e300, id="a float beyond 64 bits"),
        pytest.param(str(LONGS), id="text beyond 64 bits"),
        pytest.param("1e999999", id="text far beyond"),
        pytest.param("9" * 5000, id="text of thousands of digits"),
    ],
)
def test_long_refuses_what_is_no_whole_number(value):
    """Of a value that is no whole number of 64 bits nothing is kept."""
    assert unfit(long, value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("false", False),
        (1, True),
        (0, False),
        (1.0, True),
        (0.0, False),
        ("True", True),
        ("FALSE", False),
        ("1", True),
        ("0", False),
    ],
)
def test_boolean_takes_what_stands_for_one(value, expected):
    """Booleans, 1 and 0, and text of these in any case become booleans."""
    fits(boolean, value, expected)


@pytest.mark.parametrize(
    "value", ["yes", "", " true", 2, -1, 0.5, math.nan, [], [True], {}, {"a": 1}]
)
def test_boolean_refuses_anything_else(value):
    """Other text, numbers and shapes are no booleans."""
    assert unfit(boolean, value) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "2026-08-20T18:00:19.100Z",
            utc(2026, 8, 20, 18, 0, 19, 100_000),
            id="as DataCamp writes it",
        ),
        pytest.param("2026-08-20T18:00:19", utc(2026, 8, 20, 18, 0, 19), id="no offset is UTC"),
        pytest.param("2026-08-20", utc(2026, 8, 20), id="a date alone is its midnight"),
        pytest.param("2026-08-20t18:00:19z", utc(2026, 8, 20, 18, 0, 19), id="small letters"),
        pytest.param("2026-08-20 18:00:19Z", utc(2026, 8, 20, 18, 0, 19), id="a blank for the T"),
        pytest.param("2026-08-20T18:00:19+05:30", utc(2026, 8, 20, 12, 30, 19), id="an offset"),
        pytest.param("2026-08-20T20:00:00-14:00", utc(2026, 8, 21, 10), id="into another day"),
        pytest.param(
            "2026-08-20T18:00:19.1234567Z",
            utc(2026, 8, 20, 18, 0, 19, 123_456),
            id="beyond microseconds it is cut",
        ),
        pytest.param(
            "2026-08-20T18:00:19.5-00:00",
            utc(2026, 8, 20, 18, 0, 19, 500_000),
            id="an unknown offset is UTC",
        ),
        pytest.param("2026-08-20T18:00Z", utc(2026, 8, 20, 18), id="no seconds"),
        pytest.param("2026-08-20T18:00:19,5Z", utc(2026, 8, 20, 18, 0, 19, 500_000), id="a comma"),
        pytest.param("2026-08-20T18:00:19+0530", utc(2026, 8, 20, 12, 30, 19), id="+0530"),
        pytest.param("2026-08-20T18:00:19+05", utc(2026, 8, 20, 13, 0, 19), id="+05"),
        pytest.param("20260820T180019Z", utc(2026, 8, 20, 18, 0, 19), id="the basic format"),
        pytest.param("20260820T1800+0200", utc(2026, 8, 20, 16), id="basic, without seconds"),
        pytest.param(" 2026-08-20\n", utc(2026, 8, 20), id="whitespace around"),
        pytest.param("2026-08-20 18:00:19 +02:00", utc(2026, 8, 20, 16, 0, 19), id="SQL's"),
        pytest.param("2026-08-20 18:00:19 UTC", utc(2026, 8, 20, 18, 0, 19), id="a trailing UTC"),
        pytest.param("2024-02-29", utc(2024, 2, 29), id="a leap day"),
        pytest.param("0001-01-01T00:00:00Z", utc(1, 1, 1), id="the first moment"),
        pytest.param(
            "9999-12-31T23:59:59.999999Z",
            utc(9999, 12, 31, 23, 59, 59, 999_999),
            id="the last moment",
        ),
    ],
)
def test_moments_are_in_utc(text, expected):
    """RFC 3339 text becomes that moment in UTC."""
    result = utc_datetime(text)
    assert (result, result.tzinfo) == (expected, timezone.utc)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="no text"),
        pytest.param("yesterday", id="words"),
        pytest.param("2026-08", id="a month"),
        pytest.param("20260820", id="a date without dashes"),
        pytest.param("2026-W34-4", id="a week date"),
        pytest.param("2026-0820", id="half the basic format"),
        pytest.param(
            "2026-08-20T18:00" + " " * 1_000_000 + "x", id="a megabyte of whitespace, in no time"
        ),
        pytest.param("2026-08-20T18Z", id="an hour alone"),
        pytest.param("2026-08-20 UTC", id="a date with a zone"),
        pytest.param("2026-08-20T18:00:19.Z", id="a point and no fraction"),
        pytest.param("2026-08-20Z", id="a date with an offset"),
        pytest.param("2026-02-29", id="no such day"),
        pytest.param("2026-13-01", id="no such month"),
        pytest.param("2026-08-20T24:30:00Z", id="no such hour"),
        pytest.param("2026-08-20T18:60:00Z", id="no such minute"),
        pytest.param("2026-06-30T23:59:60Z", id="a leap second"),
        pytest.param("2026-08-20T18:00:19+24:00", id="no such offset"),
        pytest.param("0000-01-01", id="a year before the calendar"),
        pytest.param("0001-01-01T00:00:00+00:01", id="before the calendar once in UTC"),
        pytest.param("9999-12-31T23:59:59-00:01", id="after the calendar once in UTC"),
        pytest.param(thai("2026-08-20"), id="digits of another script"),
        pytest.param(1_787_248_819, id="a number of seconds"),
        pytest.param(True, id="a boolean"),
        pytest.param(["2026-08-20"], id="a list"),
    ],
)
def test_what_is_no_moment_does_not_fit(value):
    """Of a value that is no RFC 3339 text of a moment nothing is kept."""
    assert unfit(utc_datetime, value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, None, id="null"),
        pytest.param("a\0b\ud83d", "ab\ufffd", id="text is cleaned"),
        pytest.param("t", "t", id="text that looks like a boolean"),
        pytest.param("007", "007", id="text that looks like a number"),
        pytest.param("0000-01-01", "0000-01-01", id="text that looks like a date"),
        pytest.param(True, True, id="a boolean"),
        pytest.param(LONGS - 1, LONGS - 1, id="the largest integer of 64 bits"),
        pytest.param(LONGS, "9223372036854775808", id="a larger one becomes text"),
        pytest.param(
            -LONGS,
            "-9223372036854775808",
            id="so does the smallest: the SDK would make it a float",
        ),
        pytest.param(1e-300, 1e-300, id="a tiny float"),
        pytest.param(FLOAT_LIMIT, FLOAT_LIMIT, id="the largest float that is kept"),
        pytest.param([], [], id="an empty list"),
        pytest.param(
            {"b": ["\0", LONGS], "a\0": {"\ud83d": 1e300}},
            {"a": {"\ufffd": 1e300}, "b": ["", "9223372036854775808"]},
            id="an object is cleaned throughout",
        ),
        pytest.param(nested(100), nested(100), id="100 levels"),
    ],
)
def test_undeclared_values_keep_their_type(value, expected):
    """The SDK is to infer the type, so a value stays what it is, but for what no one can hold."""
    fits(undeclared, value, expected)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param(math.nan, None, id="NaN"),
        pytest.param(-math.inf, None, id="infinity"),
        pytest.param(math.nextafter(FLOAT_LIMIT, math.inf), None, id="a float beyond 32 bits"),
        pytest.param(-1e39, None, id="a negative one"),
        pytest.param(3.4028e38, None, id="one that Python 3.14 refuses to pack once rounded"),
        pytest.param([1.5, math.nan], [1.5, None], id="a list with NaN"),
        pytest.param({"a": {"b": math.inf}}, {"a": {"b": None}}, id="infinity inside"),
        pytest.param(
            {"a": nested(101)},
            {"a": json.loads("[" * 99 + "null" + "]" * 99)},
            id="more than 100 levels",
        ),
        pytest.param("9" * 4301, None, id="more digits than the SDK reads"),
        pytest.param("-" + "0" * 4301, None, id="more zeros than the SDK reads"),
    ],
)
def test_undeclared_values_that_no_column_holds(value, kept):
    """What would make the SDK or a destination raise becomes null, and the rest is kept."""
    assert unfit(undeclared, value) == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(thai("12"), "12", id="a whole number"),
        pytest.param(thai("-3"), "-3", id="a negative one"),
        pytest.param(thai("+3.5E-1"), "+3.5E-1", id="a number with an exponent"),
        pytest.param(thai("2026-08-20"), "2026-08-20", id="a date"),
        pytest.param(thai("2026-08-20 18:00:19.5"), "2026-08-20 18:00:19.5", id="a moment"),
        pytest.param("2026-08-20T18:00Z", "2026-08-20T18:00:00Z", id="a minute in UTC"),
        pytest.param(
            "2026-08-20t18:00+05:30", "2026-08-20t18:00:00+05:30", id="a minute elsewhere"
        ),
        pytest.param(thai("2026-08-20T18:00+05:30"), "2026-08-20T18:00:00+05:30", id="both"),
    ],
)
def test_undeclared_text_is_written_as_the_destination_reads_it(text, expected):
    """What the SDK takes for a number or moment that DuckDB refuses is spelled so that both do."""
    assert undeclared(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(thai("12") + " kg", id="more than a number"),
        pytest.param("²", id="no digit"),
        pytest.param("Ⅳ", id="a numeral that is none"),
        pytest.param("1.2.3", id="a version"),
        pytest.param("2026-08-20T18:00", id="a minute without offset"),
        pytest.param("2026-08-20 18:00Z", id="a minute that the SDK takes for text"),
        pytest.param("2026-08-20T18:00:19Z", id="a moment with seconds"),
        pytest.param("9" * 4300, id="as many digits as the SDK reads"),
        pytest.param("9" * 5000 + ".5", id="a fraction, whose digits do not count"),
    ],
)
def test_other_undeclared_text_stays(text):
    """Text that is stored without trouble is not touched."""
    assert undeclared(text) == text


HUGE = 2_000_000  # characters


@pytest.mark.parametrize("coerce", [*COERCIONS.values(), undeclared], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("9" * HUGE + "x", id="digits"),
        pytest.param(" " * HUGE + "x", id="blanks"),
        pytest.param("1" + " " * HUGE + "x", id="blanks after a digit"),
        pytest.param("1." + "9" * HUGE + "x", id="a fraction"),
        pytest.param("1e" + "9" * HUGE + "x", id="an exponent"),
        pytest.param("2026-08-20T18:00:19." + "9" * HUGE + "x", id="a part of a second"),
    ],
)
def test_long_text_takes_no_long_time(coerce, text):
    """The time that a pattern takes grows no faster than the text."""
    started = time.process_time()
    with contextlib.suppress(UnfitError):
        coerce(text)
    assert time.process_time() - started < 1  # seconds; the square of the length would be hours


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(codec=None) | st.sampled_from("\0\ud800")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(JSON)
def test_a_value_is_coerced_or_refused_and_never_changed(value):
    """Whatever the value: a result of the column's own type or UnfitError, and the value stays."""
    types = {
        "STRING": str,
        "DOUBLE": float,
        "LONG": int,
        "BOOLEAN": bool,
        "UTC_DATETIME": datetime,
    }
    before = repr(value)
    coercions = {} if value is None else COERCIONS  # null is NULL in every column, as it is
    for kind, coerce in coercions.items():
        with contextlib.suppress(UnfitError):
            assert type(coerce(value)) is types[kind]
    try:
        json.dumps(undeclared(value), allow_nan=False).encode()
    except UnfitError as unfit_error:
        json.dumps(unfit_error.fallback, allow_nan=False).encode()
    assert repr(value) == before
