"""What the user configured, checked before any request is made.

`SETTINGS` is the one table of settings: the setup form, the validation and the table in the README
follow from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from async_client.environment import is_proxied
from endpoints import ENDPOINTS, Endpoint

DEFAULT_BASE_URL = "https://lms-catalog-api.datacamp.com"
DEFAULT_REQUEST_TIMEOUT_SECONDS = 30.0

# A misspelt name is shown; anything else could be a token in the wrong place.
_LIKE_A_NAME = re.compile(r"[A-Za-z_ -]{1,32}")
_LEAST_SIMILARITY = 0.5  # `token` is 0.59 similar to `bearer_token`, `url` 0.55 to `base_url`
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NEVER_IN_A_URL = frozenset(' <>"{}|\\^`')  # RFC 3986, appendix A


@dataclass(frozen=True)
class Settings:
    """A valid configuration; `endpoints` are those that are not skipped, in replay order.

    `base_url` is normalized. `notes` has a sentence on each key that no setting has. Their `repr`
    does not show the token.
    """

    bearer_token: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL
    request_timeout_seconds: float = DEFAULT_REQUEST_TIMEOUT_SECONDS
    endpoints: tuple[Endpoint, ...] = ENDPOINTS
    notes: tuple[str, ...] = ()

    @property
    def sends_token_unencrypted(self) -> bool:
        """Whether the token crosses a network unencrypted."""
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        try:
            is_loopback = ip_address(host).is_loopback
        except ValueError:
            is_loopback = host == "localhost" or host.endswith(".localhost")
        return parts.scheme == "http" and not (is_loopback and not is_proxied(self.base_url))


@dataclass(frozen=True)
class Setting:
    """A key of the configuration.

    `default` is the text that a missing value stands for; None means that the setting is required.
    `placeholder` is shown in the form. `parse` gets the value without whitespace around it, and
    raises a ValueError that names the key and the fix.
    """

    name: str
    label: str
    description: str
    default: str | None
    placeholder: str | None
    parse: Callable[[str], Any]
    is_secret: bool = False


def validate_configuration(configuration: Mapping[str, str]) -> Settings:
    """Return the settings; raise a ValueError that names the key and the fix.

    It also names the keys that no setting has, one of which may be the missing one, misspelt.
    """
    notes = unknown_keys(configuration)
    try:
        values = {each.name: each.parse(_read(configuration, each)) for each in SETTINGS}
    except ValueError as error:
        raise ValueError(" ".join([str(error), *notes])) from None
    return Settings(endpoints=values.pop("skip_endpoints"), notes=tuple(notes), **values)


def is_unset(value: str) -> bool:
    """Return whether a value stands for the default: whitespace, or an untouched placeholder."""
    value = value.strip()
    return not value or (value.startswith("<") and value.endswith(">"))


def unknown_keys(configuration: Iterable[str]) -> list[str]:
    """Return a sentence for each key that no setting has; it names the setting that is meant."""
    names = [setting.name for setting in SETTINGS]
    sentences = []
    for key in configuration:
        if key not in names:
            shown = repr(key) if _LIKE_A_NAME.fullmatch(key) else "a key that is not shown"
            spelt = key.lower().replace("-", "_").replace(" ", "_")
            similar = get_close_matches(spelt, names, n=1, cutoff=_LEAST_SIMILARITY)
            fix = f"did you mean {similar[0]}?" if similar else f"use {', '.join(names)}."
            sentences.append(f"The configuration contains {shown}, which is ignored: {fix}")
    return sentences


def normalized_url(url: str) -> str:
    """Return the one spelling of a base URL, or the text itself if it is no such URL.

    Scheme and host are in lower case, and the scheme's default port is left out (RFC 3986, 6.2.2.1
    and 6.2.3). The path is case-sensitive and loses the slashes at its end, so that the endpoints'
    paths can be appended.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return url
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port not in (None, _DEFAULT_PORTS[parts.scheme]):
        host += f":{port}"
    return parts._replace(netloc=host, path=parts.path.rstrip("/")).geturl()


