"""What is requested, how often, and the result and events of each endpoint."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from async_client import (
    Catalog,
    CatalogFetched,
    Limits,
    NotIncludedError,
    ResponseReceived,
    RetryScheduled,
    Settings,
    TokenRejectedError,
    probe_all,
)
from async_client.errors import NEXT_SYNC, TransientError
from endpoints import ENDPOINTS
from tests.support.cases import cases
from tests.support.fetching import (
    CATALOGS,
    COURSES,
    NAMES,
    OTHERS,
    QUICK,
    TOKEN,
    crash_report,
    of_courses,
)
from tests.support.mocked_api import (
    BASE_URL,
    MockedApi,
    catalog_reply,
    fetched,
    reply,
)

COURSES_URL = f"{BASE_URL}/v1/catalog/live-courses"
TIMED_OUT = "timed out after {} s in total, retries included"


async def courses_of(limits=QUICK):
    results, _ = await fetched(limits, endpoints=(COURSES,))
    return results["courses"]


async def never(_):
    await asyncio.Event().wait()


async def test_each_endpoint_is_requested_with_the_token_and_no_redirect(api):
    results, _ = await fetched(QUICK, endpoints=ENDPOINTS[::2])
    assert {name: catalog.items() for name, catalog in results.items()} == {
        name: CATALOGS[name] for name in NAMES[::2]
    }
    assert [request.endpoint_name for request in api.requests] == NAMES[::2]
    for request in api.requests:
        assert request.options["headers"]["Authorization"] == f"Bearer {TOKEN}"
        assert not request.options["allow_redirects"]


async def test_six_requests_are_in_flight_at_once(api):
    all_arrived = asyncio.Event()

    async def serve(endpoint_name):
        if api.in_flight == 6:
            all_arrived.set()
        await all_arrived.wait()
        return catalog_reply(endpoint_name)

    api.serve = serve
    results, _ = await fetched(QUICK)
    assert sorted(results) == sorted(NAMES)


async def test_a_request_has_the_silence_limit_and_the_time_left_of_its_endpoint(api, clock):
    """`connect` includes the name lookup; the total shrinks with each attempt and wait."""
    api.replies["courses"] = [reply(503, headers={"Retry-After": "100"})]
    await courses_of(Limits())
    first, second = (request.options["timeout"] for request in api.requests)
    assert first == aiohttp.ClientTimeout(total=600, connect=30, sock_connect=30, sock_read=30)
    assert second.total == pytest.approx(500)


async def test_events_are_the_responses_the_retries_and_the_catalog(api, clock):
    headers = {"X-Request-Id": "7"}
    api.replies["courses"] = [reply(503), reply(200, b"", headers), aiohttp.ClientPayloadError()]
    limits = Limits(wait_caps_seconds=(0.0,) * 5, endpoint_seconds=600.0)
    results, events = await fetched(limits, endpoints=(COURSES,))
    catalog = results["courses"]
    busy, _, empty, *_ = events
    assert [
        event._replace(headers={}) if isinstance(event, ResponseReceived) else event
        for event in events
    ] == [
        ResponseReceived("courses", 1, 503, {}, 0, 0.0, busy.found),
        RetryScheduled("courses", 1, 6, "HTTP 503 Service Unavailable", 0.0),
        ResponseReceived("courses", 2, 200, {}, 0, 0.0, empty.found),
        RetryScheduled("courses", 2, 6, "HTTP 200, but the body is empty", 0.0),
        RetryScheduled("courses", 3, 6, "the body is corrupt or incomplete", 0.0),
        ResponseReceived("courses", 4, 200, {}, 52, 0.0, catalog),
        CatalogFetched("courses", 2, 52, 0.0, 4),
    ]
    assert catalog.items() == CATALOGS["courses"]
    assert isinstance(busy.found, TransientError)
    assert empty.headers["x-request-id"] == "7"


@cases(
    "name, value",
    {
        "as it is": ("X-Echo", f"Bearer {TOKEN}"),
        "in another case": ("Location", f"https://{TOKEN.upper()}.example/"),
        "percent-encoded": ("Location", "https://a/?" + "".join(f"%{ord(c):02x}" for c in TOKEN)),
    },
)
async def test_a_header_that_contains_the_token_is_dropped(api, name, value):
    api.replies["courses"] = [reply(302, headers={name: value, "X-Other": "seen"})]
    results, (response,) = await fetched(QUICK, endpoints=(COURSES,))
    assert (response.headers.get(name), response.headers["X-Other"]) == (None, "seen")
    assert results["courses"].reason == "HTTP 302 Found"


async def test_the_sixth_failure_is_the_last(api):
    api.replies["courses"] = [reply(500) for _ in range(7)]
    error = await courses_of()
    reason = "HTTP 500 Internal Server Error"
    expected = f"courses: GET {COURSES_URL} failed after 6 attempts: {reason}. {NEXT_SYNC}."
    assert str(error) == expected
    assert (error.endpoint_name, error.url, error.attempts) == ("courses", COURSES_URL, 6)
    assert (error.failure.reason, error.failure.advice) == (reason, NEXT_SYNC)
    assert len(api.requests) == 6


async def test_a_final_failure_costs_its_endpoint_only(api):
    api.replies["courses"] = [reply(404)]
    results, events = await fetched(QUICK)
    error = of_courses(results)
    assert (type(error.failure), error.attempts) == (NotIncludedError, 1)
    catalogs = [event.endpoint_name for event in events if isinstance(event, CatalogFetched)]
    assert sorted(catalogs) == sorted(OTHERS)


async def test_a_401_cancels_all_other_requests(api):
    async def serve(endpoint_name):
        if endpoint_name == "tracks":
            return reply(503, headers={"Retry-After": "20"})
        if endpoint_name == "courses":
            await asyncio.sleep(0)
            return reply(401)
        return await asyncio.Event().wait()

    api.serve = serve
    results, _ = await fetched(Limits())
    assert list(results) == ["courses"]
    assert type(results["courses"].failure) is TokenRejectedError
    assert (len(api.requests), api.in_flight) == (6, 0)


async def test_an_attempt_ends_with_the_time_of_its_endpoint(api, clock):
    api.serve = never
    started = clock.now
    error = await courses_of(Limits())
    assert (error.attempts, error.reason) == (1, TIMED_OUT.format(600))
    assert clock.now - started == pytest.approx(600)


async def test_an_unexpected_error_costs_its_endpoint_only(api):
    bug = ZeroDivisionError("a bug")
    api.replies["courses"] = [bug]
    results, _ = await fetched(QUICK)
    assert of_courses(results) is bug


@pytest.mark.parametrize("last", [catalog_reply("courses"), reply(503)], ids=["200", "503"])
async def test_a_cancellation_during_a_response_is_not_lost(api, last):
    async def serve(_):
        fetching.cancel()
        return last

    api.serve = serve
    fetching = asyncio.create_task(courses_of())
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert len(api.requests) == 1


async def test_the_connection_test_sends_one_request_each(api):
    statuses = {"practices": 403, "projects": 503, "tracks": 401}
    api.replies = {name: [reply(status)] for name, status in statuses.items()}
    api.replies["custom_tracks"] = [reply(200, b"<html>")]
    results = await probe_all(Settings(TOKEN, BASE_URL), QUICK)
    found = {
        name: error and (type(error.failure), str(error).split(": HTTP")[0])
        for name, error in results.items()
    }
    failed = "{0}: GET " + BASE_URL + "/v1/catalog/live-{0} failed after 1 attempt"
    assert found == {
        "assessments": None,
        "practices": (NotIncludedError, failed.format("practices")),
        "projects": (TransientError, failed.format("projects")),
        "custom_tracks": None,
        "tracks": (TokenRejectedError, failed.format("tracks")),
        "courses": None,
    }
    assert [request.endpoint_name for request in api.requests] == NAMES


async def test_the_connection_test_has_a_time_limit(api, clock):
    api.serve = never
    results = await probe_all(Settings(TOKEN, BASE_URL, endpoints=ENDPOINTS[4:]), Limits())
    reasons = {name: error.reason for name, error in results.items()}
    assert reasons == dict.fromkeys(["tracks", "courses"], TIMED_OUT.format(600))


async def test_only_https_reads_ca_certificates(mocked, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    MockedApi(mocked, "http://api.example")
    results, _ = await fetched(QUICK, "http://api.example")
    assert {type(result) for result in results.values()} == {Catalog}
    with pytest.raises(ValueError, match=r"^SSL_CERT_FILE is .* \(No such file or directory\)"):
        await probe_all(Settings(TOKEN, "HTTPS://api.example"), QUICK)


async def test_a_proxy_of_the_environment_is_used(api, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    await courses_of()
    assert [request.options["proxy"] for request in api.requests] == ["http://proxy:3128"]


async def test_an_unusable_proxy_is_final_and_not_shown(api, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:hunter2@127.0.0.1:1")
    error = await courses_of()
    assert (error.attempts, len(api.requests)) == (1, 0)
    assert "hunter2" not in crash_report(error)
