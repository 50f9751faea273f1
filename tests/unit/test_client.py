"""The HTTP edge: what is sent, over which proxy and roots, and what each answer comes to."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
import threading
import traceback
from concurrent.futures import Future
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import Mock

import aiohttp
import certifi
import msgspec
import pytest
from aiohttp import web
from aioresponses import CallbackResult, aioresponses

from async_client import (
    CatalogFetched,
    EndpointError,
    Limits,
    RetryScheduled,
    Settings,
    TokenRefusedError,
    decode_item,
    probe_all,
)
from async_client.client import _proxy, _tls_context, fetch_all
from async_client.errors import NoSuchCatalogError
from endpoints import ENDPOINTS
from mock_api.faults import Fault
from mock_api.serving import serving
from tests.support.tls import self_signed, serving_tls

TOKEN = "t0ken-for-tests"
BASE = "http://api.example/prefix"
PATHS = {endpoint.name: endpoint.path for endpoint in ENDPOINTS}
NAMES = list(PATHS)
COURSES = ENDPOINTS[-1:]
QUICK = Limits(wait_caps_seconds=(0.0,) * 5, rate_limit_wait_seconds=0.0)

NEXT_SYNC = "DataCamp's service has trouble; the next sync asks again"
CHECK_NETWORK = "Check base_url, the network and the proxy if there is one"
CHECK_PROXY = "Check base_url and HTTPS_PROXY; a proxy must be http:// or https://"
RAISE_TIMEOUT = f"{CHECK_NETWORK}, or raise request_timeout_seconds"
TOO_SLOW = "The network or DataCamp's service is too slow; the next sync asks again"
UNTRUSTED = "the server's TLS certificate is not trusted: "
NAME_THE_ROOT = (
    "Check base_url; for a proxy with a certificate of its own, "
    "set REQUESTS_CA_BUNDLE to the file that holds its root"
)


class Answer(aiohttp.ClientResponse):
    """A response that needs no connection; aioresponses does not know of `stream_writer`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"stream_writer": Mock(), **kwargs})


class Api:
    """The API without a socket: answers by endpoint, and the requests made."""

    def __init__(self, mocked):
        self.mocked = mocked

    def answer(self, endpoint_name, *answers):
        """Give these answers in turn, the last one for ever."""
        url = BASE + PATHS[endpoint_name]
        for answer in answers[:-1]:
            self.mocked.get(url, response_class=Answer, **answer)
        self.mocked.get(url, response_class=Answer, repeat=True, **answers[-1])

    def answer_all(self, **others):
        """Give a catalog of one item for each endpoint but these."""
        for name in NAMES:
            self.answer(name, others.get(name, {"payload": {"data": [{"id": name}]}}))

    @property
    def requests(self):
        """The number of requests by endpoint."""
        asked = {str(url): calls for (_, url), calls in self.mocked.requests.items()}
        return {name: len(asked.get(BASE + path, ())) for name, path in PATHS.items()}


@pytest.fixture
def api():
    """Keep requests away from the network."""
    with aioresponses() as mocked:
        yield Api(mocked)


@pytest.fixture
def server():
    """Run a stand-in with one course."""
    with serving({"courses": [{"id": "course-1"}]}, token=TOKEN) as running:
        yield running


async def fetched(settings, limits=QUICK):
    """Fetch all; gives what became of each endpoint, and the events told."""
    futures = {endpoint.name: Future() for endpoint in settings.endpoints}
    events = []
    await fetch_all(settings, limits, dict(futures), events.append)
    results = {name: future.exception(0) or future.result(0) for name, future in futures.items()}
    return results, events


async def courses_of(base_url=BASE, limits=QUICK):
    """Fetch the courses alone; gives the catalog or the error."""
    results, _ = await fetched(Settings(TOKEN, base_url, endpoints=COURSES), limits)
    return results["courses"]


