"""The wait that a server requests: `Retry-After` in its forms, and resets of rate limits."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from async_client.limits import MAX_REQUESTED_SECONDS
from async_client.requested_wait import rate_limit_reset_seconds, retry_after_seconds

NOW = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
EPOCH_SECONDS = int(NOW.timestamp())
DAY = "Thu, 01 Jan 2026"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *[
            ("0", 0.0),
            ("120", 120.0),
            (" 120 ", 120.0),
            ("1.5", 1.5),
            ("9" * 400, MAX_REQUESTED_SECONDS),
        ],
        (f"{DAY} 12:02:00 GMT", 120.0),
        (f"{DAY} 13:02:00 +0100", 120.0),
        (f"{DAY} 12:02:00", 120.0),
        ("Thursday, 01-Jan-26 12:02:00 GMT", 120.0),
        ("Thu Jan  1 12:02:00 2026", 120.0),
        (f"{DAY} 12:00:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        *((text, None) for text in ("", "  ", "soon", "-5", "1e3", "5, 6", "٣", "nan")),
        *(("2026-01-01T12:02:00Z", None), ("Thu, 32 Jan 2026 12:02:00 GMT", None)),
        ("Thu, 01 Jan 99999 12:02:00 GMT", None),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after_seconds({"Retry-After": value}, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After-short": "45"}, 45.0),
        ({"Retry-After": "5", "Retry-After-long": "45", "Retry-After-short": "1"}, 45.0),
        ({"retry-after": "8.5"}, 8.5),
        ({"Date": f"{DAY} 13:00:00 GMT", "Retry-After": f"{DAY} 13:00:30 GMT"}, 30.0),
        ({"Date": "now", "Retry-After": f"{DAY} 12:00:30 GMT"}, 30.0),
        ({}, None),
    ],
)
def test_the_longest_wait_counts_by_the_clock_of_the_server(headers, seconds):
    assert retry_after_seconds(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset": "42"}, 42.0),
        ({"RateLimit-Reset": "42.5", "RateLimit-Remaining": "0"}, 42.5),
        ({"X-RateLimit-Reset": str(EPOCH_SECONDS + 50)}, 50.0),
        ({"X-RateLimit-Reset": str((EPOCH_SECONDS + 50) * 1000)}, 50.0),
        ({"X-RateLimit-Reset": str(EPOCH_SECONDS + 50), "Date": f"{DAY} 12:00:30 GMT"}, 20.0),
        ({"X-RateLimit-Reset-long": "9", "X-RateLimit-Reset-short": "3"}, 9.0),
        ({"RateLimit-Remaining": "5", "RateLimit-Remaining-s": "0", "RateLimit-Reset": "1"}, 1.0),
        ({"RateLimit": '"default";r=0;t=30'}, 30.0),
        ({"RateLimit": '"a"; t=9; r=0, "b";q=1;r=5;t=60'}, 9.0),
        ({"ratelimit": "limit=9, remaining=0, reset=30"}, 30.0),
        ({"X-RateLimit-Reset": "9" * 400}, MAX_REQUESTED_SECONDS),
        ({"RateLimit": '"default";r=1;t=30', "RateLimit-Policy": '"default";q=9;w=60'}, None),
        ({"RateLimit": "60"}, None),
        ({"X-RateLimit-Reset": "42", "X-RateLimit-Remaining": "7"}, None),
        ({"X-RateLimit-Reset": str(EPOCH_SECONDS - 1)}, None),
        ({"X-RateLimit-Reset": "0"}, None),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({}, None),
    ],
)
def test_a_reset_is_seconds_or_a_time_since_the_epoch(headers, seconds):
    assert rate_limit_reset_seconds(headers, NOW) == seconds
