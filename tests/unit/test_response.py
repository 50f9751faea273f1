"""Judging an answer: which status is tried again, which body is a catalog, what can be read."""

from __future__ import annotations

import json
import math
import re
import tracemalloc
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import msgspec
import pytest

from async_client.errors import (
    FinalError,
    NotIncludedError,
    RateLimitError,
    TransientError,
    UnauthorizedError,
)
from async_client.response import (
    MOST_BODY_COMMAS,
    MOST_ITEM_BYTES,
    MOST_ITEM_COMMAS,
    MOST_ITEMS,
    UnreadableItem,
    check_status,
    decode_item,
    split,
)
from endpoints import ENDPOINTS

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
COURSES = BY_NAME["courses"]
CUSTOM_TRACKS = BY_NAME["custom_tracks"]
URL = "https://api.example/prefix/v1/catalog/live-courses"
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)

NEXT_SYNC = "DataCamp's service has trouble; the next sync asks again"
CHECK_URL = "Check base_url, and the proxy if there is one"
ASK_SUPPORT = f"{CHECK_URL}; if both are right, ask DataCamp's support"
NO_SUCH_CATALOG = f"{CHECK_URL}; if your license has no courses, add courses to skip_endpoints"
NEW_TOKEN = "Check bearer_token: it is wrong, expired or revoked; DataCamp issues a new one"
ASK_FOR_IT = (
    "The token may not read courses: ask DataCamp to include it, or add courses to skip_endpoints"
)
TRUST_IT = "If you trust that address, set base_url to it"
ELSEWHERE_HERE = f"{CHECK_URL}: the API is at another path of this host"


def judged(status, headers=None):
    """Give the failure that a status is, or None."""
    try:
        check_status(COURSES, URL, status, headers or {})
    except (TransientError, FinalError) as failure:
        return failure
    return None


def unreadable(endpoint, body):
    """Give the words with which a body is refused, for now."""
    with pytest.raises(TransientError) as refused:
        split(endpoint, body)
    assert refused.value.advice == f"{CHECK_URL}; if both are right, {NEXT_SYNC}"
    assert refused.value.retry_after_seconds is None
    prefix = "HTTP 200, but the body is "
    assert refused.value.reason.startswith(prefix)
    return refused.value.reason.removeprefix(prefix)


def items_of(body, endpoint=COURSES):
    """Split a body and decode its items."""
    return [decode_item(item) for item in split(endpoint, body).items]


# The status


def test_only_200_is_an_answer():
    """Of all statuses one alone may bring a catalog."""
    assert [status for status in range(100, 600) if judged(status) is None] == [200]


def test_the_statuses_that_are_tried_again():
    """Every 5xx but two may pass by itself, as may three 4xx; every other status is final."""
    transient = {s for s in range(100, 600) if isinstance(judged(s), TransientError)}
    assert transient == {408, 425, 429, *range(500, 600)} - {501, 505}


def test_401_alone_means_that_the_token_is_refused():
    """No other status ends the sync for all endpoints."""
    refused = [s for s in range(100, 600) if isinstance(judged(s), UnauthorizedError)]
    assert refused == [401]


@pytest.mark.parametrize(
    ("status", "kind", "reason", "advice"),
    [
        (201, FinalError, "201 Created", ASK_SUPPORT),
        (204, NotIncludedError, "204 No Content", NO_SUCH_CATALOG),
        (206, FinalError, "206 Partial Content", ASK_SUPPORT),
        (304, FinalError, "304 Not Modified", ASK_SUPPORT),
        (400, FinalError, "400 Bad Request", ASK_SUPPORT),
        (401, UnauthorizedError, "401 Unauthorized", NEW_TOKEN),
        (403, NotIncludedError, "403 Forbidden", ASK_FOR_IT),
        (404, NotIncludedError, "404 Not Found", NO_SUCH_CATALOG),
        (407, FinalError, "407 Proxy Authentication Required", ASK_SUPPORT),
        (408, TransientError, "408 Request Timeout", NEXT_SYNC),
        (410, NotIncludedError, "410 Gone", NO_SUCH_CATALOG),
        (425, TransientError, "425 Too Early", NEXT_SYNC),
        (429, RateLimitError, "429 Too Many Requests", NEXT_SYNC),
        (499, FinalError, "499", ASK_SUPPORT),
        (500, TransientError, "500 Internal Server Error", NEXT_SYNC),
        (501, FinalError, "501 Not Implemented", ASK_SUPPORT),
        (502, TransientError, "502 Bad Gateway", NEXT_SYNC),
        (503, TransientError, "503 Service Unavailable", NEXT_SYNC),
        (504, TransientError, "504 Gateway Timeout", NEXT_SYNC),
        (520, TransientError, "520", NEXT_SYNC),
        (599, TransientError, "599", NEXT_SYNC),
    ],
)
def test_each_status_has_its_words(status, kind, reason, advice):
    """A failure says what the server answered and what the user can do about it."""
    failure = judged(status)
    assert (type(failure), failure.reason, failure.advice) == (
        kind,
        f"the server answers {reason}",
        advice,
    )


