"""The HTTP edge: what is sent, how often, and the result of each response."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import Future

import pytest

from async_client import (
    CatalogFetched,
    Limits,
    NotIncludedError,
    ResponseReceived,
    RetryScheduled,
    Settings,
    TokenRejectedError,
    client,
    probe_all,
)
from async_client.client import fetch_all
from async_client.errors import NEXT_SYNC, TransientError
from async_client.status import LOWER_RATE
from endpoints import ENDPOINTS
from tests.support.fetching import (
    CATALOGS,
    COURSES,
    NAMES,
    OTHERS,
    PATHS,
    QUICK,
    TOKEN,
    crash_report,
    misbehave,
    of_courses,
    replying,
)


async def fetched(base_url, limits=QUICK, endpoints=ENDPOINTS):
    """Fetch all; return the catalog or error of each endpoint, and the events."""
    futures = {endpoint.name: Future() for endpoint in endpoints}
    events = []
    settings = Settings(TOKEN, base_url, endpoints=endpoints)
    await fetch_all(settings, limits, dict(futures), events.append)
    results = {name: future.exception(0) or future.result(0) for name, future in futures.items()}
    return results, [event for event in events if not isinstance(event, ResponseReceived)]


async def courses_of(base_url, limits=QUICK):
    """Fetch the courses alone; return the catalog or the error."""
    results, _ = await fetched(base_url, limits, (COURSES,))
    return results["courses"]


async def test_each_endpoint_is_requested_once_with_these_headers(server):
    """A path in base_url precedes that of the endpoint; skipped endpoints get no request."""
    results, _ = await fetched(f"{server.base_url}/lms%20api", endpoints=ENDPOINTS[::2])
    assert list(results) == NAMES[::2]
    assert results["tracks"].url == f"{server.base_url}/lms%20api/v1/catalog/live-tracks"
    paths = [f"/lms api{PATHS[name]}" for name in results]
    assert sorted(server.requests.endpoint_names) == sorted(paths)
    headers = {
        "Host": server.base_url.removeprefix("http://"),
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": "datacamp-catalog-connector/1.0.0",
    }
    assert [dict(request.headers) for request in server.requests.arrived] == [headers] * 3


async def test_cookies_are_not_kept(server, monkeypatch):
    """A retry sends none; the mock server is the proxy, as cookies need a host name."""
    misbehave(server, (replying(503, headers={"Set-Cookie": "sticky=1"}), 1))
    monkeypatch.setenv("HTTP_PROXY", server.base_url)
    assert (await courses_of("http://catalog.invalid")).items() == CATALOGS["courses"]
    sent = [(r.headers["Host"], "Cookie" in r.headers) for r in server.requests.arrived]
    assert sent == [("catalog.invalid", False)] * 2


@pytest.mark.parametrize("name", ["HTTP_PROXY", "NO_PROXY"])
async def test_netrc_is_never_read(server, tmp_path, monkeypatch, name):
    """An entry for the host never replaces the token, with or without a proxy."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password hunter2\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv(name, server.base_url)
    assert (await courses_of(server.base_url)).items() == CATALOGS["courses"]
    (request,) = server.requests.arrived
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


