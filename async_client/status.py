"""Judge a response by its status and headers, before its body is read. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from async_client.errors import (
    CHECK_URL,
    NEXT_SYNC,
    UNREQUESTED_ENCODINGS,
    FinalError,
    NotIncludedError,
    RateLimitError,
    TokenRejectedError,
    TransientError,
    paginated,
    unrequested,
)
from async_client.evidence import find_evidence
from async_client.requested_wait import (
    is_rate_limit,
    rate_limit_reset_seconds,
    retry_after_seconds,
)
from endpoints import Endpoint

# Proxies and CDNs have 5xx statuses of their own, such as 520. 501 and 505 are permanent.
TRANSIENT_STATUSES = frozenset({408, 425, 429, *range(500, 600)} - {501, 505})

LOWER_RATE = "Sync less often, or run fewer clients with this token"
_FIREWALL = (
    "A firewall or proxy blocked the request, not the API: "
    "let its operator allow requests from Fivetran"
)
_PHRASES = {status.value: f" {status.phrase}" for status in HTTPStatus}


def check_status(
    endpoint: Endpoint, url: str, status: int, headers: Mapping[str, str], now: datetime
) -> None:
    """Return if the body is to be read as a catalog; else raise the FetchError of the status.

    A 200 is refused for an encoding that was not requested, or headers that report more pages.
    """
    if status == HTTPStatus.OK:
        encoding = headers.get("Content-Encoding", "").strip().lower()
        if encoding in UNREQUESTED_ENCODINGS:
            raise unrequested(encoding)
        if pages := find_evidence({}, headers).pages:
            raise paginated(pages)
        return
    reason = f"HTTP {status}{_PHRASES.get(status, '')}"
    # 1. Some servers, such as GitHub, limit the rate with a 403.
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _rate_limit(reason, LOWER_RATE, headers, now)
    if status == HTTPStatus.FORBIDDEN:
        _check_forbidden(endpoint, reason, headers, now)
    # 2. Another attempt may succeed.
    if status in TRANSIENT_STATUSES:
        raise TransientError(reason, NEXT_SYNC, retry_after_seconds(headers, now))
    # 3. It cannot succeed.
    if 300 <= status < 400 and "Location" in headers:
        raise _redirect(reason, url, headers["Location"])
    raise _final(endpoint, status, reason)


def out_of_turns(seconds: float) -> FinalError:
    """Return the error of an endpoint that queued for a rate limit until its time was over."""
    reason = f"the rate limit left no time for another attempt within {seconds:g} s"
    return FinalError(reason, LOWER_RATE)


def _check_forbidden(
    endpoint: Endpoint, reason: str, headers: Mapping[str, str], now: datetime
) -> None:
    """Raise the error of a 403 that is a rate limit, or comes from a firewall or proxy.

    The API responds with JSON, a firewall or proxy with a page. Cloudflare's has `cf-mitigated`.
    """
    is_page = "cf-mitigated" in headers or "html" in headers.get("Content-Type", "").lower()
    if is_rate_limit(headers):
        advice = (
            f"{LOWER_RATE}; if the token has no access to {endpoint.name} at all, "
            f"add {endpoint.name} to skip_endpoints"
        )
        reason = f"{reason} (rate limit)"
        raise _rate_limit(reason, _FIREWALL if is_page else advice, headers, now)
    if is_page:
        raise FinalError(f"{reason}, as a page of a firewall or proxy", _FIREWALL)


def _final(endpoint: Endpoint, status: int, reason: str) -> FinalError:
    skip = f"add {endpoint.name} to skip_endpoints"
    renew = "it is wrong, expired or revoked; request a new one from DataCamp"
    access = f"ask DataCamp for access, or {skip}"
    not_found = f"{CHECK_URL}; if your license does not include {endpoint.name}, {skip}"
    failures: Mapping[int, tuple[type[FinalError], str]] = {
        204: (NotIncludedError, not_found),
        401: (TokenRejectedError, f"Check bearer_token: {renew}"),
        403: (NotIncludedError, f"The token has no access to {endpoint.name}: {access}"),
        404: (NotIncludedError, not_found),
        410: (NotIncludedError, not_found),
    }
    other = FinalError, f"{CHECK_URL}; if both are correct, contact DataCamp's support"
    kind, advice = failures.get(status, other)
    return kind(reason, advice)


def _rate_limit(
    reason: str, advice: str, headers: Mapping[str, str], now: datetime
) -> RateLimitError:
    reset = rate_limit_reset_seconds(headers, now)
    retry_after = retry_after_seconds(headers, now)
    if reset is not None:
        retry_after = retry_after or None  # 0 and a past date do not hide the reset
    return RateLimitError(reason, advice, retry_after, reset)


def _redirect(reason: str, url: str, location: str) -> FinalError:
    origin, target = _origin(url, ""), _origin(url, location)
    advice = "If you trust that address, set base_url to it"
    if target == origin:
        advice = f"{CHECK_URL}: the API is at another path of this host"
    return FinalError(
        f"{reason}, a redirect to {target}; redirects are not followed, "
        "so the token is not sent to another host",
        advice,
    )


def _origin(url: str, location: str) -> str:
    """Return scheme, host and port of a redirect's target; the rest may contain a secret."""
    try:
        target = urlsplit(urljoin(url, location))
        if target.hostname and target.port != 0 and target.netloc.isprintable():
            return f"{target.scheme}://{target.netloc.rpartition('@')[2]}"
    except ValueError:  # a port that is not a number, a bracket that is not closed
        pass
    return "an address that cannot be shown"