@pytest.mark.parametrize("status", [429, 503])
def test_a_transient_status_carries_the_wait_that_the_server_asks_for(status):
    """`Retry-After` is read where another try is made at all."""
    assert judged(status).retry_after_seconds is None
    assert judged(status, {"Retry-After": "7"}).retry_after_seconds == 7
    in_an_hour = datetime.now(timezone.utc) + timedelta(hours=1)
    date = format_datetime(in_an_hour, usegmt=True)
    assert judged(status, {"Retry-After": date}).retry_after_seconds == pytest.approx(3600, abs=9)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://elsewhere.example/a?token=1", "https://elsewhere.example"),
        ("https://api.example:8443/", "https://api.example:8443"),
        ("http://api.example/v1/catalog/live-courses", "http://api.example"),
        ("//elsewhere.example/a", "https://elsewhere.example"),
        ("/moved", "https://api.example"),
        ("", "https://api.example"),
        ("https://user:hunter2@elsewhere.example/", "https://elsewhere.example"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("https://bücher.example/", "https://bücher.example"),
        ("https://[::1/", "an address that cannot be shown"),
        ("https://b\udcfccher.example/", "an address that cannot be shown"),
        ("https://elsewhere.example:0/", "an address that cannot be shown"),
        ("mailto:hunter2@elsewhere.example", "an address that cannot be shown"),
        ("https://elsewhere.example:hunter2/", "an address that cannot be shown"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_names_the_host_it_points_to(status, location, target):
    """Host and scheme are all that is told; the rest of the address may hold a secret."""
    failure = judged(status, {"Location": location})
    assert type(failure) is FinalError
    assert failure.reason.endswith(
        f" and points to {target}; redirects are not followed, to keep the token here"
    )
    assert failure.advice == (ELSEWHERE_HERE if target == "https://api.example" else TRUST_IT)


def test_a_redirect_without_a_target_is_an_error_like_others():
    """No `Location`, no host to name."""
    failure = judged(302)
    assert (failure.reason, failure.advice) == ("the server answers 302 Found", ASK_SUPPORT)


def test_only_a_redirect_points_elsewhere():
    """`Location` means something else in answers of other kinds."""
    pointing = [
        status
        for status in range(100, 600)
        if status != 200 and "points to" in judged(status, {"Location": "/moved"}).reason
    ]
    assert pointing == list(range(300, 400))


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Retry-After": "9"}, RateLimitError),
        ({"X-RateLimit-Remaining": "0"}, RateLimitError),
        ({"RateLimit-Remaining": "0"}, RateLimitError),
        ({"x-ratelimit-remaining-short": "0"}, RateLimitError),
        ({"X-RateLimit-Remaining": "3"}, NotIncludedError),
        ({}, NotIncludedError),
    ],
)
def test_403_with_a_wait_or_nothing_remaining_is_a_rate_limit(headers, kind):
    """GitHub and others limit the rate with 403: it passes, and the advice has both ways out."""
    failure = judged(403, headers)
    assert type(failure) is kind
    if kind is RateLimitError:
        assert failure.reason == "the server answers 403 Forbidden as a rate limit"
        assert "Sync less often" in failure.advice
        assert "add courses to skip_endpoints" in failure.advice


