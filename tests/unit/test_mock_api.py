"""The local stand-in for DataCamp's API behaves as its users count on."""

import asyncio
import contextlib
import gc
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest

from endpoints import ENDPOINTS
from mock_api import __main__ as command
from mock_api.catalog import SIZES, catalog
from mock_api.fault_kinds import KIND_NAMES
from mock_api.faults import parse_fault
from mock_api.serving import serving

PATHS = {endpoint.name: endpoint.path for endpoint in ENDPOINTS}
ROOT = Path(__file__).parents[2]
SMALL = {"courses": [{"id": "course-1", "title": "Café", "timeNeededInHours": 2}]}
SMALL_BODY = '{"data":[{"id":"course-1","title":"Café","timeNeededInHours":2}]}'.encode()
HALF = SMALL_BODY[: len(SMALL_BODY) // 2]


@pytest.fixture(scope="module")
def whole():
    """Give the catalog as it is without arguments."""
    return catalog()


@pytest.fixture
def server():
    """Run a stand-in with one course and nothing else."""
    with serving(SMALL) as running:
        yield running


class Told(NamedTuple):
    """A server in another process, known by what it printed."""

    base_url: str
    token: str


def by_id(items):
    """Index records by their ids; of two with one id only the last is left."""
    return {item["id"]: item for item in items}


async def get(server, endpoint_name="courses", *, path=None, headers=None, method="GET"):
    """Ask once; gives status, headers and body, which is not decompressed."""
    asked = {"Authorization": f"Bearer {server.token}", "Accept-Encoding": "identity"}
    url = server.base_url + (path or PATHS[endpoint_name])
    async with (
        aiohttp.ClientSession(headers=asked | (headers or {}), auto_decompress=False) as session,
        session.request(method, url, allow_redirects=False) as response,
    ):
        return response.status, response.headers, await response.read()


def connected(server, endpoint_name="courses"):
    """Send a request over a socket of its own, to see what really comes back."""
    address = urlsplit(server.base_url)
    connection = socket.create_connection((address.hostname, address.port), timeout=10)
    lines = (
        f"GET {PATHS[endpoint_name]} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {server.token}",
    )
    connection.sendall("\r\n".join((*lines, "", "")).encode())
    return connection


def received(connection, stop=None):
    """Read until the other side hangs up, or until what has come ends with ``stop``."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while not (stop and got.endswith(stop)) and (more := connection.recv(65536)):
            got += more
    return got


async def until(server, reached):
    """Wait for the record without keeping the client's own loop from running."""
    await asyncio.to_thread(server.requests.wait_until, reached)


# The catalog


def test_sizes_are_those_of_the_real_catalog(whole):
    """764 courses and fewer of the rest, 2 to 3 MB of them."""
    assert {name: len(items) for name, items in whole.items()} == {
        "assessments": 60,
        "practices": 300,
        "projects": 260,
        "custom_tracks": 20,
        "tracks": 120,
        "courses": 764,
    }
    assert 2_000_000 < len(json.dumps(whole["courses"], ensure_ascii=False).encode()) < 3_000_000


def test_scale_multiplies_the_sizes_and_leaves_at_least_one_item():
    """A tenth is a tenth, and hardly anything is still one item each."""
    tenth = {name: len(items) for name, items in catalog(scale=0.1).items()}
    assert tenth == {name: round(size / 10) for name, size in SIZES.items()}
    assert {len(items) for items in catalog(scale=0.0001).values()} == {1}


def test_endpoints_come_in_the_order_of_the_registry(whole):
    """The catalog knows the same endpoints as the connector."""
    assert list(whole) == [endpoint.name for endpoint in ENDPOINTS]


def test_two_calls_give_equal_catalogs_that_share_nothing():
    """Whatever a caller does to one catalog, the next call gives the same as before."""
    first = catalog(revision=3, scale=0.2)
    untouched = json.dumps(first)
    for item in (item for items in first.values() for item in items):
        for value in item.values():
            if isinstance(value, (dict, list)):
                value.clear()
    assert json.dumps(catalog(revision=3, scale=0.2)) == untouched


def test_an_item_is_the_same_at_any_scale(whole):
    """Only the content of tracks depends on how much there is to refer to."""

    def without_content(item):
        return {field: value for field, value in item.items() if field != "content"}

    for name, items in catalog(scale=0.3).items():
        for item, same in zip(items, whole[name], strict=False):
            assert without_content(item) == without_content(same)


DESCRIBED = {
    *("id", "title", "description", "url", "infoUrl", "publicInfoUrl"),
    *("imageUrl", "technology", "live", "updatedAt"),
}


@pytest.mark.parametrize(
    ("endpoint_name", "further"),
    [
        ("courses", "timeNeededInHours topic instructors includedInLicenses chapters"),
        ("projects", "timeNeededInHours topics instructors"),
        ("tracks", "timeNeededInHours topic includedInLicenses content"),
        ("custom_tracks", "timeNeededInHours topic content"),
        ("practices", ""),
        ("assessments", ""),
    ],
)
def test_every_item_has_the_fields_of_its_endpoint(whole, endpoint_name, further):
    """Each item has at least what the API is known to return, and nearly all have no more."""
    fields = DESCRIBED | set(further.split())
    extra = [set(item) - fields - {"timeNeededInHours"} for item in whole[endpoint_name]]
    assert all(fields <= set(item) for item in whole[endpoint_name])
    assert 0 < sum(map(bool, extra)) < len(extra) / 10


@pytest.mark.parametrize("revision", [0, 1, 40])
def test_no_record_is_illegal(revision):
    """Ids, chapter ids, topic names and positions are there and tell their records apart."""
    evolved = catalog(revision)
    for items in evolved.values():
        assert len(by_id(items)) == len(items)
    for course in evolved["courses"]:
        chapters = course["chapters"] or []
        assert len(by_id(chapters)) == len(chapters)
    for project in evolved["projects"]:
        topics = project["topics"] if isinstance(project["topics"], list) else []
        names = [topic["name"] if isinstance(topic, dict) else topic for topic in topics]
        assert len(set(names)) == len(names)
    for track in evolved["tracks"] + evolved["custom_tracks"]:
        positions = [child["position"] for child in track["content"] or [] if "position" in child]
        assert len(set(positions)) == len(positions)


@pytest.mark.parametrize("revision", [0, 5])
def test_tracks_are_made_of_items_of_the_same_catalog(revision):
    """Each piece of content names a course or project that exists, by its right title."""
    evolved = catalog(revision)
    kinds = {"course": by_id(evolved["courses"]), "project": by_id(evolved["projects"])}
    for track in evolved["tracks"] + evolved["custom_tracks"]:
        for child in track["content"] or []:
            assert kinds[child["type"]][child["id"]]["title"] == child["title"]


def test_tracks_hold_5_to_25_items(whole):
    """Tracks are as long as DataCamp's are, but for those without content."""
    lengths = {len(track["content"]) for track in whole["tracks"] if track["content"]}
    assert min(lengths) >= 5
    assert max(lengths) <= 25
    assert len(lengths) > 10


ODD_VALUES = {
    "a course with null topic": ("courses", lambda item: item["topic"] is None),
    "a course with null technology": ("courses", lambda item: item["technology"] is None),
    "a course with null imageUrl": ("courses", lambda item: item["imageUrl"] is None),
    "a course with null chapters": ("courses", lambda item: item["chapters"] is None),
    "a course with no chapters": ("courses", lambda item: item["chapters"] == []),
    "a course with no instructors": ("courses", lambda item: item["instructors"] == []),
    "a null fullName": ("courses", lambda item: {"fullName": None} in item["instructors"]),
    "licenses as text": ("courses", lambda item: "teams" in item["includedInLicenses"]),
    "licenses as objects": (
        "courses",
        lambda item: any(isinstance(included, dict) for included in item["includedInLicenses"]),
    ),
    "an unknown field": ("courses", lambda item: "difficulty" in item),
    "a unicode title": ("courses", lambda item: not item["title"].isascii()),
    "HTML in a description": ("courses", lambda item: "<p>" in item["description"]),
    "topics as text": (
        "projects",
        lambda item: (
            bool(item["topics"])
            and isinstance(item["topics"], list)
            and isinstance(item["topics"][0], str)
        ),
    ),
    "topics as one object": ("projects", lambda item: isinstance(item["topics"], dict)),
    "a project with null topics": ("projects", lambda item: item["topics"] is None),
    "a custom track with null topic": ("custom_tracks", lambda item: item["topic"] is None),
    "a custom track with null content": ("custom_tracks", lambda item: item["content"] is None),
    "a track with null content": ("tracks", lambda item: item["content"] is None),
    "content without position": (
        "tracks",
        lambda item: any("position" not in child for child in item["content"] or []),
    ),
    "a practice with null imageUrl": ("practices", lambda item: item["imageUrl"] is None),
    "an assessment with null technology": (
        "assessments",
        lambda item: item["technology"] is None,
    ),
}


@pytest.mark.parametrize(("endpoint_name", "is_odd"), ODD_VALUES.values(), ids=ODD_VALUES)
def test_a_few_items_hold_each_odd_value(whole, endpoint_name, is_odd):
    """Odd but legal values are there to be met, and stay the exception."""
    items = whole[endpoint_name]
    assert 0 < sum(map(is_odd, items)) <= len(items) / 10


def test_a_tenth_of_the_catalog_still_holds_every_odd_course():
    """A small, fast catalog is no tamer than the whole."""
    courses = catalog(scale=0.1)["courses"]
    checks = [is_odd for name, is_odd in ODD_VALUES.values() if name == "courses"]
    assert all(any(map(is_odd, courses)) for is_odd in checks)


def test_hours_are_whole_fractional_null_and_absent(whole):
    """Hours come in every form that the API may give them, where it may give them."""
    types = {
        name: {type(item.get("timeNeededInHours", ...)) for item in items}
        for name, items in whole.items()
    }
    assert types["practices"] == types["assessments"] == {type(None), type(...)}
    assert types["courses"] == types["projects"] == types["tracks"] == {int, float}


@pytest.mark.parametrize("endpoint_name", ["courses", "projects", "tracks", "practices"])
@pytest.mark.parametrize("revision", [1, 2, 30])
def test_a_revision_brings_changes_and_takes_a_few_items(endpoint_name, revision):
    """About 1 % goes, 2 % changes, something comes, and the rest is as before."""
    before = by_id(catalog(revision - 1)[endpoint_name])
    after = by_id(catalog(revision)[endpoint_name])
    kept = before.keys() & after.keys()
    changed = [key for key in kept if before[key] != after[key]]
    assert 0 < len(before.keys() - after.keys()) <= len(before) * 0.02
    assert 0 < len(changed) <= len(before) * 0.03
    assert 0 < len(after.keys() - before.keys()) <= len(before) * 0.03
    assert all(before[key]["updatedAt"] < after[key]["updatedAt"] for key in changed)


def test_courses_change_in_title_hours_and_chapters(whole):
    """The first revision alone renames courses, makes them longer, takes and adds chapters."""
    after = by_id(catalog(1)["courses"])
    pairs = [(course, after[course["id"]]) for course in whole["courses"] if course["id"] in after]
    changed = [Counter(field for field in old if old[field] != new[field]) for old, new in pairs]
    chapters = {len(new["chapters"] or []) - len(old["chapters"] or []) for old, new in pairs}
    assert set().union(*changed) == {"title", "timeNeededInHours", "chapters", "updatedAt"}
    assert chapters == {-1, 0, 1}


def test_a_track_loses_its_tail(whole):
    """What is left of a shortened track is its beginning, unchanged."""
    after = by_id(catalog(1)["tracks"])
    shortened = [
        (track["content"], after[track["id"]]["content"])
        for track in whole["tracks"]
        if track["id"] in after and track["content"] != after[track["id"]]["content"]
    ]
    assert shortened
    assert all(0 < len(new) < len(old) and new == old[: len(new)] for old, new in shortened)


@pytest.mark.parametrize("scale", [0.001, 0.01, 0.05])
def test_no_revision_retires_half_of_an_endpoint(scale):
    """However small the catalog, more of it stays than goes."""
    for revision in range(1, 12):
        before, after = catalog(revision - 1, scale), catalog(revision, scale)
        for name, items in before.items():
            gone = by_id(items).keys() - by_id(after[name]).keys()
            assert len(gone) < len(items) / 2


# Requests and answers


async def test_an_endpoint_answers_with_its_catalog(server):
    """The body is the items in the API's envelope, as JSON."""
    status, headers, body = await get(server)
    assert (status, headers["Content-Type"], body) == (200, "application/json", SMALL_BODY)


async def test_every_endpoint_is_served():
    """Each of the six paths gives the items of its own endpoint."""
    catalogs = catalog(scale=0.02)
    with serving(catalogs) as server:
        for name, items in catalogs.items():
            assert json.loads((await get(server, name))[2]) == {"data": items}


async def test_gzip_is_for_clients_that_accept_it(server):
    """The body is compressed on request only."""
    _, headers, body = await get(server, headers={"Accept-Encoding": "gzip, deflate"})
    assert (headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", SMALL_BODY)
    assert "Content-Encoding" not in (await get(server))[1]


@pytest.mark.parametrize("authorization", ["Bearer wrong", "demo-token", ""])
async def test_a_wrong_token_is_unauthorized(server, authorization):
    """Without the right bearer token there is no catalog, only the API's error object."""
    status, _, body = await get(server, headers={"Authorization": authorization})
    assert (status, body) == (401, b'{"message":"Unauthorized","statusCode":401}')


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/catalog/live-cats"), ("POST", PATHS["courses"])]
)
async def test_anything_else_is_not_found(server, method, path):
    """Only GET on the six paths is known; the rest is a 404 of the same shape."""
    status, _, body = await get(server, method=method, path=path)
    assert status == 404
    assert json.loads(body) == {"message": f"Cannot {method} {path}", "statusCode": 404}


async def test_what_is_served_can_be_replaced(server):
    """A catalog, one endpoint's items or a body of bytes take effect with the next request."""
    server.serve(catalog(revision=1, scale=0.02))
    assert json.loads((await get(server))[2]) == {"data": catalog(1, 0.02)["courses"]}
    server.replace("courses", [])
    assert (await get(server))[2] == b'{"data":[]}'
    server.replace("courses", b"no JSON at all")
    assert (await get(server))[2] == b"no JSON at all"


def test_an_endpoint_that_does_not_exist_is_an_error(server):
    """A misspelt name fails at once, and not as a test that waits for nothing."""
    for change in (
        lambda: server.hold("course"),
        lambda: server.replace("course", []),
        lambda: server.serve({"course": []}),
        lambda: server.set_faults("course=503"),
    ):
        with pytest.raises(ValueError, match="unknown endpoint 'course'; valid names are assess"):
            change()


# The record, latency and holding back


async def test_requests_are_recorded_in_order_with_their_headers(server):
    """Refused and unknown requests are recorded too, unknown ones by their path."""
    await get(server, "tracks", headers={"User-Agent": "test/1"})
    await get(server, "courses", headers={"Authorization": "Bearer wrong"})
    await get(server, path="/other")
    first, second, _ = server.requests.arrived
    assert server.requests.endpoint_names == ["tracks", "courses", "/other"]
    assert first.headers["Authorization"] == "Bearer demo-token"
    assert first.headers["User-Agent"] == "test/1"
    assert second.headers["Authorization"] == "Bearer wrong"
    server.requests.clear()
    assert server.requests.endpoint_names == []


async def test_the_most_requests_in_flight_are_recorded(server):
    """Six requests that are held back are six in flight, and none once they are answered."""
    for name in PATHS:
        server.hold(name)
    answers = [asyncio.create_task(get(server, name)) for name in PATHS]
    await until(server, lambda requests: requests.in_flight == 6)
    for name in PATHS:
        server.release(name)
    assert [status for status, _, _ in await asyncio.gather(*answers)] == [200] * 6
    assert (server.requests.in_flight, server.requests.most_in_flight) == (0, 6)


async def test_a_client_that_hangs_up_is_not_in_flight(server):
    """The record follows the client, not the answer that it did not wait for."""
    server.hold("courses")
    with connected(server):
        await until(server, lambda requests: requests.in_flight == 1)
    await until(server, lambda requests: requests.in_flight == 0)


def test_waiting_for_what_does_not_come_is_an_error(server):
    """A test that waits in vain fails with what has arrived instead."""
    with pytest.raises(TimeoutError, match=r"only \[\] arrived, 0 open"):
        server.requests.wait_until(lambda requests: requests.in_flight == 1, timeout_seconds=0)


async def test_holding_an_endpoint_decides_the_order_of_arrival(server):
    """The endpoint asked first answers last."""
    server.hold("courses")
    courses = asyncio.create_task(get(server, "courses"))
    await until(server, lambda requests: requests.endpoint_names == ["courses"])
    await get(server, "tracks")
    assert not courses.done()
    server.release("courses")
    assert (await courses)[2] == SMALL_BODY
    assert (await get(server, "courses"))[0] == 200


def test_a_hold_after_half_is_a_download_under_way(server):
    """Headers and half of the body are there at once, the other half after the release."""
    server.hold("courses", after_half=True)
    with connected(server) as connection:
        rest = SMALL_BODY.removeprefix(HALF)
        head, _, body = received(connection, stop=HALF).partition(b"\r\n\r\n")
        assert f"Content-Length: {len(SMALL_BODY)}".encode() in head
        assert body == HALF
        server.release("courses")
        assert received(connection, stop=rest) == rest


async def test_holding_twice_keeps_what_is_held_already(server):
    """One release lets all go, whichever way they were held."""
    server.hold("courses")
    first = asyncio.create_task(get(server))
    await until(server, lambda requests: requests.in_flight == 1)
    server.hold("courses", after_half=True)
    second = asyncio.create_task(get(server))
    await until(server, lambda requests: requests.in_flight == 2)
    server.release("courses")
    assert [body for _, _, body in (await first, await second)] == [SMALL_BODY, SMALL_BODY]


async def test_latency_by_endpoint_leaves_the_others_alone():
    """An endpoint that takes a minute does not keep one that takes no time."""
    with serving(SMALL, latency_seconds={"courses": 60}) as server, connected(server):
        await until(server, lambda requests: requests.in_flight == 1)
        assert (await get(server, "tracks"))[0] == 200
        assert server.requests.in_flight == 1


async def test_latency_may_be_one_number():
    """Every endpoint takes that long."""
    with serving(SMALL, latency_seconds=0.01) as server:
        started = time.monotonic()
        assert (await get(server))[0] == 200
        assert time.monotonic() - started >= 0.01


# Faults


async def test_a_fault_lasts_so_many_times(server):
    """The first two requests fail, then the endpoint is healthy; others were all along."""
    server.set_faults("courses=503x2")
    statuses = [(await get(server, name))[0] for name in ("courses", "tracks", *["courses"] * 3)]
    assert statuses == [503, 200, 503, 200, 200]


async def test_faults_of_all_count_for_each_endpoint(server):
    """Faults come in the order given, the last for ever if it has no number."""
    server.set_faults("all=500x1", "courses=429x1", "all=403")
    for name, statuses in {"courses": [500, 429, 403, 403], "tracks": [500, 403, 403]}.items():
        assert [(await get(server, name))[0] for _ in statuses] == statuses


async def test_faults_can_be_taken_back(server):
    """Without any fault the server is healthy again."""
    server.set_faults("all=500")
    assert (await get(server))[0] == 500
    server.set_faults()
    assert (await get(server))[0] == 200


def spoiled(field, literal):
    """Give the small body with a piece of JSON text in place of a field's value."""
    fields = {"id": '"course-1"', "title": '"Café"', "timeNeededInHours": "2", field: literal}
    members = ",".join(f'"{name}":{value}' for name, value in fields.items())
    return f'{{"data":[{{{members}}}]}}'.encode()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("empty", b""),
        ("null", b"null"),
        ("scalar", b"42"),
        ("object", b"{}"),
        ("error-object", b'{"message":"Something went wrong","statusCode":500}'),
        ("data-null", b'{"data":null}'),
        ("empty-list", b'{"data":[]}'),
        ("text", b"The service is starting"),
        ("html", b"<!doctype html><title>Sign in</title><form></form>"),
        ("garbage", SMALL_BODY + b"<!-- cached -->"),
        ("cut-json", HALF),
        ("bom", b"\xef\xbb\xbf" + SMALL_BODY),
        ("latin1", spoiled("title", '"Décisions à Zürich"').decode().encode("latin-1")),
        ("nan", spoiled("timeNeededInHours", "NaN")),
        ("huge-number", spoiled("timeNeededInHours", "1e400")),
        ("huge-integer", spoiled("timeNeededInHours", "9" * 5000)),
        ("deep", spoiled("outline", "[" * 10_000 + "]" * 10_000)),
        ("surrogate", spoiled("title", r'"half of a pair: \ud83d"')),
        ("duplicate-keys", spoiled("title", '"the first","title":"the second"')),
        ("pages", SMALL_BODY[:-1] + b',"meta":{"numberOfPages":3}}'),
        ("next-link", SMALL_BODY[:-1] + b',"links":{"next":"?page=2"}}'),
        ("bare-list", SMALL_BODY[len('{"data":') : -1]),
        ("own-name", SMALL_BODY.replace(b"data", b"courses")),
        ("encoding-unknown", SMALL_BODY),
    ],
)
async def test_a_fault_can_spoil_the_body_of_a_200(server, kind, expected):
    """Such a body comes with status 200 and a right length."""
    server.set_faults(f"courses={kind}")
    status, _, body = await get(server)
    assert (status, body) == (200, expected)


