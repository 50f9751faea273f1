"""What the user configured, checked before any request is made."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from async_client.environment import is_proxied
from endpoints import ENDPOINTS, Endpoint

DEFAULT_BASE_URL = "https://lms-catalog-api.datacamp.com"
DEFAULT_REQUEST_TIMEOUT_SECONDS = 30.0

_LIKE_A_NAME = re.compile(r"[A-Za-z_ -]{1,24}")
_NEVER_IN_A_URL = frozenset(' <>"{}|\\^`')  # RFC 3986, appendix A


@dataclass(frozen=True)
class Settings:
    """A valid configuration; `endpoints` are those that are not skipped, in replay order.

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
        is_local = _is_loopback(parts.hostname or "") and not is_proxied(self.base_url)
        return parts.scheme == "http" and not is_local


def validate_configuration(configuration: Mapping[str, str]) -> Settings:
    """Return the settings; raise a ValueError that names the key and the fix."""
    return Settings(
        bearer_token=_bearer_token(_given(configuration, "bearer_token")),
        base_url=_base_url(_given(configuration, "base_url")),
        request_timeout_seconds=_timeout(_given(configuration, "request_timeout_seconds")),
        endpoints=_endpoints(_given(configuration, "skip_endpoints")),
    )


def _given(configuration: Mapping[str, str], key: str) -> str:
    """Return a stripped value; empty if it is missing or an untouched placeholder."""
    value = configuration.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a string, not {type(value).__name__}: put it in quotes.")
    value = value.strip()
    return "" if value.startswith("<") and value.endswith(">") else value


def _bearer_token(token: str) -> str:
    if not token:
        raise ValueError("bearer_token is missing: set it to the API token issued by DataCamp.")
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ValueError(
            "bearer_token contains whitespace or an invalid character: "
            "paste only the token, on one line and without the word Bearer."
        )
    return token


def _base_url(url: str) -> str:
    if not url:
        return DEFAULT_BASE_URL
    try:
        parts = urlsplit(url)
        problem = _url_problem(url, parts)
    except ValueError:  # a port that is not a number, a bracket that is not closed
        problem = "is not a valid URL"
    if problem:
        raise ValueError(
            f"base_url {problem}: use a plain http(s) URL, "
            f"or leave it empty for the default, {DEFAULT_BASE_URL}."
        )
    return url.rstrip("/")


def _url_problem(url: str, parts: SplitResult) -> str | None:
    """Return what is wrong, without the URL itself, as it may contain a password."""
    if not url.isprintable() or not _NEVER_IN_A_URL.isdisjoint(url):
        return "contains whitespace or an invalid character"
    if parts.scheme not in ("http", "https"):
        return "does not start with https:// or http://"
    if "@" in parts.netloc:
        return "contains a user name or password"
    if not parts.hostname or parts.port == 0:
        return "has no host"
    if "?" in url or "#" in url:
        return "contains a query or a fragment"
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
            f"leave it empty for the default, {DEFAULT_REQUEST_TIMEOUT_SECONDS:.0f}."
        )
    return seconds


def _endpoints(skipped: str) -> tuple[Endpoint, ...]:
    names = {name.strip() for name in skipped.split(",")} - {""}
    known = [endpoint.name for endpoint in ENDPOINTS]
    unknown = sorted(names.difference(known))
    if unknown:
        # A misspelt name is shown; anything else could be a token in the wrong field.
        shown = [repr(name) if _LIKE_A_NAME.fullmatch(name) else "a value" for name in unknown]
        raise ValueError(
            f"skip_endpoints contains {', '.join(shown)}, which is not an endpoint: "
            f"use names of {', '.join(known)}, separated by commas."
        )
    if len(names) == len(known):
        raise ValueError("skip_endpoints skips all endpoints, so nothing is synced: remove one.")
    return tuple(endpoint for endpoint in ENDPOINTS if endpoint.name not in names)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
