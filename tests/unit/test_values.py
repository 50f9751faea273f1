"""JSON values are converted to the exact Python type of their column, or do not fit it."""

from __future__ import annotations

import contextlib
import json
import math
import time
from datetime import datetime, timezone

import pytest

from flatten.values import (
    COERCIONS,
    UnfitError,
    boolean,
    double,
    inferable,
    long,
    string,
    utc_datetime,
)
from tests.support.cases import cases

ABOVE_64_BITS = 2**63
LARGEST_FLOAT = 3.4e38  # the SDK may round larger ones to more than 32 bits hold


def thai(text):
    """Return a text with its digits in Thai."""
    return text.translate({ord("0") + n: ord("\N{THAI DIGIT ZERO}") + n for n in range(10)})


def nested(levels):
    """Return lists nested to this number of levels."""
    return json.loads("[" * levels + "]" * levels)


def named(by_coercion):
    """Return cases with their coercion, named after the coercion and the case."""
    return {
        f"{coerce.__name__}: {name}": (coerce, *values)
        for coerce, values_by_name in by_coercion.items()
        for name, values in values_by_name.items()
    }


TIMESTAMPS = {
    "2026-08-20T18:00:19.100Z": (2026, 8, 20, 18, 0, 19, 100_000),
    "2026-08-20T18:00:19": (2026, 8, 20, 18, 0, 19),
    "2026-08-20": (2026, 8, 20),
    "2026-08-20t18:00:19z": (2026, 8, 20, 18, 0, 19),
    "2026-08-20 18:00:19Z": (2026, 8, 20, 18, 0, 19),
    "2026-08-20T18:00:19+05:30": (2026, 8, 20, 12, 30, 19),
    "2026-08-20T20:00:00-14:00": (2026, 8, 21, 10),
    "2026-08-20T18:00:19.1234567Z": (2026, 8, 20, 18, 0, 19, 123_456),
    "2026-08-20T18:00:19.5-00:00": (2026, 8, 20, 18, 0, 19, 500_000),
    "2026-08-20T18:00Z": (2026, 8, 20, 18),
    "2026-08-20T18:00:19,5Z": (2026, 8, 20, 18, 0, 19, 500_000),
    "2026-08-20T18:00:19+0530": (2026, 8, 20, 12, 30, 19),
    "2026-08-20T18:00:19+05": (2026, 8, 20, 13, 0, 19),
    "20260820T180019Z": (2026, 8, 20, 18, 0, 19),
    "20260820T1800+0200": (2026, 8, 20, 16),
    " 2026-08-20\n": (2026, 8, 20),
    "2026-08-20 18:00:19 +02:00": (2026, 8, 20, 16, 0, 19),
    "2026-08-20 18:00:19 UTC": (2026, 8, 20, 18, 0, 19),
    "2024-02-29": (2024, 2, 29),
    "0001-01-01T00:00:00Z": (1, 1, 1),
    "9999-12-31T23:59:59.999999Z": (9999, 12, 31, 23, 59, 59, 999_999),
}
# What is stored for text from which the SDK infers a number or a timestamp.
INFERRED = {
    thai("-3"): "-3",
    thai("+3.5E-1"): "+3.5E-1",
    thai("2026-08-20"): "2026-08-20",
    thai("2026-08-20 18:00:19.5"): "2026-08-20 18:00:19.5",
    "2026-08-20T18:00Z": "2026-08-20T18:00:00Z",
    thai("2026-08-20t18:00+05:30"): "2026-08-20t18:00:00+05:30",
}
UNCHANGED = [
    *("t", "007", "0000-01-01", "²", "Ⅳ", "1.2.3", thai("12") + " kg", "9" * 4300),
    *("0." + "9" * 5000, "2026-08-20T18:00", "2026-08-20 18:00Z", "2026-08-20T18:00:19Z"),
]
FITS = {
    string: {
        "any script and control characters": ("Zürich 東京 \U0001f600\r\n\t\x01\u2028",) * 2,
        "NUL is removed": ("a\0b\0", "ab"),
        "surrogates in the wrong order": ("\ude00\ud83d", "\ufffd\ufffd"),
        "as many digits as the SDK parses": ("9" * 4300, "9" * 4300),
        "digits and something else": ("9" * 5000 + "x", "9" * 5000 + "x"),
        "a huge number": (-(10**40), "-1" + "0" * 40),
        "a number without a fraction": (7.0, "7"),
        "a number with one": (-7.5, "-7.5"),
        "a large float": (1e20, str(10**20)),
        "minus zero": (-0.0, "0"),
        "a number without a fraction inside": ([7.0], "[7.0]"),
        "true": (True, "true"),
        "a list": (["a", 1, None, True], '["a", 1, null, true]'),
        "keys are sorted at every level": (
            {"b": [{"d": 1, "c": "é"}], "a": 2},
            '{"a": 2, "b": [{"c": "é", "d": 1}]}',
        ),
        "keys are sorted once cleaned": ({"a\0z": 1, "ab": 2}, '{"ab": 2, "az": 1}'),
        "an object is cleaned throughout": ({"a\0": "\0\ud83d"}, '{"a": "\ufffd"}'),
        "a huge number inside": ({"n": ABOVE_64_BITS}, '{"n": "9223372036854775808"}'),
        "100 levels": (nested(100), "[" * 100 + "]" * 100),
    },
    double: {
        "a whole number": (3, 3.0),
        "minus zero": (-0.0, -0.0),
        "the smallest number": (5e-324, 5e-324),
        "text with sign, exponent and whitespace": (" +1.5e2\n", 150.0),
        "text without whole part": (".5", 0.5),
        "text without fraction": ("5.", 5.0),
        "text of a number too small for a float": ("1e-400", 0.0),
    },
    long: {
        "minus zero": (-0.0, 0),
        "text of a whole number with a fraction": ("7.00", 7),
        "text with exponent and whitespace": (" 1e3 ", 1000),
        "text that a float would round": ("9007199254740993", 9007199254740993),
        "the largest": (ABOVE_64_BITS - 1, ABOVE_64_BITS - 1),
        "the smallest": (1 - ABOVE_64_BITS, 1 - ABOVE_64_BITS),
        "the largest as text": (str(ABOVE_64_BITS - 1), ABOVE_64_BITS - 1),
        "thousands of zeros": ("0" * 5000 + "7", 7),
    },
    boolean: {
        **{repr(v): (v, True) for v in (True, "true", "True", "1", 1, 1.0)},
        **{repr(v): (v, False) for v in (False, "false", "FALSE", "0", 0, 0.0)},
    },
    utc_datetime: {
        text: (text, datetime(*parts, tzinfo=timezone.utc)) for text, parts in TIMESTAMPS.items()
    },
    inferable: {
        "null": (None, None),
        "text is cleaned": ("a\0b\ud83d", "ab\ufffd"),
        "a boolean": (True, True),
        "the largest integer of 64 bits": (ABOVE_64_BITS - 1, ABOVE_64_BITS - 1),
        "a larger one becomes text": (ABOVE_64_BITS, "9223372036854775808"),
        # The SDK would send it as a float.
        "so does the smallest": (-ABOVE_64_BITS, "-9223372036854775808"),
        "the largest float": (LARGEST_FLOAT, LARGEST_FLOAT),
        "an object is cleaned throughout": (
            {"b": ["\0", ABOVE_64_BITS], "a\0": {"\ud83d": 1e300}},
            {"a": {"\ufffd": 1e300}, "b": ["", "9223372036854775808"]},
        ),
        "100 levels": (nested(100), nested(100)),
    }
    | {f"{text:.20}": (text, stored) for text, stored in INFERRED.items()}
    | {f"{text:.20}": (text, text) for text in UNCHANGED},
}