def items_of(catalog):
    """Decode the items of a catalog."""
    return [decode_item(item) for item in catalog.items]


def crash_report(error):
    """Give all that a reporter of crashes could show: the chain, the frames, their variables."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(shown.format())


# Requests and answers, without a socket


async def test_each_endpoint_is_asked_once_at_its_url(api):
    """The path is appended to base_url with its prefix; no redirect is followed."""
    api.answer_all()
    await fetched(Settings(TOKEN, BASE))
    calls = api.mocked.requests
    assert [(method, str(url)) for method, url in calls] == [
        ("GET", BASE + path) for path in PATHS.values()
    ]
    for (call,) in calls.values():
        assert call.kwargs.pop("headers")["Authorization"] == f"Bearer {TOKEN}"
        assert call.kwargs == {"allow_redirects": False, "proxy": None}


async def test_skipped_endpoints_are_not_asked(api):
    """Only the endpoints of the settings are requested."""
    api.answer_all()
    results, _ = await fetched(Settings(TOKEN, BASE, endpoints=ENDPOINTS[::2]))
    assert list(results) == NAMES[::2]
    assert [name for name, number in api.requests.items() if number] == NAMES[::2]


async def test_a_catalog_says_what_it_took(api):
    """Items, undecoded, with the size of the body, the time and the tries."""
    api.answer("courses", {"body": b'{"data":[{"id":"course-1"},{"id":"course-2"}]}'})
    catalog = await courses_of()
    assert [bytes(item) for item in catalog.items] == [b'{"id":"course-1"}', b'{"id":"course-2"}']
    assert {type(item) for item in catalog.items} == {msgspec.Raw}
    assert (catalog.byte_count, catalog.attempts) == (46, 1)
    assert 0 <= catalog.seconds < 10


async def test_retries_and_arrivals_are_told(api):
    """Each wait is an event with its try, reason and length, and so is each catalog."""
    broken = aiohttp.ClientPayloadError("broken")
    api.answer(
        "courses",
        {"status": 503},
        {"exception": broken},
        {"body": b""},
        {"body": b'[{"id": 1}, {"id": 2}]'},
    )
    results, events = await fetched(Settings(TOKEN, BASE, endpoints=COURSES))
    assert items_of(results["courses"]) == [{"id": 1}, {"id": 2}]
    assert results["courses"].attempts == api.requests["courses"] == 4
    assert events == [
        RetryScheduled("courses", 1, 6, "the server answers 503 Service Unavailable", 0.0),
        RetryScheduled("courses", 2, 6, "the body is broken or cut off", 0.0),
        RetryScheduled("courses", 3, 6, "HTTP 200, but the body is empty", 0.0),
        CatalogFetched("courses", results["courses"]),
    ]


async def test_six_tries_are_all(api):
    """An endpoint that never recovers is asked six times, and its error is a whole account."""
    api.answer("courses", {"status": 500})
    results, events = await fetched(Settings(TOKEN, BASE, endpoints=COURSES))
    error = results["courses"]
    reason = "the server answers 500 Internal Server Error"
    assert str(error) == (
        f"courses: GET {BASE}/v1/catalog/live-courses failed after 6 tries: {reason}. {NEXT_SYNC}."
    )
    assert vars(error) == {
        "endpoint_name": "courses",
        "url": f"{BASE}/v1/catalog/live-courses",
        "attempts": 6,
        "reason": reason,
        "advice": NEXT_SYNC,
    }
    assert api.requests["courses"] == 6
    assert events == [RetryScheduled("courses", number, 6, reason, 0.0) for number in range(1, 6)]


@pytest.mark.parametrize("status", [400, 403, 404, 501])
async def test_a_final_failure_costs_its_endpoint_only(api, status):
    """One endpoint fails after one try, the other five arrive."""
    api.answer_all(tracks={"status": status})
    results, events = await fetched(Settings(TOKEN, BASE))
    error = results.pop("tracks")
    kind = NoSuchCatalogError if status in (403, 404) else EndpointError
    assert (type(error), error.attempts) == (kind, 1)
    assert {name: items_of(catalog) for name, catalog in results.items()} == {
        name: [{"id": name}] for name in results
    }
    assert api.requests == dict.fromkeys(NAMES, 1)
    assert events == [CatalogFetched(name, catalog) for name, catalog in results.items()]


async def test_a_refused_token_cancels_all_that_is_in_flight(api):
    """One 401 is the answer to every open request; what arrived before it stays."""
    cancelled = []

    async def never(url, **_):
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            cancelled.append(url.path.rpartition("live-")[2])
            raise

    api.answer_all(
        practices={"callback": never}, courses={"status": 401}, tracks={"callback": never}
    )
    results, events = await fetched(Settings(TOKEN, BASE))
    arrived = ["assessments", "projects", "custom_tracks"]
    refused = [results[name] for name in ("practices", "tracks", "courses")]
    assert [event.endpoint_name for event in events] == arrived
    assert [items_of(results[name]) for name in arrived] == [[{"id": name}] for name in arrived]
    assert refused == [results["courses"]] * 3
    assert (type(refused[0]), refused[0].endpoint_name) == (TokenRefusedError, "courses")
    assert cancelled == ["practices", "tracks"]


async def test_every_401_after_the_first_is_the_same_news(api):
    """Six refusals at once are one."""
    api.answer_all(**{name: {"status": 401} for name in NAMES})
    results, events = await fetched(Settings(TOKEN, BASE))
    assert list(results.values()) == [results["assessments"]] * 6
    assert type(results["assessments"]) is TokenRefusedError
    assert events == []


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), RecursionError("a deep one")])
async def test_an_error_that_nobody_expects_is_handed_over(api, error):
    """Whoever waits for the catalog gets the error itself, at once, and the others arrive."""
    api.answer_all(projects={"exception": error})
    results, _ = await fetched(Settings(TOKEN, BASE))
    assert results["projects"] is error
    assert api.requests == dict.fromkeys(NAMES, 1)
    assert sum(isinstance(result, Exception) for result in results.values()) == 1


async def test_an_error_in_telling_is_handed_over(api):
    """A catalog whose arrival cannot be told is not waited for in vain."""
    api.answer_all()
    futures = {name: Future() for name in NAMES}

    def on_event(event):
        if event.endpoint_name == "tracks":
            raise ZeroDivisionError

    await fetch_all(Settings(TOKEN, BASE), QUICK, dict(futures), on_event)
    assert type(futures.pop("tracks").exception(0)) is ZeroDivisionError
    assert all(future.exception(0) is None for future in futures.values())


@pytest.mark.parametrize("status", [200, 503])
async def test_being_cancelled_is_never_missed(api, status):
    """A fetching that is cancelled in the moment of an answer ends, and asks no more."""

    async def cancel(_, **__):
        fetching.cancel()
        return CallbackResult(status=status, body="[]", response_class=Answer)

    api.answer("courses", {"callback": cancel})
    fetching = asyncio.create_task(courses_of())
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert api.requests["courses"] == 1


@pytest.mark.parametrize(
    ("seconds", "told"),
    [("99999", "99999 s"), ("600", "600 s"), ("9" * 400, "inf s")],
    ids=["days", "all the time", "endless"],
)
async def test_a_wait_too_long_is_named(api, seconds, told):
    """A `Retry-After` that does not fit ends the tries at once and is part of the reason."""
    api.answer("courses", {"status": 429, "headers": {"Retry-After": seconds}})
    error = await courses_of()
    reason = "the server answers 429 Too Many Requests and asks to wait"
    assert error.reason == f"{reason} {told}, longer than this sync waits"
    assert (error.attempts, error.advice) == (1, NEXT_SYNC)


async def test_a_wait_that_fits_is_made(api, monkeypatch):
    """A `Retry-After` is waited for in full, but for the last, which no try would follow."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    api.answer("courses", {"status": 503, "headers": {"Retry-After": "42"}})
    error = await courses_of()
    assert slept == [42, 42, 42, 42, 42]
    assert (error.attempts, error.reason) == (6, "the server answers 503 Service Unavailable")


