"""The mock server behaves as demo, tests and benchmarks expect."""

from __future__ import annotations

import asyncio
import functools
import gc
import gzip
import json
import re
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp
import pytest

from devkit.package import PROJECT
from endpoints import ENDPOINTS
from mock_api import __main__ as command
from mock_api.catalog import SIZES, catalog
from mock_api.fault_kinds import KIND_NAMES
from mock_api.faults import parse_fault
from mock_api.serving import serving
from tests.support.cases import cases

PATHS = {endpoint.name: endpoint.path for endpoint in ENDPOINTS}
SMALL = {"courses": [{"id": "course-1", "title": "Café", "timeNeededInHours": 2}]}
SMALL_BODY = '{"data":[{"id":"course-1","title":"Café","timeNeededInHours":2}]}'.encode()

generated = functools.cache(catalog)  # of catalogs that no test changes


@pytest.fixture
def server():
    """Run a mock server with one course and nothing else."""
    with serving(SMALL) as running:
        yield running


def by_id(items):
    """Index items by their ids, which have to be distinct."""
    indexed = {item["id"]: item for item in items}
    assert len(indexed) == len(items)
    return indexed


async def get(server, endpoint_name="courses", *, path=None, headers=None, method="GET"):
    """Send one request with the token; return status, headers and body, not decompressed."""
    sent = {"Authorization": f"Bearer {server.token}", "Accept-Encoding": "identity"}
    url = server.base_url + (path or PATHS[endpoint_name])
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(method, url, headers=sent | (headers or {})) as response,
    ):
        return response.status, response.headers, await response.read()


async def in_flight(server, count):
    """Wait until so many requests are in flight, without blocking the event loop."""
    await asyncio.to_thread(server.requests.wait_until, lambda r: r.in_flight == count)


# The catalog


def test_sizes_are_those_of_the_real_catalog():
    """There are 764 courses in 2 to 3 MB, and fewer other items; `scale` multiplies them."""
    whole, tenth, least = (generated(scale=scale) for scale in (1.0, 0.1, 0.0001))
    assert SIZES["courses"] == 764
    assert {name: len(items) for name, items in whole.items()} == SIZES
    assert 2e6 < len(json.dumps(whole["courses"], ensure_ascii=False).encode()) < 3e6
    assert [len(items) for items in tenth.values()] == [round(n / 10) for n in SIZES.values()]
    assert {len(items) for items in least.values()} == {1}


def test_equal_catalogs_share_nothing():
    """A change to one catalog does not affect the next one."""
    first = catalog(revision=3, scale=0.1)
    untouched = json.dumps(first)
    for value in (value for items in first.values() for item in items for value in item.values()):
        if isinstance(value, (dict, list)):
            value.clear()
    assert json.dumps(catalog(revision=3, scale=0.1)) == untouched


def test_a_few_courses_of_a_small_catalog_are_unusual():
    """A tenth of the catalog has every edge case, too, in less than a tenth of its courses."""
    courses = json.dumps(generated(scale=0.1)["courses"], ensure_ascii=False)
    for text in (
        *('"chapters": []', '"chapters": null', '{"fullName": null}', '"instructors": []'),
        *('["teams", "enterprise"]', '[{"id": 7, "name": "enterprise"}]', '"difficulty": {'),
        *('"topic": null', '"imageUrl": null', '"technology": null', "naïve", "<p>"),
    ):
        assert 0 < courses.count(text) < 7


def test_tracks_contain_items_of_the_catalog_and_take_their_hours():
    """Each has 5 to 25 entries; after revision 0, one entry of one track is a retired course."""
    first, later = generated(scale=0.2), generated(5, 0.2)
    known = by_id(first["courses"] + first["projects"])
    for track in (track for track in first["tracks"] if track["content"]):
        content = [known[entry["id"]] for entry in track["content"]]
        assert [item["title"] for item in content] == [e["title"] for e in track["content"]]
        assert sum(item["timeNeededInHours"] for item in content) == track["timeNeededInHours"]
        assert 5 <= len(content) <= 25
    entries = [entry["id"] for track in later["tracks"] for entry in track["content"] or []]
    current = by_id(later["courses"] + later["projects"])
    assert len([key for key in entries if key not in current]) == 1