async def test_only_https_reads_ca_certificates(server, monkeypatch, tmp_path):
    """An unusable variable does not affect http; over https, in any case, no request is sent."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    assert (await courses_of(server.base_url)).items() == CATALOGS["courses"]
    with pytest.raises(ValueError, match=r"^SSL_CERT_FILE is .* \(No such file or directory\)"):
        await probe_all(Settings(TOKEN, "HTTPS://127.0.0.1:1"), QUICK)


async def test_retries_and_catalogs_are_events(server):
    """Each retry is an event with its reason and wait; a catalog, with size, time and attempts."""
    misbehave(server, ("503", 1), ("empty", 1))
    results, (*retries, fetched_event) = await fetched(server.base_url, endpoints=(COURSES,))
    assert results["courses"].items() == CATALOGS["courses"]
    assert retries == [
        RetryScheduled("courses", 1, 6, "HTTP 503 Service Unavailable", 0.0),
        RetryScheduled("courses", 2, 6, "HTTP 200, but the body is empty", 0.0),
    ]
    byte_count = len('{"data":[{"id":"courses-1"},{"id":"courses-2"}]}')
    assert fetched_event == CatalogFetched("courses", 2, byte_count, fetched_event.seconds, 3)
    assert 0 < fetched_event.seconds < 30


async def test_the_sixth_failure_is_the_last(server):
    """The error of an endpoint names its URL, the attempts, the last reason and the advice."""
    misbehave(server, ("500", None))
    error = await courses_of(server.base_url)
    url = f"{server.base_url}/v1/catalog/live-courses"
    reason = "HTTP 500 Internal Server Error"
    assert str(error) == f"courses: GET {url} failed after 6 attempts: {reason}. {NEXT_SYNC}."
    assert (error.endpoint_name, error.url, error.attempts) == ("courses", url, 6)
    assert (error.reason, error.advice) == (reason, NEXT_SYNC)
    assert len(server.requests.arrived) == 6


async def test_a_final_failure_costs_its_endpoint_only(server):
    """One endpoint fails after one attempt, and the other five arrive."""
    misbehave(server, ("404", None))
    results, events = await fetched(server.base_url)
    error = of_courses(results)
    assert (type(error.failure), error.attempts) == (NotIncludedError, 1)
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)
    assert sorted(event.endpoint_name for event in events) == sorted(OTHERS)


async def test_the_first_401_is_the_error_of_every_endpoint(server):
    """Six rejections at once are one error."""
    server.set_faults("all=401")
    results, events = await fetched(server.base_url)
    assert {*map(id, results.values())} == {id(results["courses"])}
    assert (type(results["courses"].failure), events) == (TokenRejectedError, [])


async def test_a_wait_beyond_the_time_left_is_named(server):
    """A `Retry-After` that does not fit ends the attempts at once and is part of the reason."""
    misbehave(server, ("retry-after-30", None))
    error = await courses_of(server.base_url)
    wait = "its Retry-After of 30 s exceeds the time left for retries"
    reason = f"HTTP 429 Too Many Requests; {wait}"
    assert (error.attempts, error.reason, error.advice) == (1, reason, LOWER_RATE)


@pytest.mark.parametrize("kind", ["stall-headers", "stall-body", "drip"])
async def test_an_attempt_ends_with_the_time_of_its_endpoint(server, kind):
    """No attempt outlasts the time limit of its endpoint, and none follows."""
    misbehave(server, (kind, None))
    error = await courses_of(server.base_url, Limits((0.0,) * 5, endpoint_seconds=0.1))
    reason = "timed out after 0.1 s in total, retries included"
    assert (error.attempts, error.reason) == (1, reason)


async def test_an_unexpected_error_costs_its_endpoint_only(server, monkeypatch):
    """The future of the catalog raises it, and the others arrive."""
    bug, judge = ZeroDivisionError("a bug"), client.judge

    def broken(endpoint, *arguments):
        if endpoint is COURSES:
            raise bug
        return judge(endpoint, *arguments)

    monkeypatch.setattr(client, "judge", broken)
    results, _ = await fetched(server.base_url)
    assert of_courses(results) is bug


@pytest.mark.parametrize("kind", ["empty-list", "503"])
async def test_a_cancellation_during_a_response_is_not_lost(server, monkeypatch, kind):
    """Fetching that is cancelled as a response arrives ends, and sends no other request."""
    judge = client.judge

    def cancel(*arguments):
        fetching.cancel()
        return judge(*arguments)

    monkeypatch.setattr(client, "judge", cancel)
    misbehave(server, (kind, None))
    fetching = asyncio.create_task(courses_of(server.base_url))
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert len(server.requests.arrived) == 1


async def test_the_probe_sends_one_request_and_reads_no_body(server):
    """A transient failure is returned as an error too, and an invalid body is no failure."""
    server.set_faults("practices=403", "projects=503", "tracks=401", "custom_tracks=html")
    server.hold("courses", after_half=True)
    results = await probe_all(Settings(TOKEN, server.base_url), QUICK)
    found = {
        name: error and (type(error.failure), error.attempts) for name, error in results.items()
    }
    assert found == {
        "assessments": None,
        "practices": (NotIncludedError, 1),
        "projects": (TransientError, 1),
        "custom_tracks": None,
        "tracks": (TokenRejectedError, 1),
        "courses": None,
    }
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


async def test_the_probe_has_a_time_limit(server):
    """An endpoint that never responds is reported, and skipped ones are not requested."""
    server.hold("courses")
    settings = Settings(TOKEN, server.base_url, endpoints=ENDPOINTS[4:])
    results = await probe_all(settings, Limits(endpoint_seconds=0.2))
    reasons = {name: error and error.reason for name, error in results.items()}
    timed_out = "timed out after 0.2 s in total, retries included"
    assert reasons == {"tracks": None, "courses": timed_out}


@pytest.mark.parametrize(
    "proxy", ["socks5://user:hunter2@127.0.0.1:1", "http://user:hunter2@127.0.0.1:bad"]
)
async def test_an_unusable_proxy_is_final_and_not_shown(monkeypatch, proxy):
    """The address may contain a password, so it is in no part of the error."""
    monkeypatch.setenv("HTTP_PROXY", proxy)
    error = await courses_of("http://api.example")
    assert error.attempts == 1
    assert error.reason.startswith("base_url or the proxy URL is invalid (")
    assert "hunter2" not in crash_report(error)


async def test_a_proxy_that_is_down_is_retried(monkeypatch):
    """A failed connection to the proxy is like one to the server; its password is not shown."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"user:hunter2@127.0.0.1:{closed.getsockname()[1]}")
        error = await courses_of("http://api.example")
    reason = "the proxy cannot be reached (Connection refused)"
    assert (error.attempts, error.reason) == (6, reason)
    assert [secret for secret in (TOKEN, "hunter2") if secret in crash_report(error)] == []