async def test_the_time_of_an_endpoint_cuts_a_try(api):
    """A try that runs when the time is up is over, and no other follows."""

    async def never(_, **__):
        await asyncio.Future()

    api.answer("courses", {"callback": never})
    error = await courses_of(limits=Limits((0.0,) * 5, endpoint_seconds=0.01))
    assert (error.attempts, error.reason, error.advice) == (
        1,
        "it was not complete after 0.01 s, tries and waits included",
        TOO_SLOW,
    )


# What the network does, as aiohttp says it


def request_info():
    """Make what aiohttp hangs on its errors, token included."""
    return SimpleNamespace(real_url=BASE, headers={"Authorization": f"Bearer {TOKEN}"})


def certificate_error(verify_message):
    """Make what a failed handshake raises."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = verify_message
    return aiohttp.ClientConnectorCertificateError(None, error)


REFUSED = OSError(111, "Connection refused")
TRANSIENT = [
    (
        aiohttp.ConnectionTimeoutError("Connection timeout"),
        "nothing was heard for 30 s",
        RAISE_TIMEOUT,
    ),
    (
        aiohttp.SocketTimeoutError("Timeout on reading data"),
        "nothing was heard for 30 s",
        RAISE_TIMEOUT,
    ),
    (
        asyncio.TimeoutError(),
        "it was not complete after 600 s, tries and waits included",
        TOO_SLOW,
    ),
    (
        aiohttp.ClientConnectorDNSError(None, socket.gaierror(-2, "Name or service not known")),
        "the host name is not known (Name or service not known)",
        CHECK_NETWORK,
    ),
    (
        aiohttp.ClientConnectorSSLError(None, ssl.SSLError(1, "wrong version number")),
        "the TLS handshake failed (wrong version number)",
        CHECK_NETWORK,
    ),
    (
        aiohttp.ClientProxyConnectionError(None, REFUSED),
        "the proxy cannot be reached (Connection refused)",
        CHECK_NETWORK,
    ),
    (
        aiohttp.ClientHttpProxyError(request_info(), (), status=502, message="Bad Gateway"),
        "the proxy refuses to connect",
        CHECK_NETWORK,
    ),
    (
        aiohttp.ClientConnectorError(None, REFUSED),
        "no connection (Connection refused)",
        CHECK_NETWORK,
    ),
    (
        aiohttp.ClientConnectorError(None, OSError("Multiple exceptions")),
        "no connection",
        CHECK_NETWORK,
    ),
    (
        aiohttp.ServerDisconnectedError(),
        "the server hung up without an answer",
        CHECK_NETWORK,
    ),
    (aiohttp.ClientPayloadError("broken"), "the body is broken or cut off", CHECK_NETWORK),
    (
        aiohttp.ClientResponseError(request_info(), (), status=400, message="Bad chunk"),
        "the answer breaks the rules of HTTP",
        CHECK_NETWORK,
    ),
    (
        aiohttp.ClientOSError(104, "Connection reset by peer"),
        "the connection broke (Connection reset by peer)",
        CHECK_NETWORK,
    ),
    (
        aiohttp.ClientConnectionResetError("Cannot write to closing transport"),
        "the answer broke off (ClientConnectionResetError)",
        CHECK_NETWORK,
    ),
    (ConnectionResetError(), "the connection broke (ConnectionResetError)", CHECK_NETWORK),
    (OSError(24, "Too many open files"), "the connection broke (OSError)", CHECK_NETWORK),
]
FINAL = [
    (
        certificate_error("self-signed certificate"),
        f"{UNTRUSTED}self-signed certificate",
        NAME_THE_ROOT,
    ),
    (
        certificate_error("IP address mismatch, it is not valid for '127.0.0.1'."),
        f"{UNTRUSTED}IP address mismatch, it is not valid for '127.0.0.1'",
        NAME_THE_ROOT,
    ),
    (
        aiohttp.ClientConnectorCertificateError(None, ValueError()),
        f"{UNTRUSTED}it does not fit the host",
        NAME_THE_ROOT,
    ),
    (
        aiohttp.ClientHttpProxyError(request_info(), (), status=407, message="Authenticate"),
        "the proxy wants a user name and password",
        "Put them into HTTPS_PROXY",
    ),
    (
        aiohttp.InvalidURL("http://a:hunter2"),
        "no request can be made of the address or its proxy (InvalidURL)",
        CHECK_PROXY,
    ),
    (
        ValueError("Only http proxies are supported"),
        "no request can be made of the address or its proxy (ValueError)",
        CHECK_PROXY,
    ),
]


def named(value):
    """Make the id of a case from its exception."""
    return type(value).__name__ if isinstance(value, Exception) else ""


@pytest.mark.parametrize(
    ("error", "reason", "advice", "tries"),
    [(*case, 6) for case in TRANSIENT] + [(*case, 1) for case in FINAL],
    ids=named,
)
async def test_what_the_network_does_is_told_in_other_words(api, error, reason, advice, tries):
    """Each error of aiohttp has a reason, an advice and its number of tries, and is left behind.

    Its text, its request and its chain know the token or a password; ours do not.
    """
    api.answer("courses", {"exception": error})
    failure = await courses_of()
    assert (failure.reason, failure.advice) == (reason, advice)
    assert failure.attempts == api.requests["courses"] == tries
    assert (failure.__cause__, failure.__context__) == (None, None)
    for secret in (TOKEN, "hunter2"):
        assert secret not in crash_report(failure)
        assert secret not in repr(failure)


# The connection test


async def test_the_probe_asks_each_endpoint_once(api):
    """What is wrong with an endpoint is its value, also where another try might help."""
    api.answer_all(
        practices={"status": 403},
        projects={"status": 503},
        custom_tracks={"exception": aiohttp.ServerDisconnectedError()},
        tracks={"status": 401},
    )
    results = await probe_all(Settings(TOKEN, BASE), QUICK)
    told = {
        name: error
        and (type(error), error.url == BASE + PATHS[name], error.attempts, error.reason)
        for name, error in results.items()
    }
    assert told == {
        "assessments": None,
        "practices": (NoSuchCatalogError, True, 1, "the server answers 403 Forbidden"),
        "projects": (EndpointError, True, 1, "the server answers 503 Service Unavailable"),
        "custom_tracks": (EndpointError, True, 1, "the server hung up without an answer"),
        "tracks": (TokenRefusedError, True, 1, "the server answers 401 Unauthorized"),
        "courses": None,
    }
    assert api.requests == dict.fromkeys(NAMES, 1)


async def test_the_probe_leaves_skipped_endpoints_alone(api):
    """What the license does not include is no problem to report."""
    api.answer_all()
    assert await probe_all(Settings(TOKEN, BASE, endpoints=COURSES), QUICK) == {"courses": None}
    assert sum(api.requests.values()) == 1


async def test_the_probe_reads_no_body(server):
    """Six answers that keep their second half back are answers."""
    for name in NAMES:
        server.hold(name, after_half=True)
    assert await probe_all(Settings(TOKEN, server.base_url), QUICK) == dict.fromkeys(NAMES)
    await asyncio.to_thread(server.requests.wait_until, lambda requests: requests.in_flight == 0)


async def test_the_probe_judges_no_body(server):
    """Whether the body is a catalog is the sync's to find out."""
    server.set_faults("all=html")
    assert await probe_all(Settings(TOKEN, server.base_url), QUICK) == dict.fromkeys(NAMES)