@pytest.mark.parametrize("encoding", ["br", "zstd", "BR"])
def test_an_encoding_that_was_not_requested_is_named(encoding):
    """A proxy that encodes at will is found by the name of the encoding."""
    failure = judged(200, {"Content-Encoding": encoding})
    assert failure.reason == (
        f"HTTP 200, but the body is encoded as {encoding.lower()}, which was not requested"
    )


# The envelope


@pytest.mark.parametrize(
    ("endpoint_name", "names"),
    [
        ("courses", ["data", "courses", "live-courses", "live_courses"]),
        ("assessments", ["data", "assessments", "live-assessments", "live_assessments"]),
        (
            "custom_tracks",
            ["data", "custom_tracks", "custom-tracks", "live-custom-tracks", "live_custom_tracks"],
        ),
    ],
)
def test_a_catalog_is_a_bare_list_or_under_a_name_of_its_own(endpoint_name, names):
    """The list may stand alone, under `data`, or under the endpoint's name in any spelling."""
    endpoint = BY_NAME[endpoint_name]
    items = [{"id": "1"}, {"id": "2"}]
    documents = [items, *({name: items} for name in names)]
    for document in documents:
        assert items_of(json.dumps(document).encode(), endpoint) == items


@pytest.mark.parametrize(
    "document",
    [
        b'{"message":"ok","data":[{"id":"1"}],"statusCode":200}',
        b'{"data":[{"id":"1"}],"meta":{"page":1,"total":1}}',
        b'{"courses":[{"id":"1"}],"tracks":[{"id":"2"}]}',
        b'{"courses":[{"id":"1"}],"data":null}',
        b'{"data":[{"id":"0"}],"data":[{"id":"1"}]}',
        b' \r\n\t{ "data" : \n[\t{"id":"1"} ] , "x" : "{" }\n',
        b" " * 4096 + b'{"data":[{"id":"1"}]}',
        b"\n" * 4096 + b'[{"id":"1"}]',
    ],
    ids=lambda document: document.decode().strip()[:40],
)
def test_other_members_and_blanks_do_not_matter(document):
    """What stands beside the list, or around it, is no part of the catalog."""
    assert items_of(document) == [{"id": "1"}]


def test_an_empty_list_is_a_catalog():
    """Nothing is a catalog too, bare or wrapped."""
    assert [split(COURSES, body).items for body in (b"[]", b'{"data":[]}')] == [[], []]


NO_JSON = "not valid JSON"
NO_LIST = "JSON without exactly one courses list"
NO_UTF_8 = "neither valid UTF-8 nor text in a declared charset"
NO_ENVELOPE = "JSON that is neither an object nor a list"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b" " * 4096, "empty"),
        (b"<!doctype html><title>Sign in</title>", "HTML, not JSON"),
        (b"\n  <html></html>", "HTML, not JSON"),
        (b"The service is starting", NO_JSON),
        (b"\x00\x01\x02\xff", NO_UTF_8),
        (b"null", NO_ENVELOPE),
        (b"true", NO_ENVELOPE),
        (b"42", NO_ENVELOPE),
        (b'"[]"', NO_ENVELOPE),
        (b"NaN", NO_ENVELOPE),
        (b"\xef\xbb\xbfnull", NO_ENVELOPE),
        (b"{}", NO_LIST),
        (b'{"message":"Something went wrong","statusCode":500}', NO_LIST),
        (b'{"data":null}', NO_LIST),
        (b'{"data":{}}', NO_LIST),
        (b'{"data":{"courses":[]}}', NO_LIST),
        (b'{"data":"[]"}', NO_LIST),
        (b'{"data":[],"courses":[]}', NO_LIST),
        (b'{"courses":[],"live-courses":[]}', NO_LIST),
        (b'{"tracks":[]}', NO_LIST),
        (b'{"items":[]}', NO_LIST),
        (b'{"Data":[]}', NO_LIST),
        (b'{"data":null,"time":NaN}', NO_LIST),
        (b'{"data":[]} <!-- cached -->', NO_JSON),
        (b'{"data":[]}{"data":[]}', NO_JSON),
        (b"[] []", NO_JSON),
        (b'{"data":[{"id":"1"},{"title":"D\xe9cisions"}]}', NO_UTF_8),
        (b'{"data":[{"id":"1"},{"id":', NO_JSON),
        (b'{"data":[{"id":"1"}', NO_JSON),
        (b'[{"id":"1"}', NO_JSON),
        (b'{"data":[1,]}', NO_JSON),
        (b"{'data':[]}", NO_JSON),
        (b'{"data":[{"id":"1]}', NO_JSON),
        (b'{"data":[' + b"[" * 100_000, NO_JSON),
        (b'{"data":[],"\xff":1}', NO_UTF_8),
        (b'{"data":[],"total":' + b"9" * 5000 + b"}", NO_JSON),
        (b'{"data":[NaN,' + b"9" * 5000 + b"]}", NO_JSON),
    ],
    ids=lambda value: ascii(value)[:50],
)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_anything_else_is_unreadable(kind, body, what):
    """No list is guessed, no error object becomes a row, half a document is none."""
    assert unreadable(COURSES, kind(body)) == what


