"""Read from the headers of a response how long the server asks a client to wait. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from async_client.limits import MAX_REQUESTED_SECONDS

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)
# From these numbers on, a reset is a time since the epoch, in seconds or milliseconds.
_EPOCH_SECONDS = 1e9
_EPOCH_MILLISECONDS = 1e12
# In the combined header: a comma before the quoted name of the next policy; its parameters.
_NEXT_POLICY = re.compile(r',(?=\s*")')
_REMAINING = re.compile(r"\b(?:r|remaining)\s*=\s*(\d+)", re.ASCII | re.IGNORECASE)
_RESET = re.compile(r"\b(?:t|reset)\s*=\s*(\d+)", re.ASCII | re.IGNORECASE)


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the longest wait of `Retry-After` and `Retry-After-…`; None if there is none.

    The value is in seconds, with or without decimals, or an HTTP date. A date is measured against
    the response's `Date`, as the clocks may differ; a past date is 0. Source: RFC 9110, section
    10.2.3; NestJS's throttler appends the name of a limit to the header.
    """
    sent = _parse_date(headers.get("Date", "")) or now
    waits = []
    for value in _find_values(headers, "retryafter"):
        if _SECONDS.fullmatch(value):
            waits.append(float(value))
        elif date := _parse_date(value):
            waits.append(max(0.0, (date - sent).total_seconds()))
    return min(max(waits), MAX_REQUESTED_SECONDS) if waits else None


def is_rate_limit(headers: Mapping[str, str]) -> bool:
    """Return whether a 403 is a rate limit: it requests a wait, or the remaining count is 0."""
    nothing_remains = any(remaining == "0" for remaining, _ in _read_limits(headers))
    return nothing_remains or any(_find_values(headers, "retryafter"))


def rate_limit_reset_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until a rate limit resets; None if no header has a future time.

    A reset counts only if the remaining count is 0 or absent. GitHub sends seconds since the
    epoch, others seconds from now or milliseconds since the epoch.
    """
    sent = (_parse_date(headers.get("Date", "")) or now).timestamp()
    waits = []
    for remaining, reset in _read_limits(headers):
        if remaining in ("0", "") and _SECONDS.fullmatch(reset):
            seconds = float(reset)
            if seconds >= _EPOCH_MILLISECONDS:
                seconds = seconds / 1000 - sent
            elif seconds >= _EPOCH_SECONDS:
                seconds -= sent
            waits += [seconds] if seconds > 0 else []
    return min(max(waits), MAX_REQUESTED_SECONDS) if waits else None


def _read_limits(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield remaining count and reset of each limit, empty where there is none.

    They are in headers of their own, or together: `RateLimit: "default";r=0;t=30` or
    `RateLimit: limit=9, remaining=0, reset=30`. Source: drafts 8 and 7 of the IETF's "RateLimit
    header fields for HTTP".
    """
    remaining = [*_find_values(headers, "ratelimitremaining")]
    least = "" if not remaining else "0" if "0" in remaining else remaining[0]
    yield least, ""
    for until in _find_values(headers, "ratelimitreset"):
        yield least, until
    for value in _find_values(headers, "ratelimit", suffix=False):
        for policy in _NEXT_POLICY.split(value):
            left, reset = _REMAINING.search(policy), _RESET.search(policy)
            yield left[1] if left else "", reset[1] if reset else ""


def _find_values(headers: Mapping[str, str], name: str, *, suffix: bool = True) -> Iterator[str]:
    """Yield the values of the headers of this name, with or without `X-` and a suffix."""
    for header, value in headers.items():
        plain = header.lower().removeprefix("x-").replace("-", "")
        if plain == name or (suffix and plain.startswith(name)):
            yield value.strip()


def _parse_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)