async def test_the_probe_has_its_time(server):
    """An endpoint that never answers is reported when the time is up."""
    server.set_faults("courses=stall-headers")
    results = await probe_all(Settings(TOKEN, server.base_url), Limits(endpoint_seconds=0.2))
    assert "it was not complete after 0.2 s" in results.pop("courses").reason
    assert set(results.values()) == {None}


# Over real sockets


def misbehave(server, endpoint_name, respond, times=None):
    """Let an endpoint respond in a way that the stand-in has no name for."""
    server.set_faults(Fault((endpoint_name,), respond, times))


async def test_the_headers_are_these_and_no_others(server):
    """Token, JSON, gzip or deflate, and who asks."""
    await fetched(Settings(TOKEN, server.base_url))
    assert [dict(request.headers) for request in server.requests.arrived] == [
        {
            "Host": server.base_url.removeprefix("http://"),
            "Authorization": f"Bearer {TOKEN}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": "datacamp-catalog-connector/1.0.0",
        }
    ] * 6


async def test_a_prefix_is_part_of_every_path(server):
    """A base_url with a path, as behind a gateway, comes before the endpoint's own."""
    results, _ = await fetched(Settings(TOKEN, f"{server.base_url}/lms%20api"))
    assert sorted(server.requests.endpoint_names) == sorted(
        f"/lms api{path}" for path in PATHS.values()
    )
    assert results["courses"].url == f"{server.base_url}/lms%20api/v1/catalog/live-courses"