def test_the_refusal_names_the_endpoint():
    """Whose list is missing depends on who was asked."""
    assert (
        unreadable(CUSTOM_TRACKS, b'{"courses":[]}')
        == "JSON without exactly one custom_tracks list"
    )


# Further pages

SPEAK_OF_PAGES = [
    {"next": "https://api.example?page=2"},
    {"next": 2},
    {"next": True},
    {"next": {"href": "/page/2"}},
    {"next": {"link": {"href": "/page/2"}}},
    {"Next": "/page/2"},
    {"nextPage": 2},
    {"next_page": 2},
    {"next-page": 2},
    {"NEXT_PAGE": "2"},
    {"nextUrl": "/page/2"},
    {"next_link": "/page/2"},
    {"nextCursor": "b2Zmc2V0"},
    {"next_cursor": "b2Zmc2V0"},
    {"nextPageToken": "b2Zmc2V0"},
    {"next_token": "b2Zmc2V0"},
    {"hasMore": True},
    {"has_more": True},
    {"hasNext": True},
    {"hasNextPage": True},
    {"pages": 2},
    {"pages": "3"},
    {"numberOfPages": 3},
    {"number_of_pages": 2},
    {"totalPages": 7.0},
    {"total_pages": "0002"},
    {"page-count": 2},
    {"numPages": 2},
    {"last_page": 2},
    {"links": {"next": "/page/2"}},
    {"_links": {"self": {"href": "/page/1"}, "next": {"href": "/page/2"}}},
    {"meta": {"numberOfPages": 2}},
    {"meta": {"pagination": {"total_pages": 2}}},
    {"a": {"b": {"c": {"d": {"hasNextPage": True}}}}},
    {"pages": {"next": "/page/2", "per_page": 50}},
    {"pages": {"total_pages": 2}},
    {"next_page_url": "/page/2"},
    {"@odata.nextLink": "/page/2"},
    {"links": [{"rel": "self", "href": "/page/1"}, {"rel": "next", "href": "/page/2"}]},
]

SPEAK_OF_NONE = [
    {},
    {"next": None},
    {"next": ""},
    {"next": "  "},
    {"next": False},
    {"next": 0},
    {"next": {}},
    {"next": []},
    {"next": {"href": None}},
    {"next": {"href": "", "title": None}},
    {"nextPage": None},
    {"hasMore": False},
    {"has_next_page": False},
    {"pages": 0},
    {"pages": 1},
    {"pages": "1"},
    {"pages": None},
    {"pages": True},
    {"pages": "many"},
    {"pages": {}},
    {"pages": {"next": None, "total_pages": 1}},
    {"numberOfPages": 1.0},
    {"links": None},
    {"links": {"next": None, "self": "/page/1", "last": "/page/1"}},
    {"_links": {"next": {"href": None}}},
    {"meta": {"page": 1, "total": 764, "pageSize": 1000}},
    {"page": 3},
    {"pages": "²"},
    {"nextReview": "2026-01-01"},
    {"a": {"b": {"c": {"d": {"e": {"next": "deeper than any envelope goes"}}}}}},
    {"context": "next"},
    {"links": [{"rel": "self", "href": "/next"}, "next"]},
]


