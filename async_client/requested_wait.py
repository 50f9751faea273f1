"""Read from the headers of a response how long the server asks a client to wait. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)
# From these numbers on, a reset is a time since the epoch, in seconds or milliseconds.
_EPOCH_SECONDS = 1e9
_EPOCH_MILLISECONDS = 1e12


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the longest wait of `Retry-After` and `Retry-After-…`; None if there is none.

    The value is in seconds, with or without decimals, or an HTTP date. A date is measured against
    the response's `Date`, as the clocks may differ; a past date is 0. Source: RFC 9110, section
    10.2.3; NestJS's throttler appends the name of a limit to the header.
    """
    sent = _date(headers.get("Date", "")) or now
    waits = (_wait(value, sent) for value in _values(headers, "retryafter"))
    return max((wait for wait in waits if wait is not None), default=None)


def is_rate_limit(headers: Mapping[str, str]) -> bool:
    """Return whether a 403 is a rate limit: it requests a wait, or the remaining count is 0."""
    return any(_values(headers, "retryafter")) or "0" in _values(headers, "ratelimitremaining")


def rate_limit_reset_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until a rate limit resets; None if no header has a future time.

    A reset counts only if the remaining count is 0 or absent. GitHub sends seconds since the
    epoch, others seconds from now or milliseconds since the epoch.
    """
    remaining = list(_values(headers, "ratelimitremaining"))
    if remaining and "0" not in remaining:
        return None
    sent = (_date(headers.get("Date", "")) or now).timestamp()
    waits = [
        _until(float(value), sent)
        for value in _values(headers, "ratelimitreset")
        if _SECONDS.fullmatch(value)
    ]
    return max((wait for wait in waits if wait > 0), default=None)


def _values(headers: Mapping[str, str], name: str) -> Iterator[str]:
    """Yield the values of the headers of this name, with or without `X-` and a suffix."""
    for header, value in headers.items():
        plain = header.lower().removeprefix("x-").replace("-", "")
        if plain.startswith(name):
            yield value.strip()


def _wait(value: str, sent: datetime) -> float | None:
    if _SECONDS.fullmatch(value):
        return float(value)
    date = _date(value)
    return None if date is None else max(0.0, (date - sent).total_seconds())


def _until(reset: float, sent: float) -> float:
    if reset >= _EPOCH_MILLISECONDS:
        return reset / 1000 - sent
    return reset - sent if reset >= _EPOCH_SECONDS else reset


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)