async def test_no_redirect_is_followed(server):
    """A redirect, even to the same host, is asked for nothing."""
    server.set_faults("courses=redirect-same")
    assert "302 Found" in (await courses_of(server.base_url)).reason
    assert server.requests.endpoint_names == ["courses"]


async def test_cookies_are_not_kept(server, monkeypatch):
    """What a server sets is not sent back: no try depends on the one before.

    The stand-in is the proxy here, as cookies are for hosts with a name.
    """

    async def set_cookie(_):
        return web.Response(status=503, headers={"Set-Cookie": "sticky=1"})

    misbehave(server, "courses", set_cookie, times=1)
    monkeypatch.setenv("HTTP_PROXY", server.base_url)
    assert (await courses_of("http://catalog.invalid")).attempts == 2
    assert all("Cookie" not in request.headers for request in server.requests.arrived)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "NO_PROXY", "UNRELATED"])
async def test_netrc_is_never_read(server, tmp_path, monkeypatch, name):
    """An entry for the host never takes the token's place, whatever is said of proxies."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password hunter2\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv(name, server.base_url)
    assert items_of(await courses_of(server.base_url)) == [{"id": "course-1"}]
    (request,) = server.requests.arrived
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


# Proxies


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://api.example/x", None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://api.example/x", "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, "https://api.example/x", "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, "HTTPS://api.example/x", "http://proxy:3128"),
        ({"HTTPS_PROXY": "https://proxy"}, "https://api.example/x", "https://proxy"),
        ({"HTTPS_PROXY": "http://u:p@proxy"}, "https://api.example/x", "http://u:p@proxy"),
        ({"HTTPS_PROXY": "proxy:3128"}, "https://api.example/x", "http://proxy:3128"),
        ({"HTTPS_PROXY": "HTTP://proxy"}, "https://api.example/x", "HTTP://proxy"),
        ({"HTTPS_PROXY": ""}, "https://api.example/x", None),
        ({"HTTPS_PROXY": "http://proxy"}, "http://api.example/x", None),
        ({"HTTP_PROXY": "http://proxy"}, "http://api.example/x", "http://proxy"),
        ({"HTTP_PROXY": "http://proxy"}, "https://api.example/x", None),
        ({"ALL_PROXY": "http://proxy"}, "https://api.example/x", "http://proxy"),
        ({"all_proxy": "proxy"}, "http://api.example/x", "http://proxy"),
        (
            {"ALL_PROXY": "http://other", "HTTPS_PROXY": "http://proxy"},
            "https://api.example/x",
            "http://proxy",
        ),
        ({"HTTPS_PROXY": "proxy", "NO_PROXY": "api.example"}, "https://api.example/x", None),
        ({"HTTPS_PROXY": "proxy", "no_proxy": "a.b,.example"}, "https://api.example/x", None),
        ({"HTTPS_PROXY": "proxy", "NO_PROXY": "example"}, "https://api.example:8443/x", None),
        ({"HTTPS_PROXY": "proxy", "NO_PROXY": "*"}, "https://api.example/x", None),
        ({"ALL_PROXY": "proxy", "NO_PROXY": "127.0.0.1"}, "http://127.0.0.1:80/x", None),
        ({"ALL_PROXY": "proxy", "NO_PROXY": "127.0.0.1:81"}, "http://127.0.0.1:81/x", None),
        (
            {"ALL_PROXY": "proxy", "NO_PROXY": "127.0.0.1:81"},
            "http://127.0.0.1:80/x",
            "http://proxy",
        ),
        (
            {"HTTPS_PROXY": "proxy", "NO_PROXY": "other.example"},
            "https://api.example/x",
            "http://proxy",
        ),
    ],
    ids=str,
)
def test_the_proxy_is_the_one_that_the_environment_names(monkeypatch, environment, url, proxy):
    """`<SCHEME>_PROXY`, else `ALL_PROXY`, in either case, unless `NO_PROXY` names the host."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _proxy(url) == proxy