@pytest.mark.parametrize(
    ("link", "further"),
    [
        ('</v1/catalog/live-courses?page=2>; rel="next"', True),
        ("</page/2>; title=a; rel=next", True),
        ('</page/1>; rel="prev", </page/3>; rel="last next"', True),
        ('</page/1>; rel="self"', False),
        ('</next>; rel="self"', False),
        ("", False),
    ],
)
def test_a_link_header_may_speak_of_further_pages(link, further):
    """A bare list has no other place to say that it is not whole."""
    if not further:
        check_status(COURSES, URL, 200, {"Link": link})
        return
    with pytest.raises(FinalError, match="the response is paginated"):
        check_status(COURSES, URL, 200, {"Link": link})


@pytest.mark.parametrize("members", SPEAK_OF_PAGES, ids=json.dumps)
def test_an_envelope_with_further_pages_is_refused_for_good(members):
    """Half a catalog never passes for a whole, however the envelope says that there is more."""
    for document in ({"data": [{"id": "1"}], **members}, {**members, "courses": []}):
        with pytest.raises(FinalError) as refused:
            split(COURSES, json.dumps(document).encode())
        assert re.fullmatch(
            "the response is paginated: .+; a partial catalog would delete the rest",
            refused.value.reason,
        )
        assert refused.value.advice == (
            "DataCamp's API has begun to paginate: update this connector"
        )


@pytest.mark.parametrize("members", SPEAK_OF_NONE, ids=json.dumps)
def test_an_envelope_that_says_it_is_the_last_page_is_whole(members):
    """Null, false, empty and a single page are not further pages."""
    assert items_of(json.dumps({"data": [{"id": "1"}], **members}).encode()) == [{"id": "1"}]


def test_further_pages_are_seen_in_a_body_that_msgspec_refuses():
    """The second reading looks as closely as the first."""
    with pytest.raises(FinalError, match="the response is paginated"):
        split(COURSES, b'{"data":[{"timeNeededInHours":NaN}],"meta":{"pages":2}}')


def test_an_item_may_speak_of_pages():
    """A course about paging is a course."""
    items = [{"id": "1", "next": "course-2", "pages": 12}]
    assert items_of(json.dumps({"data": items}).encode()) == items


# The items


def test_a_sound_body_is_split_and_not_decoded():
    """The items are pieces of the body's text, in its order; no tree of the catalog is built."""
    texts = [b'{"id": "%d", "chapters": [{}, {}]}' % number for number in range(1000)]
    for body in (b'{"data": [' + b", ".join(texts) + b"]}", b"[" + b",".join(texts) + b"]"):
        items = split(COURSES, body).items
        assert {type(item) for item in items} == {msgspec.Raw}
        assert [bytes(item) for item in items] == texts