@pytest.mark.parametrize("kind", ["nan", "latin1"])
async def test_a_catalog_without_items_has_none_to_spoil(server, kind):
    """A fault in one item is none if there is no item."""
    server.set_faults(f"tracks={kind}")
    assert (await get(server, "tracks"))[2] == b'{"data":[]}'


@pytest.mark.parametrize(
    ("kind", "status", "headers"),
    [
        ("204", 204, {}),
        ("206", 206, {}),
        ("304", 304, {}),
        ("403", 403, {}),
        ("599", 599, {}),
        ("retry-after-1", 429, {"Retry-After": "1"}),
        ("retry-after-99999", 429, {"Retry-After": "99999"}),
        (
            "retry-after-Wed, 21 Oct 2026 07:28:00 GMT",
            429,
            {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"},
        ),
        ("redirect", 302, {"Location": f"https://elsewhere.example{PATHS['courses']}"}),
        ("redirect-same", 302, {"Location": f"/moved{PATHS['courses']}"}),
        ("redirect-loop", 302, {"Location": PATHS["courses"]}),
        ("redirect-nowhere", 302, {}),
        ("html", 200, {"Content-Type": "text/html; charset=utf-8"}),
        ("encoding-unknown", 200, {"Content-Encoding": "snappy"}),
        ("gzip-bad", 200, {"Content-Encoding": "gzip"}),
    ],
)
async def test_a_fault_can_be_a_status_or_a_header(server, kind, status, headers):
    """Statuses come as asked for, and with the headers that belong to them."""
    server.set_faults(f"courses={kind}")
    answered, got, _ = await get(server)
    names = {"Retry-After", "Location", "Content-Encoding"} | headers.keys()
    assert answered == status
    assert {name: got[name] for name in names if name in got} == headers


async def test_an_error_status_has_the_error_body_of_the_api(server):
    """The body is the API's error object."""
    server.set_faults("courses=503")
    assert (await get(server))[2] == b'{"message":"Service Unavailable","statusCode":503}'


async def test_bad_gzip_has_a_wrong_checksum(server):
    """All of the data is there, only the checksum does not fit it."""
    server.set_faults("courses=gzip-bad")
    _, _, body = await get(server)
    with pytest.raises(gzip.BadGzipFile, match="CRC check failed"):
        gzip.decompress(body)


async def test_a_gzip_bomb_is_small_until_it_is_opened(server):
    """3 MiB of legal JSON travel as a few kilobytes."""
    server.set_faults("courses=gzip-bomb-3")
    _, headers, body = await get(server)
    opened = gzip.decompress(body)
    assert headers["Content-Encoding"] == "gzip"
    assert len(body) < 20_000
    assert 3 * 2**20 < len(opened) < 3 * 2**20 + 100
    assert {str(item) for item in json.loads(opened)["data"]} == {"{}"}


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("reset", b""),
        ("reset-headers", b"HTTP/1.1 200 OK\r\nContent-Ty"),
        ("length-short", HEAD + b"Content-Length: %d\r\n\r\n" % len(HALF) + SMALL_BODY),
        (
            "length-long",
            HEAD + b"Content-Length: %d\r\n\r\n" % (len(SMALL_BODY) + 100) + SMALL_BODY,
        ),
        (
            "cut-chunked",
            HEAD
            + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(SMALL_BODY)
            + SMALL_BODY
            + b"\r\n",
        ),
    ],
)
def test_a_fault_can_end_the_connection(server, kind, expected):
    """These are all the bytes that come before the server hangs up."""
    server.set_faults(f"courses={kind}")
    with connected(server) as connection:
        assert received(connection) == expected