async def test_a_proxy_is_asked_instead_of_the_host(server, monkeypatch):
    """The request goes to the proxy, which is the one to know the host."""
    monkeypatch.setenv("HTTP_PROXY", server.base_url)
    assert items_of(await courses_of("http://catalog.invalid")) == [{"id": "course-1"}]
    (request,) = server.requests.arrived
    assert request.headers["Host"] == "catalog.invalid"


class Gate(socketserver.StreamRequestHandler):
    """A proxy's side of a connection, which hears the client out and opens no way."""

    def handle(self):
        """Read the request and answer as told."""
        self.server.heard.append(b"".join(iter(self.rfile.readline, b"\r\n")))
        self.wfile.write(self.server.answer)


@contextmanager
def proxy_that_answers(status_line):
    """Run a proxy that answers every request with this; gives its address and what it heard."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Gate) as gate:
        gate.answer = f"HTTP/1.1 {status_line}\r\n\r\n".encode()
        gate.heard = []
        thread = threading.Thread(target=gate.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{gate.server_address[1]}", gate.heard
        finally:
            gate.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status_line", "tries", "reason"),
    [
        ("407 Proxy Authentication Required", 1, "the proxy wants a user name and password"),
        ("403 Forbidden", 6, "the proxy refuses to connect"),
        ("502 Bad Gateway", 6, "the proxy refuses to connect"),
    ],
)
async def test_a_proxy_that_refuses_is_told_from_the_server(
    monkeypatch, status_line, tries, reason
):
    """Its own status is not taken for the API's; it hears its own password and never the token."""
    with proxy_that_answers(status_line) as (address, heard):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@{address}")
        error = await courses_of("https://catalog.invalid")
    assert (error.attempts, error.reason) == (tries, reason)
    assert [head.split(b"\r\n")[0] for head in heard] == [
        b"CONNECT catalog.invalid:443 HTTP/1.1"
    ] * tries
    assert all(b"Proxy-Authorization: Basic" in head for head in heard)
    assert TOKEN.encode() not in b"".join(heard)
    for secret in (TOKEN, "hunter2"):
        assert secret not in crash_report(error)


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://user:hunter2@127.0.0.1:1",
        "ftp://user:hunter2@127.0.0.1:1",
        "http://user:hunter2@",
        "http://user:hunter2@127.0.0.1:bad",
        "http://user:hunter2@[::1",
    ],
)
async def test_a_proxy_that_cannot_be_used_is_final_and_not_shown(monkeypatch, proxy):
    """No request is made; the address may hold a password, so the variable alone is named."""
    monkeypatch.setenv("HTTP_PROXY", proxy)
    error = await courses_of()
    assert (error.attempts, error.advice) == (1, CHECK_PROXY)
    assert error.reason.startswith("no request can be made of the address or its proxy (")
    assert "hunter2" not in crash_report(error)