@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"data":[', b"]}")])
def test_splitting_copies_nothing(start, end):
    """The items are views into the body, which is as much as is ever held of it."""
    body = start + b",".join([b'{"id":1,"x":"' + b"x" * 100_000 + b'"}'] * 10) + end
    tracemalloc.start()
    try:
        items = split(COURSES, body).items
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(items) == 10
    assert peak_bytes < 100_000


def test_items_that_are_no_objects_are_kept_in_their_places():
    """What an item should be is not decided here."""
    items = [{"id": "1"}, None, 7, "text", [], True, {"id": "2"}]
    assert items_of(json.dumps(items).encode()) == items


LOOSE = [
    (b'{"data":[{"id":"1"},{"hours":1e400}]}', [{"id": "1"}, {"hours": math.inf}]),
    (b'{"data":[{"id":"1"},{"hours":-1e400}]}', [{"id": "1"}, {"hours": -math.inf}]),
    (b'{"data":[{"id":1e2},1.5,-0.0,18446744073709551616]}', [{"id": 100.0}, 1.5, -0.0, 2**64]),
    (b'{"data":[{"id":%d}]}' % 10**100, [{"id": 10**100}]),
    (b'{"data":[{"id":"1","id":"2"}]}', [{"id": "2"}]),
    (b'{"data":[{"id":"\\u0000\\ud83d\\ude00"}]}', [{"id": "\0\N{GRINNING FACE}"}]),
    ('{"data":[{"id":"Café \N{GRINNING FACE}"}]}'.encode(), [{"id": "Café \N{GRINNING FACE}"}]),
]
REFUSED_BY_MSGSPEC = [
    (b'{"data":[{"id":"1"},{"hours":Infinity}]}', [{"id": "1"}, {"hours": math.inf}]),
    (b'[{"id":"1"},{"hours":-Infinity}]', [{"id": "1"}, {"hours": -math.inf}]),
    (b'{"data":[{"id":"\\ud83d"}]}', [{"id": "\ud83d"}]),
    (b'[{"id":"\\ude00\\ud83d"}]', [{"id": "\ude00\ud83d"}]),
    (b'\xef\xbb\xbf{"data":[{"id":"1"}]}', [{"id": "1"}]),
    (b"\xef\xbb\xbf[]", []),
    ('{"data":[{"id":"é"}]}'.encode("utf-16"), [{"id": "é"}]),
    (b'{"data":[{"id":"1"}],"took":1e400}', [{"id": "1"}]),
    (b'{"courses":[{"id":"1"}],"took":NaN}', [{"id": "1"}]),
]


@pytest.mark.parametrize(("body", "items"), LOOSE + REFUSED_BY_MSGSPEC, ids=ascii)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_whatever_a_decoder_reads_is_read(kind, body, items):
    """Out of range, doubled, unpaired: what is odd but readable is left to the flattening."""
    assert items_of(kind(body)) == items


def test_nan_is_read():
    """NaN, which no JSON may hold, comes through as what it is."""
    first, second = items_of(b'{"data":[{"id":"1"},{"hours":NaN}]}')
    assert first == {"id": "1"}
    assert math.isnan(second["hours"])


@pytest.mark.parametrize(
    "item",
    [
        b'{"id":' + b"9" * 5000 + b"}",
    ],
    ids=lambda item: ascii(item)[:30],
)
def test_an_item_that_no_decoder_reads_costs_no_other(item):
    """Endless digits make their item unreadable, and only that."""
    first, second, third = items_of(b'{"data":[{"id":"1"},' + item + b',{"id":"3"}]}')
    assert (first, third) == ({"id": "1"}, {"id": "3"})
    assert isinstance(second, UnreadableItem)
    assert f"it is {second}" == "it is JSON that cannot be decoded"


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000],
    ids=["lists", "objects"],
)
def test_an_item_nested_too_deep_is_unreadable(text):
    """No nesting ends a sync."""
    assert isinstance(decode_item(msgspec.Raw(text)), UnreadableItem)


@pytest.mark.parametrize("item", [{"id": "1"}, [1], "text", 1.5, True, None])
def test_an_item_that_is_decoded_already_is_given_back(item):
    """The second reading has built objects, which need no more decoding."""
    assert decode_item(item) is item


def lists(levels):
    """Nest empty lists."""
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        (lists(499), True),
        (lists(500), False),
        (lists(10_000), False),
        (lists(200_000), False),
        (b'{"a":' * 499 + b"1" + b"}" * 499, True),
        (b'{"a":' * 500 + b"1" + b"}" * 500, False),
        (b'"' + b"[" * 600 + b'\\""', True),
        (b"[" + b"[]," * 600 + b"[]]", True),
    ],
    ids=lambda value: ascii(value)[:12] + str(len(value)) if isinstance(value, bytes) else "",
)
@pytest.mark.parametrize("first", [b'{"id":1}', b'{"id":1,"hours":NaN}'], ids=["", "loose"])
@pytest.mark.parametrize("envelope", [b"[%s]", b'{"data":[%s]}'])
def test_an_item_of_more_than_500_levels_costs_no_other(envelope, first, value, readable):
    """The depth is counted here, so that it is the same on every Python and by either decoder."""
    items = items_of(envelope % (first + b',{"id":2,"x":' + value + b'},{"id":3}'))
    assert [items[0]["id"], items[2]] == [1, {"id": 3}]
    assert isinstance(items[1], UnreadableItem) is not readable


def test_no_failure_of_a_body_leads_back_to_it():
    """The error of a parser would keep the whole body alive, and is no part of the failure."""
    for body in (b'{"data":[NaN', b"[" * 100_000, b"{}"):
        with pytest.raises(TransientError) as refused:
            split(COURSES, body)
        assert refused.value.__context__ is None
        assert refused.value.__cause__ is None


