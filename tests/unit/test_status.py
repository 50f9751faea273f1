"""Statuses and headers: which response may be a catalog, which is retried, and the errors."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from multidict import CIMultiDict

from async_client.errors import (
    CHECK_URL,
    NEXT_SYNC,
    FetchError,
    FinalError,
    NotIncludedError,
    RateLimitError,
    TokenRejectedError,
    TransientError,
)
from async_client.status import LOWER_RATE, check_status
from tests.support.fetching import COURSES

NOW = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
URL = "https://api.example/prefix/v1/catalog/live-courses"
ASK_SUPPORT = f"{CHECK_URL}; if both are correct, contact DataCamp's support"
NO_SUCH_CATALOG = (
    f"{CHECK_URL}; if your license does not include courses, add courses to skip_endpoints"
)
NEW_TOKEN = "Check bearer_token: it is wrong, expired or revoked; request a new one from DataCamp"
ASK_FOR_ACCESS = (
    "The token has no access to courses: ask DataCamp for access, or add courses to skip_endpoints"
)
TRUST_IT = "If you trust that address, set base_url to it"
OTHER_PATH = f"{CHECK_URL}: the API is at another path of this host"
HIDDEN = "an address that cannot be shown"


def judged(status, headers=None):
    """Return the failure of a status, or None."""
    try:
        check_status(COURSES, URL, status, CIMultiDict(headers or {}), NOW)
    except FetchError as failure:
        return failure
    return None


def test_most_statuses_are_final():
    """Only a 200 may be a catalog; 408, 425, 429 and every 5xx but two are retried."""
    transient = {408, 425, 429, *range(500, 600)} - {501, 505}
    failures = {status: judged(status) for status in range(100, 600)}
    assert {s for s, f in failures.items() if f is None} == {200}
    assert {s for s, f in failures.items() if isinstance(f, TransientError)} == transient
    assert {s for s, f in failures.items() if isinstance(f, TokenRejectedError)} == {401}


FAILURES = [
    (204, NotIncludedError, "HTTP 204 No Content", NO_SUCH_CATALOG),
    (304, FinalError, "HTTP 304 Not Modified", ASK_SUPPORT),
    (401, TokenRejectedError, "HTTP 401 Unauthorized", NEW_TOKEN),
    (403, NotIncludedError, "HTTP 403 Forbidden", ASK_FOR_ACCESS),
    (404, NotIncludedError, "HTTP 404 Not Found", NO_SUCH_CATALOG),
    (410, NotIncludedError, "HTTP 410 Gone", NO_SUCH_CATALOG),
    (429, RateLimitError, "HTTP 429 Too Many Requests", LOWER_RATE),
    (499, FinalError, "HTTP 499", ASK_SUPPORT),
    (503, TransientError, "HTTP 503 Service Unavailable", NEXT_SYNC),
    (520, TransientError, "HTTP 520", NEXT_SYNC),
]


@pytest.mark.parametrize(("status", "kind", "reason", "advice"), FAILURES)
def test_a_failure_has_the_status_and_an_advice(status, kind, reason, advice):
    failure = judged(status)
    assert (type(failure), failure.reason, failure.advice) == (kind, reason, advice)


@pytest.mark.parametrize("status", [429, 503])
def test_a_transient_status_has_the_wait_that_the_server_requests(status):
    """`Retry-After` is read wherever another attempt follows; a past date requests no wait."""
    headers = ({}, {"Retry-After": "7"}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    assert [judged(status, each).retry_after_seconds for each in headers] == [None, 7, 0]


def test_a_retry_after_of_nothing_does_not_hide_the_reset_of_a_rate_limit():
    waits = {"0": (None, 30), "Wed, 21 Oct 2015 07:28:00 GMT": (None, 30), "5": (5, 30)}
    for value, expected in waits.items():
        limited = judged(429, {"Retry-After": value, "RateLimit": '"default";r=0;t=30'})
        assert (limited.retry_after_seconds, limited.reset_seconds) == expected
    alone = judged(429, {"Retry-After": "0"})
    assert (alone.retry_after_seconds, alone.reset_seconds) == (0, None)


LIMITED = [
    *({"Retry-After": "9"}, {"x-ratelimit-remaining-short": "0"}),
    *({"X-RateLimit-Remaining": "0"}, {"RateLimit-Remaining": "0"}),
    {"RateLimit": "limit=9, remaining=0, reset=30"},
]


@pytest.mark.parametrize("headers", LIMITED)
def test_403_with_a_wait_or_nothing_remaining_is_a_rate_limit(headers):
    """GitHub and others limit the rate with 403: it is retried, and the advice has both fixes."""
    failure = judged(403, headers)
    assert (type(failure), failure.reason) == (RateLimitError, "HTTP 403 Forbidden (rate limit)")
    assert failure.advice == (
        "Sync less often, or run fewer clients with this token; "
        "if the token has no access to courses at all, add courses to skip_endpoints"
    )
    assert type(judged(403, {"X-RateLimit-Remaining": "3"})) is NotIncludedError


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/html; charset=utf-8"}, {"cf-mitigated": "challenge"}]
)
def test_a_403_with_a_page_comes_from_a_firewall_or_proxy(headers):
    """Skipping the endpoint would freeze its table; a rate limit is retried all the same."""
    blocked, limited = judged(403, headers), judged(403, {**headers, "Retry-After": "9"})
    page = "HTTP 403 Forbidden, as a page of a firewall or proxy"
    assert (type(blocked), blocked.reason) == (FinalError, page)
    assert (type(limited), limited.retry_after_seconds) == (RateLimitError, 9)
    operator = "let its operator allow requests from Fivetran"
    advice = f"A firewall or proxy blocked the request, not the API: {operator}"
    assert (blocked.advice, limited.advice) == (advice, advice)
    assert type(judged(403, {"Content-Type": "application/json"})) is NotIncludedError


REDIRECTS = [
    ("https://elsewhere.example/a?token=1", "https://elsewhere.example"),
    ("https://api.example:8443/", "https://api.example:8443"),
    ("http://api.example/v1/catalog/live-courses", "http://api.example"),
    ("//elsewhere.example/a", "https://elsewhere.example"),
    ("/moved", "https://api.example"),
    ("", "https://api.example"),
    ("https://user:hunter2@elsewhere.example/", "https://elsewhere.example"),
    ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"),
    ("https://bücher.example/", "https://bücher.example"),
    ("https://[::1/", HIDDEN),
    ("https://b\udcfccher.example/", HIDDEN),
    ("https://elsewhere.example:0/", HIDDEN),
    ("mailto:hunter2@elsewhere.example", HIDDEN),
    ("https://elsewhere.example:hunter2/", HIDDEN),
]


@pytest.mark.parametrize(("location", "target"), REDIRECTS)
def test_a_redirect_names_scheme_and_host_of_its_target(location, target):
    """The rest of the address may contain a secret; the advice depends on the host."""
    failure = judged(302, {"Location": location})
    unsent = "redirects are not followed, so the token is not sent to another host"
    reason = f"HTTP 302 Found, a redirect to {target}; {unsent}"
    advice = OTHER_PATH if target == "https://api.example" else TRUST_IT
    assert (type(failure), failure.reason, failure.advice) == (FinalError, reason, advice)


def test_only_a_3xx_with_a_location_is_a_redirect():
    """`Location` means something else in other responses, and a 302 needs one."""
    errors = {status: judged(status, {"Location": "/moved"}) for status in range(100, 600)}
    redirects = [status for status, error in errors.items() if error and "redir" in error.reason]
    assert redirects == list(range(300, 400))
    assert (judged(302).reason, judged(302).advice) == ("HTTP 302 Found", ASK_SUPPORT)


def test_the_headers_of_a_200_may_refuse_it():
    """An encoding that was not requested is transient; one page of several is final."""
    encoded, page = judged(200, {"Content-Encoding": "BR"}), judged(200, {"X-Next-Page": "2"})
    assert (type(encoded), type(page)) == (TransientError, FinalError)
    assert encoded.reason == "HTTP 200, but the body is encoded as br, which was not requested"
    partial = "a partial catalog would delete the rest"
    assert page.reason == f"the response is paginated: X-Next-Page is 2; {partial}"
    assert judged(200, {"Content-Encoding": "gzip", "X-Next-Page": ""}) is None