@pytest.mark.parametrize(("name", "children"), [("courses", "chapters"), ("tracks", "content")])
def test_a_revision_changes_retires_and_adds_a_few_items(name, children):
    """About 1 % is retired, 2 % changed, some items are added, and the rest is unchanged."""
    fields, pairs = set(), [(number, number + 1) for number in range(9)]
    for before, after in ([by_id(generated(n, 0.2)[name]) for n in pair] for pair in pairs):
        changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
        for keys in (before.keys() - after.keys(), changed, after.keys() - before.keys()):
            assert 1 <= len(keys) <= max(1, len(before) * 0.03)
        for old, new in ((before[key], after[key]) for key in changed):
            assert old["updatedAt"] < new["updatedAt"]
            fields |= {field for field in old if old[field] != new[field]}
    assert fields - {"timeNeededInHours"} == {"title", children, "updatedAt"}


def test_ids_stay_distinct():
    """Even after 40 revisions, no two items and no two chapters have the same id."""
    items = generated(40, 0.2)
    chapters = [chapter for course in items["courses"] for chapter in course["chapters"] or []]
    assert all(map(by_id, (*items.values(), chapters)))


# Requests and responses


async def test_an_endpoint_returns_its_catalog(server):
    """The body is the items in the API's envelope, compressed only for clients that accept it."""
    status, headers, body = await get(server)
    assert (status, headers["Content-Type"], body) == (200, "application/json", SMALL_BODY)
    assert "Content-Encoding" not in headers
    _, headers, body = await get(server, headers={"Accept-Encoding": "gzip, deflate"})
    assert (headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", SMALL_BODY)
    assert (await get(server, "tracks"))[2] == b'{"data":[]}'


async def test_responses_can_be_replaced(server):
    """A catalog, one endpoint's items or a body of bytes take effect with the next request."""
    server.serve(generated(1, 0.01))
    assert json.loads((await get(server))[2]) == {"data": generated(1, 0.01)["courses"]}
    server.replace("courses", b"no JSON at all")
    assert (await get(server))[2] == b"no JSON at all"
    for change in (server.hold, lambda name: server.replace(name, [])):
        with pytest.raises(ValueError, match="unknown endpoint 'course'; valid names are assess"):
            change("course")


async def test_a_wrong_request_gets_the_error_object_of_the_api_and_is_recorded(server):
    """It is 401 without the token, and 404 for another path or method."""
    for status, message, request in (
        (401, "Unauthorized", {"headers": {"Authorization": "Bearer wrong"}}),
        (404, f"Cannot POST {PATHS['tracks']}", {"endpoint_name": "tracks", "method": "POST"}),
        (404, "Cannot GET /v1/cats", {"path": "/v1/cats"}),
    ):
        got, _, body = await get(server, **request)
        assert (got, json.loads(body)) == (status, {"message": message, "statusCode": status})
    assert server.requests.endpoint_names == ["courses", "tracks", "/v1/cats"]
    assert server.requests.arrived[0].headers["Authorization"] == "Bearer wrong"
    server.requests.clear()
    assert server.requests.endpoint_names == []


async def test_held_responses_wait_for_their_release(server):
    """All are in flight at once, other endpoints respond, and a release ends the hold."""
    names = [name for name in PATHS if name != "tracks"]
    for name in names:
        server.hold(name)
    held = [asyncio.create_task(get(server, name)) for name in names]
    await in_flight(server, 5)
    assert (await get(server, "tracks"))[0] == 200
    server.release("courses")
    assert (await held[-1])[2] == SMALL_BODY
    server.release_all()
    assert [status for status, _, _ in await asyncio.gather(*held)] == [200] * 5
    assert (await get(server))[0] == 200
    assert (server.requests.in_flight, server.requests.most_in_flight) == (0, 6)


async def test_latency_is_by_endpoint_and_ends_with_the_client():
    """An endpoint that takes a minute delays no other; a disconnected client is not in flight."""
    with serving(SMALL, latency_seconds={"courses": 60}) as server:
        waiting = asyncio.create_task(get(server, "courses"))
        await in_flight(server, 1)
        assert (await get(server, "tracks"))[0] == 200
        waiting.cancel()
        await in_flight(server, 0)
        with pytest.raises(TimeoutError, match=r"only \['courses', 'tracks'\] arrived, 0 open"):
            server.requests.wait_until(lambda record: record.in_flight == 1, timeout_seconds=0)


# Faults; what the connector makes of each kind is proven in tests/system/test_faults.py


@cases(
    "faults, courses, tracks",
    {
        "a number of times": (["courses=503x2"], [503, 503, 200], [200]),
        "in order": (["all=500x1", "courses=403"], [500, 403, 403], [500, 200]),
    },
)
async def test_faults_are_returned_until_they_are_replaced(server, faults, courses, tracks):
    """Each endpoint has its own count of each fault, and no fault after `set_faults()`."""
    server.set_faults(*faults)
    assert [(await get(server, "courses"))[0] for _ in courses] == courses
    assert [(await get(server, "tracks"))[0] for _ in tracks] == tracks
    server.set_faults()
    assert (await get(server))[0] == 200


def test_exit_waits_for_no_client():
    """Stalled requests and a client that reads nothing are disconnected; the sockets close."""
    with serving(SMALL, faults=["tracks=stall-headers", "projects=stall-body"]) as server:
        server.replace("courses", b" " * 20_000_000)
        address = urlsplit(server.base_url)
        clients = [socket.create_connection((address.hostname, address.port)) for _ in range(3)]
        for name, connection in zip(("courses", "tracks", "projects"), clients, strict=True):
            head = f"GET {PATHS[name]} HTTP/1.1\r\nHost: x\r\n"
            connection.sendall(f"{head}Authorization: Bearer {server.token}\r\n\r\n".encode())
        server.requests.wait_until(lambda requests: len(requests.arrived) == 3)
    assert server.requests.in_flight == 0
    for connection in clients:
        connection.close()
    gc.collect()  # an unclosed socket of the server would warn here, and warnings are errors


# The command line


def test_every_kind_that_is_listed_is_valid():
    """The list in help and error messages is right."""
    for kind in KIND_NAMES.replace("400 to 599", "400, 599").replace("MIB", "1").split(", "):
        assert parse_fault(f"all={kind}x3").times == 3


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--fault", "courses"], "'courses' is not of the form ENDPOINT=KIND"),
        (["--fault", "cats=503"], "unknown endpoint 'cats'; valid names are assessments"),
        (["--fault", "courses=700"], "unknown fault kind '700'; valid kinds are 400 to 599, 204"),
        (["--fault", "all=gzip-bomb-big"], "gzip-bomb- takes a number of MiB, not 'big'"),
        (["--latency", "courses=3,cats=1"], "unknown endpoint 'cats'"),
        (["--latency", "soon"], "could not convert string to float: 'soon'"),
    ],
    ids=" ".join,
)
def test_a_wrong_argument_is_an_error(capsys, arguments, error):
    """The command ends with status 2 and says what is wrong and what is valid."""
    with pytest.raises(SystemExit, match="2"):
        command.main([*arguments, "--scale", "0.001"])
    assert error in capsys.readouterr().err


def test_a_port_in_use_is_an_error(server, capsys):
    """The command ends with status 2 and names the address."""
    address = server.base_url.removeprefix("http://")
    with pytest.raises(SystemExit, match="2"):
        command.main(["--port", address.partition(":")[2], "--scale", "0.001"])
    assert f"cannot listen on {address}: " in capsys.readouterr().err


def test_the_command_serves_until_it_is_stopped():
    """It prints its address and token once a signal can stop it, and ends with status 0."""
    program = [sys.executable, "-m", "mock_api", "--port", "0", "--scale", "0.001"]
    options = ["--token", "open-sesame", "--latency", "courses=60, tracks=0.01"]
    with subprocess.Popen(
        [*program, *options], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        greeting = process.stdout.readline().decode()
        base_url = re.search(r"http://127\.0\.0\.1:\d+", greeting)[0]
        address = SimpleNamespace(base_url=base_url, token="open-sesame")
        assert asyncio.run(get(address, "tracks"))[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10) == (b"", b"")
    assert process.returncode == 0
    assert "open-sesame" in greeting