def test_a_reset_body_ends_half_way(server):
    """The headers promise the whole body, and half of it comes."""
    server.set_faults("courses=reset-body")
    with connected(server) as connection:
        head, _, body = received(connection).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(SMALL_BODY)}".encode() in head
    assert body == HALF


def test_a_drip_comes_byte_by_byte(server):
    """The body begins as it should, and after a few bytes of it nearly all is still to come."""
    body = json.dumps(list(range(10_000))).encode()
    server.replace("courses", body)
    server.set_faults("courses=drip")
    with connected(server) as connection:
        received(connection, stop=b"\r\n\r\n[")
        beginning = b"["
        while len(beginning) < 3:
            beginning += connection.recv(65536)
        assert body.startswith(beginning)
        assert len(beginning) < 1000


def test_exit_does_not_wait_for_a_stalled_request():
    """The server is gone at once, its thread and sockets too, and the client is cut off."""
    threads = threading.active_count()
    with contextlib.ExitStack() as clients:
        with serving(SMALL, faults=["courses=stall-headers"]) as server:
            stalled = clients.enter_context(connected(server))
            server.requests.wait_until(lambda requests: requests.in_flight == 1)
            started = time.monotonic()
        assert time.monotonic() - started < 5  # seconds, where waiting would take a minute
        assert received(stalled) == b""
    assert threading.active_count() == threads
    gc.collect()  # an unclosed socket would warn here, and warnings are errors


