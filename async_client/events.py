"""What happens while catalogs are fetched, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from async_client.errors import FetchError
from async_client.response import Catalog


class RetryScheduled(NamedTuple):
    """An attempt failed; the next one starts in `wait_seconds`, or later if it has to queue.

    `failed_attempt` counts the attempts that failed in this way. `max_attempts` is None for a rate
    limit, whose attempts are limited by time alone.
    """

    endpoint_name: str
    failed_attempt: int
    max_attempts: int | None
    reason: str
    wait_seconds: float


class ResponseReceived(NamedTuple):
    """A response arrived, and `found` is what it was judged to be.

    `byte_count` is the size of the body after decompression, 0 if it was not read; `seconds` is
    the time since the first request.
    """

    endpoint_name: str
    attempt: int
    status: int
    headers: Mapping[str, str]
    byte_count: int
    seconds: float
    found: Catalog | FetchError


class CatalogFetched(NamedTuple):
    """A catalog has arrived; `seconds` is the time since the first request, waits included."""

    endpoint_name: str
    item_count: int
    byte_count: int
    seconds: float
    attempts: int


Event = RetryScheduled | ResponseReceived | CatalogFetched