@cases("coerce, value, expected", named(FITS))
def test_a_value_that_fits_becomes_one_of_the_column_type(coerce, value, expected):
    """The result has the exact type, sign, digits and time zone."""
    result = coerce(value)
    assert (type(result), repr(result)) == (type(expected), repr(expected))


NOT_A_NUMBER = [
    *(True, [], {"hours": 1}, math.nan, math.inf, -math.inf, "", " ", "1 h", "1,5", "0x10", "1\0"),
    *("1_000", "nan", "Infinity"),  # Python would parse these
    *("1e400", "1e9999999", thai("12")),
]
UNFIT = {
    string: [math.nan, math.inf, "9" * 4301, "-\0" + "0" * 4301],
    double: [*NOT_A_NUMBER, 10**400],
    long: [
        *(*NOT_A_NUMBER, 1.5, "1.5", "1e-3", 1e300, "9" * 5000),
        *(ABOVE_64_BITS, -ABOVE_64_BITS - 1, str(ABOVE_64_BITS)),
    ],
    boolean: ["yes", "", " true", 2, -1, 0.5, math.nan, [], [True], {}, {"a": 1}],
    utc_datetime: [
        *("", "yesterday", "2026-08", "20260820", "2026-W34-4", "2026-0820", thai("2026-08-20")),
        *("2026-08-20T18Z", "2026-08-20 UTC", "2026-08-20T18:00:19.Z", "2026-08-20Z"),
        *("2026-02-29", "2026-02-29T18:00:19.100Z", "2026-13-01", "0000-01-01"),
        *("2026-08-20T24:30:00Z", "2026-08-20T24:00:00.000Z", "2026-08-20T18:60:00Z"),
        *("2026-06-30T23:59:60Z", "2026-06-30T23:59:60.000Z", "2026-08-20T18:00:19+24:00"),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"),  # years 0 and 10000 in UTC
        *(1_787_248_819, True, ["2026-08-20"]),
    ],
    inferable: [
        *(math.nan, -math.inf, -1e39, math.nextafter(LARGEST_FLOAT, math.inf)),
        3.4028e38,  # Python 3.14 refuses to pack it once rounded
        *("9" * 4301, "-" + "0" * 4301),
    ],
}
FIT_IN_PART = {
    string: {
        "a list with NaN": ([1, math.nan], "[1, null]"),
        "infinity inside": ({"a": [-math.inf], "b": 1}, '{"a": [null], "b": 1}'),
        "101 levels": (nested(101), "[" * 100 + "null" + "]" * 100),
    },
    inferable: {
        "a list with NaN": ([1.5, math.nan], [1.5, None]),
        "infinity inside": ({"a": {"b": math.inf}}, {"a": {"b": None}}),
        "101 levels": ({"a": nested(100)}, {"a": json.loads("[" * 99 + "null" + "]" * 99)}),
    },
}