# Keys, charsets and bounds


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ([{"courseId": "1"}], "only 0 of 1 items have a readable id"),
        ([None, {"id": ""}, {"id": True}, {"id": [1]}], "only 0 of 4 items have a readable id"),
        ([{"id": 1}] * 4 + [{}] * 6, "only 4 of 10 items have a readable id"),
        ([{"id": 1}] * 5 + [{}] * 5, None),
        ([{"id": 1}] + [{}] * 8, None),
        ([{"course": {"id": 1}}] * 3, "only 0 of 3 items have a readable id"),
    ],
)
@pytest.mark.parametrize("refused_by_msgspec", [False, True])
def test_items_without_a_key_make_a_response_unreadable(items, problem, refused_by_msgspec):
    """A renamed id is no empty catalog: none of some, or fewer than half of ten, is refused."""
    body = json.dumps({"data": items, "took": math.nan if refused_by_msgspec else 1}).encode()
    if problem is None:
        assert items_of(body) == items
        return
    with pytest.raises(TransientError) as refused:
        split(COURSES, body)
    assert refused.value.reason == f"HTTP 200, but {problem}"


ACCENTS = [{"id": "1", "title": "Décisions à 5 €"}]
ACCENTED = json.dumps(ACCENTS, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (ACCENTED.encode(), ""),
        (ACCENTED.encode(), "ISO-8859-1"),
        (ACCENTED.encode("utf-8-sig"), ""),
        (ACCENTED.encode("utf-16"), ""),
        (ACCENTED.encode("utf-32"), ""),
        (ACCENTED.encode("utf-16-le"), "utf-16-le"),
        (ACCENTED.encode("utf-32-be"), "UTF-32BE"),
        (ACCENTED.encode("iso-8859-15"), "ISO-8859-15"),
        (ACCENTED.encode("cp1252"), '"windows-1252"'),
    ],
)
def test_a_body_is_read_in_its_charset(body, charset):
    """Valid UTF-8 and a byte order mark come before the declaration, which is often wrong."""
    headers = {"Content-Type": f"application/json; charset={charset}"} if charset else {}
    assert [decode_item(item) for item in split(COURSES, body, headers).items] == ACCENTS


@pytest.mark.parametrize(
    "charset", ["", "utf-8", "ascii", "shift_jis", "rot13", "x" * 99, "utf-16"]
)
def test_a_body_in_no_known_charset_is_unreadable(charset):
    """Nothing is guessed: a wrong guess would change every title with an accent."""
    with pytest.raises(TransientError, match="neither valid UTF-8 nor text in a declared charset"):
        split(COURSES, ACCENTED.encode("cp1252"), {"Content-Type": f"a/b; charset={charset}"})


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"[" + b"1," * (MOST_BODY_COMMAS + 1) + b"1]", "1,000,001 commas, more than 1,000,000"),
        (b"[" + b"{}," * MOST_ITEMS + b"{}]", "100,001 items, more than 100,000"),
    ],
    ids=["commas", "items"],
)
def test_a_body_beyond_the_bounds_is_refused_for_good(body, what):
    """Each JSON value costs memory, and a connector has 1 GB."""
    with pytest.raises(FinalError) as refused:
        split(COURSES, body)
    assert refused.value.reason == f"the response has {what}"


@pytest.mark.parametrize(
    ("field", "readable"),
    [
        (b'"' + b"x" * (MOST_ITEM_BYTES - 20) + b'"', True),
        (b'"' + b"x" * MOST_ITEM_BYTES + b'"', False),
        (b"[" + b"1," * (MOST_ITEM_COMMAS - 1) + b"1]", True),
        (b"[" + b"1," * MOST_ITEM_COMMAS + b"1]", False),
    ],
    ids=["bytes", "a byte too many", "commas", "a comma too many"],
)
@pytest.mark.parametrize("first", [b'{"id":"1"}', b'{"id":"1","hours":NaN}'], ids=["", "msgspec"])
def test_an_item_beyond_the_bounds_costs_no_other(field, readable, first):
    """It counts as an item that no decoder reads, whichever decoder read the body."""
    _, second = items_of(b"[" + first + b',{"id":2,"x":' + field + b"}]")
    assert isinstance(second, UnreadableItem) is not readable
    assert readable or str(second) == "larger or nested deeper than any item"
