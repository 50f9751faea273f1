"""Every bound of fetching: how often, how long and how much."""

from __future__ import annotations

from dataclasses import dataclass

# Ten times the size of the largest real catalog, after decompression and in UTF-8.
MAX_BODY_BYTES = 32 * 1024 * 1024
# Each JSON value costs memory as an object. A body has fewer values than commas and opening
# brackets, which cost little to count; a generated catalog of 764 courses has 48,000 of them.
MAX_VALUES = 1_000_000
# Each item costs memory in the state, which has 10 MB.
MAX_ITEMS = 100_000
# No envelope nests what describes its list deeper.
MAX_EVIDENCE_LEVELS = 4
# The limits of aiohttp, 8,190 bytes and 128 headers, are below what some proxies send.
MAX_HEADER_BYTES = 64 * 1024
MAX_HEADERS = 1_000
# A longer wait than a year is as good as one: it ends the attempts.
MAX_REQUESTED_SECONDS = 365 * 24 * 60 * 60.0


@dataclass(frozen=True)
class Limits:
    """The bounds that tests vary.

    There is one attempt more than waits; each wait is drawn between 0 and its cap. Attempts that
    end in a rate limit do not count. `endpoint_seconds` covers all attempts and waits of one
    endpoint.
    """

    wait_caps_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    endpoint_seconds: float = 600.0
    # After a rate limit that names no time. Shorter waits could use up a limit per minute.
    rate_limit_wait_seconds: float = 15.0
    body_bytes: int = MAX_BODY_BYTES
    # After a rate limit that names a shorter time.
    min_rate_limit_wait_seconds: float = 1.0