def test_a_stalled_body_is_half_a_body_until_the_end():
    """Headers and half of the body come, and not a byte more as long as the server runs."""
    with contextlib.ExitStack() as clients:
        with serving(SMALL, faults=["courses=stall-body"]) as server:
            stalled = clients.enter_context(connected(server))
            assert received(stalled, stop=HALF).endswith(b"\r\n\r\n" + HALF)
        assert received(stalled) == b""


def test_exit_does_not_wait_for_a_client_that_reads_nothing():
    """A large answer that nobody reads does not keep the server."""
    with contextlib.ExitStack() as clients:
        with serving(SMALL) as server:
            server.replace("courses", b" " * 50_000_000)
            clients.enter_context(connected(server))
            server.requests.wait_until(lambda requests: len(requests.arrived) == 1)
            started = time.monotonic()
        assert time.monotonic() - started < 5  # seconds, where waiting would take a minute
    gc.collect()


# The command line


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("courses", r"'courses' is not of the form ENDPOINT=KIND"),
        ("cats=503", r"unknown endpoint 'cats'; valid names are assessments"),
        ("courses=700", r"unknown fault kind '700'; valid kinds are 400 to 599, 204"),
        ("courses=retry-after-", r"unknown fault kind 'retry-after-'"),
        ("courses=gzip-bomb-big", r"gzip-bomb- wants a number of MiB, not 'big'"),
    ],
)
def test_a_bad_fault_says_what_would_be_valid(fault, complaint):
    """The error names what is wrong and the choices there are."""
    with pytest.raises(ValueError, match=complaint):
        parse_fault(fault)


