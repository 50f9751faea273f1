"""Judge a response by its status and headers, before its body is read. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from async_client.errors import (
    CHECK_URL,
    NEXT_SYNC,
    FetchError,
    FinalError,
    NotIncludedError,
    RateLimitError,
    TokenRejectedError,
    TransientError,
    paginated,
    unreadable,
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

# Encodings that some servers use although `Accept-Encoding` does not name them.
UNREQUESTED_ENCODINGS = ("br", "zstd", "compress")


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
    reason = f"HTTP {_status_text(status)}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _rate_limit(reason, LOWER_RATE, headers, now)
    if status == HTTPStatus.FORBIDDEN:
        raise _forbidden(endpoint, reason, headers, now)
    if status in TRANSIENT_STATUSES:
        raise TransientError(reason, NEXT_SYNC, retry_after_seconds(headers, now))
    if 300 <= status < 400 and "Location" in headers:
        raise _redirect(reason, url, headers["Location"])
    raise _FINAL_STATUSES.get(status, _other_status)(endpoint, reason)


def unrequested(encoding: str) -> TransientError:
    """Return the error of a body in an encoding that `Accept-Encoding` does not name."""
    return unreadable(f"the body is encoded as {encoding}, which was not requested")


def out_of_turns(seconds: float) -> FinalError:
    """Return the error of an endpoint that queued for a rate limit until its time was over."""
    reason = f"the rate limit left no time for another attempt within {seconds:g} s"
    return FinalError(reason, LOWER_RATE)


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _rate_limit(
    reason: str, advice: str, headers: Mapping[str, str], now: datetime
) -> RateLimitError:
    reset = rate_limit_reset_seconds(headers, now)
    retry_after = retry_after_seconds(headers, now)
    if reset is not None:
        retry_after = retry_after or None  # 0 and a past date do not hide the reset
    return RateLimitError(reason, advice, retry_after, reset)


def _forbidden(
    endpoint: Endpoint, reason: str, headers: Mapping[str, str], now: datetime
) -> FetchError:
    """Return the error of a 403: of a firewall, of a rate limit, or of a missing permission.

    The API responds with JSON, a firewall or proxy with a page. Cloudflare's has `cf-mitigated`.
    """
    blocked = "cf-mitigated" in headers or "html" in headers.get("Content-Type", "").lower()
    advice = (
        "A firewall or proxy blocked the request, not the API: let its operator allow requests "
        "from Fivetran"
    )
    if is_rate_limit(headers):
        ways_out = f"{LOWER_RATE}; if the token has no access to {endpoint.name} at all, add "
        ways_out += f"{endpoint.name} to skip_endpoints"
        return _rate_limit(f"{reason} (rate limit)", advice if blocked else ways_out, headers, now)
    if blocked:
        return FinalError(f"{reason}, as a page of a firewall or proxy", advice)
    return NotIncludedError(
        reason,
        f"The token has no access to {endpoint.name}: ask DataCamp for access, "
        f"or add {endpoint.name} to skip_endpoints",
    )


def _redirect(reason: str, url: str, location: str) -> FinalError:
    target = _origin(url, location)
    return FinalError(
        f"{reason}, a redirect to {target}; redirects are not followed, "
        "so the token is not sent to another host",
        f"{CHECK_URL}: the API is at another path of this host"
        if target == _origin(url, "")
        else "If you trust that address, set base_url to it",
    )


def _origin(url: str, location: str) -> str:
    """Return scheme, host and port of a redirect's target; the rest may contain a secret."""
    try:
        target = urlsplit(urljoin(url, location))
        readable = target.hostname and target.port != 0 and target.netloc.isprintable()
    except ValueError:  # a port that is not a number, a bracket that is not closed
        readable = False
    if not readable:
        return "an address that cannot be shown"
    return f"{target.scheme}://{target.netloc.rpartition('@')[2]}"


def _unauthorized(_: Endpoint, reason: str) -> FetchError:
    return TokenRejectedError(
        reason,
        "Check bearer_token: it is wrong, expired or revoked; request a new one from DataCamp",
    )


def _not_found(endpoint: Endpoint, reason: str) -> FetchError:
    return NotIncludedError(
        reason,
        f"{CHECK_URL}; if your license does not include {endpoint.name}, "
        f"add {endpoint.name} to skip_endpoints",
    )


def _other_status(_: Endpoint, reason: str) -> FetchError:
    return FinalError(reason, f"{CHECK_URL}; if both are correct, contact DataCamp's support")


_FINAL_STATUSES: Mapping[int, Callable[[Endpoint, str], FetchError]] = {
    204: _not_found,
    401: _unauthorized,
    404: _not_found,
    410: _not_found,
}
