"""Bounds of fetching that no user needs to set, in one place so that tests can set them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How often, how long and how much is fetched.

    There is one attempt more than waits; each wait is drawn between 0 and its cap.
    `endpoint_seconds` covers all attempts and waits of one endpoint.
    """

    wait_caps_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    endpoint_seconds: float = 600.0
    # Without a time from the server: six attempts then outlive a window of a minute.
    rate_limit_wait_seconds: float = 15.0
    body_bytes: int = 32 * 1024 * 1024  # ten times the real size