def test_every_kind_named_as_valid_is_valid():
    """The list in the error message can be trusted."""
    for kind in KIND_NAMES.replace("400 to 599", "400, 599").replace("MIB", "1").split(", "):
        assert parse_fault(f"all={kind}x3").times == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.5", 0.5), ("courses=3,tracks=0.5", {"courses": 3.0, "tracks": 0.5})],
)
def test_latency_is_a_number_or_one_for_each_endpoint(text, expected):
    """Both forms of the option are read."""
    assert command.parse_latency(text) == expected


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "70000"], "argument --port: '70000' is not a port from 0 to 65535"),
        (["--scale", "0"], "argument --scale: '0' is not a number above 0"),
        (["--revision", "-1"], "argument --revision: '-1' is not a whole number, 0 or more"),
        (["--latency", "nan"], "argument --latency: 'nan' is not a number of seconds"),
        (["--latency", "cats=1"], "argument --latency: unknown endpoint 'cats'"),
        (["--fault", "all=cats"], "argument --fault: unknown fault kind 'cats'"),
    ],
)
def test_a_bad_argument_is_refused(capsys, arguments, complaint):
    """The command ends with status 2 and says which argument is wrong, and why."""
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    assert complaint in capsys.readouterr().err


def test_an_occupied_port_is_one_clear_line(server, capsys):
    """Status 2 and a line that names the address, not a traceback."""
    port = urlsplit(server.base_url).port
    assert command.main(["--port", str(port)]) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"mock_api: cannot listen on 127.0.0.1:{port}: ")
    assert complaint.count("\n") == 1


def test_the_command_can_be_stopped_as_soon_as_it_says_so(monkeypatch):
    """Signals are handled before the line that tells of the server is printed."""
    told = []

    def stopping_print(line, *, flush):
        told.append((line, flush))
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(command, "print", stopping_print, raising=False)
    assert command.main(["--port", "0", "--scale", "0.01"]) == 0
    ((line, flush),) = told
    assert re.search(r" at http://127\.0\.0\.1:\d+ with token demo-token; Ctrl-C stops it$", line)
    assert flush  # a pipe would keep the line back


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_stopped(number):
    """It says where it is and by which token, and a signal ends it with status 0."""
    program = [sys.executable, "-m", "mock_api", "--port", "0", "--scale", "0.01"]
    options = ["--token", "open-sesame", "--fault", "courses=stall-headers"]
    with subprocess.Popen(
        [*program, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        greeting = process.stdout.readline()
        base_url = re.search(r"http://127\.0\.0\.1:\d+", greeting)[0]
        told = Told(base_url, "open-sesame")
        assert asyncio.run(get(told, "tracks"))[0] == 200
        with connected(told):
            os.kill(process.pid, number)
            assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 0
    assert "open-sesame" in greeting
