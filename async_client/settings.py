"""What the user configured, checked before any request is made."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from endpoints import ENDPOINTS, Endpoint

VERSION = "1.0.0"
DEFAULT_BASE_URL = "https://lms-catalog-api.datacamp.com"
DEFAULT_REQUEST_TIMEOUT_SECONDS = 30.0

_LIKE_A_NAME = re.compile(r"[A-Za-z_ -]{1,24}")
_NEVER_IN_A_URL = frozenset(' <>"{}|\\^`')  # RFC 3986, appendix A


@dataclass(frozen=True)
class Settings:
    """A valid configuration; `endpoints` are those not skipped, in replay order.

    `base_url` has no trailing slash. Its `repr` does not show the token.
    """

    bearer_token: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL
    request_timeout_seconds: float = DEFAULT_REQUEST_TIMEOUT_SECONDS
    endpoints: tuple[Endpoint, ...] = ENDPOINTS

    @property
    def sends_token_unencrypted(self) -> bool:
        """Whether the token crosses a network unencrypted."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


@dataclass(frozen=True)
class Limits:
    """Bounds that no user needs to set, in one place so that tests can set them.

    An endpoint gets one try more than there are waits. A wait is drawn between 0 and its cap.
    `endpoint_seconds` covers all tries and waits of one endpoint.
    """

    wait_caps_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    endpoint_seconds: float = 600.0
    # Without a time from the server: six attempts then outlive a window of a minute.
    rate_limit_wait_seconds: float = 15.0
    body_bytes: int = 32 * 1024 * 1024  # ten times the real size


def validate_configuration(configuration: Mapping[str, str]) -> Settings:
    """Read the configuration; raises a ValueError that names the key and the fix."""
    return Settings(
        bearer_token=_bearer_token(_given(configuration, "bearer_token")),
        base_url=_base_url(_given(configuration, "base_url")),
        request_timeout_seconds=_timeout(_given(configuration, "request_timeout_seconds")),
        endpoints=_endpoints(_given(configuration, "skip_endpoints")),
    )


def _given(configuration: Mapping[str, str], key: str) -> str:
    """Give a value without outer blanks; empty if it is missing or an untouched placeholder."""
    value = configuration.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} must be text, not {type(value).__name__}: put it in quotes.")
    value = value.strip()
    return "" if value.startswith("<") and value.endswith(">") else value


def _bearer_token(token: str) -> str:
    if not token:
        raise ValueError(
            "bearer_token is missing: set it to the API token that DataCamp gave you."
        )
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ValueError(
            "bearer_token holds a blank or another character that no token has: "
            "paste the token alone, on one line and without the word Bearer."
        )
    return token


def _base_url(url: str) -> str:
    if not url:
        return DEFAULT_BASE_URL
    try:
        parts = urlsplit(url)
        flaw = _url_flaw(url, parts)
    except ValueError:  # a port that is no number, a bracket that is not closed
        flaw = "is no valid URL"
    if flaw:
        raise ValueError(
            f"base_url {flaw}: use a plain http(s) address such as {DEFAULT_BASE_URL}, "
            "or leave it empty for that one."
        )
    return url.rstrip("/")


def _url_flaw(url: str, parts: SplitResult) -> str | None:
    """Say what is wrong without repeating the URL, as it may hold a password."""
    if not url.isprintable() or not _NEVER_IN_A_URL.isdisjoint(url):
        return "holds a blank or another character that no URL has"
    if parts.scheme not in ("http", "https"):
        return "does not begin with https:// or http://"
    if "@" in parts.netloc:
        return "holds a user name or password"
    if not parts.hostname or parts.port == 0:
        return "names no host"
    if "?" in url or "#" in url:
        return "holds a query or a fragment"
    return None


def _timeout(text: str) -> float:
    if not text:
        return DEFAULT_REQUEST_TIMEOUT_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(
            "request_timeout_seconds must be a number above 0, such as 30; "
            f"leave it empty for {DEFAULT_REQUEST_TIMEOUT_SECONDS:.0f}."
        )
    return seconds


def _endpoints(skipped: str) -> tuple[Endpoint, ...]:
    names = {name.strip() for name in skipped.split(",")} - {""}
    known = [endpoint.name for endpoint in ENDPOINTS]
    unknown = sorted(names.difference(known))
    if unknown:
        # A misspelt name helps; anything else could be a token in the wrong field.
        shown = [repr(name) if _LIKE_A_NAME.fullmatch(name) else "a value" for name in unknown]
        raise ValueError(
            f"skip_endpoints names {', '.join(shown)}, which is no endpoint: "
            f"use names from {', '.join(known)}, separated by commas."
        )
    if len(names) == len(known):
        raise ValueError(
            "skip_endpoints skips every endpoint, so that nothing is left to sync: remove one."
        )
    return tuple(endpoint for endpoint in ENDPOINTS if endpoint.name not in names)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