def _read(configuration: Mapping[str, str], setting: Setting) -> str:
    """Return a stripped value, or the default if it is missing or an untouched placeholder."""
    value = configuration.get(setting.name, "")
    if not isinstance(value, str):
        kind = type(value).__name__
        raise ValueError(f"{setting.name} must be a string, not {kind}: put it in quotes.")
    return (setting.default or "") if is_unset(value) else value.strip()


def _parse_token(token: str) -> str:
    if not token:
        raise ValueError("bearer_token is missing: set it to the API token issued by DataCamp.")
    if not (token.isascii() and token.isprintable() and " " not in token):
        fix = "paste only the token, on one line and without the word Bearer."
        raise ValueError(f"bearer_token contains whitespace or an invalid character: {fix}")
    return token


def _parse_url(url: str) -> str:
    problem = None  # without the URL itself, as it may contain a password
    try:
        parts = urlsplit(url)
        if not url.isprintable() or not _NEVER_IN_A_URL.isdisjoint(url):
            problem = "contains whitespace or an invalid character"
        elif parts.scheme not in _DEFAULT_PORTS:
            problem = "does not start with https:// or http://"
        elif "@" in parts.netloc:
            problem = "contains a user name or password"
        elif not parts.hostname or parts.port == 0:
            problem = "has no host"
        elif "?" in url or "#" in url:
            problem = "contains a query or a fragment"
    except ValueError:  # a port that is not a number, a bracket that is not closed
        problem = "is not a valid URL"
    if problem:
        fix = f"use a plain http(s) URL, or leave it empty for the default, {DEFAULT_BASE_URL}."
        raise ValueError(f"base_url {problem}: {fix}")
    return normalized_url(url)


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise ValueError(
            "request_timeout_seconds must be a number above 0, such as 30; "
            f"leave it empty for the default, {DEFAULT_REQUEST_TIMEOUT_SECONDS:g}."
        )
    return seconds


def _parse_skipped(skipped: str) -> tuple[Endpoint, ...]:
    names = {name.strip() for name in skipped.split(",")} - {""}
    known = [endpoint.name for endpoint in ENDPOINTS]
    unknown = sorted(names.difference(known))
    if unknown:
        shown = [repr(name) if _LIKE_A_NAME.fullmatch(name) else "a value" for name in unknown]
        raise ValueError(
            f"skip_endpoints contains {', '.join(shown)}, which is not an endpoint: "
            f"use names of {', '.join(known)}, separated by commas."
        )
    if len(names) == len(known):
        raise ValueError("skip_endpoints skips all endpoints, so nothing is synced: remove one.")
    return tuple(endpoint for endpoint in ENDPOINTS if endpoint.name not in names)


SETTINGS = (
    Setting(
        name="bearer_token",
        label="Bearer token",
        description="The LMS Catalog API token that DataCamp issued to your organization, "
        "without the word Bearer.",
        default=None,
        placeholder=None,
        parse=_parse_token,
        is_secret=True,
    ),
    Setting(
        name="base_url",
        label="Base URL",
        description="URL of the API, with a path if there is one; no user name, query or "
        "fragment. Leave it empty for DataCamp's own.",
        default=DEFAULT_BASE_URL,
        placeholder=DEFAULT_BASE_URL,
        parse=_parse_url,
    ),
    Setting(
        name="request_timeout_seconds",
        label="Request timeout in seconds",
        description="How long a request may receive no data, while connecting and between "
        "bytes, before it times out.",
        default=f"{DEFAULT_REQUEST_TIMEOUT_SECONDS:g}",
        placeholder=f"{DEFAULT_REQUEST_TIMEOUT_SECONDS:g}",
        parse=_parse_seconds,
    ),
    Setting(
        name="skip_endpoints",
        label="Endpoints to skip",
        description="Catalogs that your license does not include, separated by commas, of: "
        + ", ".join(endpoint.name for endpoint in ENDPOINTS),
        default="",
        placeholder="custom_tracks",
        parse=_parse_skipped,
    ),
)