async def test_a_proxy_that_is_down_is_tried_again(monkeypatch):
    """No connection to the proxy may be mended by the next try, as without one."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"user:hunter2@127.0.0.1:{closed.getsockname()[1]}")
        error = await courses_of()
    assert error.attempts == 6
    assert error.reason.startswith("the proxy cannot be reached (")
    assert "hunter2" not in crash_report(error)


# Certificates


@pytest.fixture
def certificate(tmp_path):
    """Write a certificate that nobody trusts by himself."""
    return self_signed(tmp_path, "127.0.0.1")


def test_the_roots_are_those_of_certifi():
    """The system's roots, which a container may lack, play no part."""
    expected = ssl.create_default_context(cafile=certifi.where())
    context = _tls_context()
    assert context.get_ca_certs(binary_form=True) == expected.get_ca_certs(binary_form=True)
    assert len(context.get_ca_certs()) > 100


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_may_name_the_roots(monkeypatch, certificate, variable):
    """The file's certificates are trusted in place of certifi's, and verification stays on."""
    monkeypatch.setenv(variable, str(certificate))
    context = _tls_context()
    assert [root["subject"] for root in context.get_ca_certs()] == [
        ((("commonName", "connector tests"),),)
    ]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_requests_ca_bundle_comes_first(monkeypatch, certificate, tmp_path):
    """Of two variables the one that `requests` reads wins; an empty one does not count."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    assert len(_tls_context().get_ca_certs()) == 1
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    with pytest.raises(ValueError, match=r"^SSL_CERT_FILE names "):
        _tls_context()


def test_a_directory_of_roots_is_taken_as_one(monkeypatch, tmp_path):
    """A directory is searched during the handshake; nothing is trusted before."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    context = _tls_context()
    assert context.get_ca_certs() == []
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    "content", [None, b"", b"no certificate"], ids=["missing", "empty", "odd"]
)
def test_a_file_without_certificates_is_refused(monkeypatch, tmp_path, variable, content):
    """The error names the variable, the file and the fix."""
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(ValueError, match="which holds no usable certificates") as refused:
        _tls_context()
    assert str(refused.value).startswith(f"{variable} names {str(path)!r}, which holds no usable")
    assert str(refused.value).endswith("): correct or unset it.")
    assert "(None)" not in str(refused.value)


async def test_roots_that_cannot_be_used_stop_the_probe_too(monkeypatch, tmp_path):
    """The setup form says what is wrong instead of asking."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    with pytest.raises(ValueError, match=r"^SSL_CERT_FILE names .* \(No such file or directory\)"):
        await probe_all(Settings(TOKEN, "https://127.0.0.1:1"), QUICK)


async def test_http_needs_no_roots(server, monkeypatch, tmp_path):
    """A variable that is of no use to this address does not stop a sync."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    assert items_of(await courses_of(server.base_url)) == [{"id": "course-1"}]


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
async def test_https_is_verified_however_it_is_spelled(monkeypatch, certificate, scheme):
    """The roots that are named hold for every spelling of the scheme."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving_tls(certificate, {"courses": [{"id": "course-1"}]}, TOKEN) as server:
        base_url = server.base_url.replace("https", scheme)
        assert items_of(await courses_of(base_url)) == [{"id": "course-1"}]