NULL = {f: {f"{v!r:.40}": (v, None) for v in values} for f, values in UNFIT.items()}


@cases("coerce, value, fallback", named(NULL) | named(FIT_IN_PART))
def test_a_value_that_does_not_fit_has_a_fallback(coerce, value, fallback):
    """It is NULL, or the value with null for each nested value that cannot be stored."""
    with pytest.raises(UnfitError) as caught:
        coerce(value)
    assert caught.value.fallback == fallback


@pytest.mark.parametrize("coerce", [*COERCIONS.values(), inferable], ids=lambda f: f.__name__)
@cases(
    "start, repeated",
    {
        "digits": ("", "9"),
        "whitespace": ("", " "),
        "whitespace after a digit": ("1", " "),
        "whitespace after a time": ("2026-08-20T18:00", " "),
        "a fraction": ("1.", "9"),
        "an exponent": ("1e", "9"),
        "a fraction of a second": ("2026-08-20T18:00:19.", "9"),
    },
)
def test_coercion_takes_linear_time(coerce, start, repeated):
    """No pattern takes quadratic time for a long text: it would take minutes of processor time."""
    started = time.process_time()
    with contextlib.suppress(UnfitError):
        coerce(start + repeated * 300_000 + "x")
    assert time.process_time() - started < 1  # seconds
