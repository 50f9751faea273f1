"""The body of a response: what is a catalog, what is not, and that its items stay undecoded."""

from __future__ import annotations

import json
import math
import tracemalloc
from itertools import product

import pytest

from async_client import UnreadableItem
from async_client.errors import CHECK_URL, NEXT_SYNC, FinalError, TransientError
from async_client.response import MAX_BODY_COMMAS, MAX_ITEMS, envelope_names, split
from endpoints import ENDPOINTS
from tests.support.fetching import BY_NAME, COURSES

NO_CHARSET = "the body is neither valid UTF-8 nor valid in its declared charset"


def refusal(body, headers=None):
    """Return why a body is unreadable."""
    with pytest.raises(TransientError) as refused:
        split(COURSES, body, headers)
    assert refused.value.advice == f"{CHECK_URL}; if both are correct, {NEXT_SYNC}"
    assert (refused.value.__cause__, refused.value.__context__) == (
        None,
        None,
    )  # they would keep the body
    return refused.value.reason.removeprefix("HTTP 200, but ")


def final_reason(body):
    """Return why a body is refused without another attempt."""
    with pytest.raises(FinalError) as refused:
        split(COURSES, body)
    return refused.value.reason


def items_of(body, headers=None):
    """Split a body and decode its items."""
    return list(split(COURSES, body, headers))


CUSTOM_NAMES = ("custom_tracks", "live-custom-tracks", "custom-tracks", "live_custom_tracks")


@pytest.mark.parametrize("items", [[{"id": "1"}, {"id": "2"}], []], ids=["two items", "none"])
def test_a_list_may_have_the_name_of_its_endpoint(items):
    """The names are those of the endpoint and its path, with and without `live-`."""
    endpoint = BY_NAME["custom_tracks"]
    assert envelope_names(endpoint) == CUSTOM_NAMES
    for document in [items, *({key: items} for key in ("data", *CUSTOM_NAMES))]:
        assert list(split(endpoint, json.dumps(document).encode())) == items


def test_no_list_name_is_shared():
    """The list of another endpoint is never taken for the requested one."""
    names = [name for endpoint in ENDPOINTS for name in envelope_names(endpoint)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "document",
    [
        b'{"message":"ok","data":[{"id":"1"}],"statusCode":200}',
        b'{"data":[{"id":"1"}],"meta":{"page":1,"total":1}}',
        b'{"courses":[{"id":"1"}],"data":null}',
        b'{"data":[{"id":"0"}],"data":[{"id":"1"}]}',
        b' \r\n\t{ "data" : \n[\t{"id":"1"} ] , "x" : "{" }\n',
        b"\n" * 4096 + b'[{"id":"1"}]',
    ],
    ids=lambda document: document.decode().strip()[:40],
)
def test_other_members_and_whitespace_do_not_matter(document):
    """Members beside the list and whitespace around it are not part of the catalog."""
    assert items_of(document) == [{"id": "1"}]


UNREADABLE = {
    "the body is empty": [b"", b" \n\t "],
    "the body is HTML, not JSON": [b"<!doctype html><title>Sign in</title>", b"\n  <html></html>"],
    "the body is JSON that is neither an object nor a list": [
        *(b"null", b"42", b'"[]"', b"\xef\xbb\xbfnull")
    ],
    "the body is JSON without exactly one `courses` list": [
        *(b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":"[]"}', b'{"data":null,"time":NaN}'),
        *(b'{"data":[],"courses":[]}', b'{"courses":[],"live-courses":[]}'),
        *(b'{"tracks":[]}', b'{"Data":[]}', b'{"message":"wrong","statusCode":500}'),
    ],
    "the body is not valid JSON": [
        *(b"The service is starting", b'{"data":[]} <!-- cached -->', b'{"data":[]}{"data":[]}'),
        *(b'{"data":[{"id":"1"}', b'{"data":[1,]}', b"{'data':[]}", b'{"data":[{"id":"1]}'),
        b'{"data":[' + b"[" * 50_000,
        b'{"data":[],"total":' + b"9" * 5000 + b"}",
        b'{"data":[NaN,' + b"9" * 5000 + b"]}",
    ],
    NO_CHARSET: [b'{"data":[{"id":"1"},{"title":"D\xe9cisions"}]}'],
}


@pytest.mark.parametrize(
    ("problem", "body"),
    [(problem, body) for problem, bodies in UNREADABLE.items() for body in bodies],
    ids=lambda value: ascii(value)[:50],
)
def test_anything_else_is_unreadable(problem, body):
    """Neither another list nor an error object is read, and a truncated body is refused."""
    assert refusal(body) == problem


@pytest.mark.parametrize("number", [b"1", b"NaN"], ids=["JSON", "refused by msgspec"])
def test_members_beside_the_list_may_refuse_the_response(number):
    """Signs of further pages are final, whichever decoder reads the body; an error may pass."""
    item = b'{"data":[{"id":"1","hours":%s}],' % number
    partial = "a partial catalog would delete the rest"
    pages, total = item + b'"meta":{"pages":2}}', item + b'"total":12,"limit":1}'
    short = "total is 12, but the response has 1 item (limit is 1)"
    assert final_reason(pages) == f"the response is paginated: meta.pages is 2; {partial}"
    assert final_reason(total) == f"the response is paginated: {short}; {partial}"
    assert refusal(item + b'"success":false}') == "the body reports an error: success is false"


def test_a_total_above_the_number_of_items_is_passed_on():
    """Without a sign of pages, the items are read and the shortfall is reported."""
    catalog = split(COURSES, b'{"data":[{"id":"1"}]}', {"X-Total-Count": "12"})
    assert (len(catalog), list(catalog)) == (1, [{"id": "1"}])
    assert catalog.shortfall == "X-Total-Count is 12, but the response has 1 item"


@pytest.mark.parametrize("envelope", [b"[%s]", b'{"data": [%s]}'])
def test_splitting_neither_decodes_nor_copies(envelope):
    """The items stay views into the body; each is decoded in its turn, and freed."""
    text = b'{"id":1,"x":[' + b"{}," * 3_000 + b"{}]}"
    body = envelope % b",".join([text] * 20)
    tracemalloc.start()
    try:
        catalog = split(COURSES, body)
        _, peak_after_split = tracemalloc.get_traced_memory()
        count = sum(1 for _ in catalog)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (count, len(catalog)) == (20, 20)
    assert peak_after_split < len(text)
    assert peak_bytes < 60 * len(text)  # two items as objects, not twenty


REFUSED_BY_MSGSPEC = [
    (b'{"data":[{"id":"1"},{"hours":Infinity}]}', [{"id": "1"}, {"hours": math.inf}]),
    (b'[{"id":"1"},{"hours":-Infinity}]', [{"id": "1"}, {"hours": -math.inf}]),
    (b'{"data":[{"id":"1"},{"hours":NaN}]}', [{"id": "1"}, {"hours": math.nan}]),
    (b'{"data":[{"id":"\\ud83d"}]}', [{"id": "\ud83d"}]),
    (b'[{"id":"\\ude00\\ud83d"}]', [{"id": "\ude00\ud83d"}]),
    (b'\xef\xbb\xbf{"data":[{"id":"1"}]}', [{"id": "1"}]),
    (b"\xef\xbb\xbf[]", []),
    ('{"data":[{"id":"é"}]}'.encode("utf-16"), [{"id": "é"}]),
    (b'{"data":[{"id":"1"}],"took":1e400}', [{"id": "1"}]),
    (b'{"courses":[{"id":"1"}],"took":NaN}', [{"id": "1"}]),
]


@pytest.mark.parametrize(("body", "items"), REFUSED_BY_MSGSPEC, ids=ascii)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_body_that_msgspec_refuses_is_read_by_the_standard_library(kind, body, items):
    """NaN, infinity and lone surrogates are passed on to `flatten`."""
    assert repr(items_of(kind(body))) == repr(items)  # NaN is not equal to NaN


DIGITS, TOO_LONG = b"9" * 5000, b'"' + b"x" * 4 * 1024 * 1024 + b'"'
TOO_DEEP, MUCH_TOO_DEEP = (b"[" * levels + b"]" * levels for levels in (500, 50_000))


@pytest.mark.parametrize(
    ("hours", "value"),
    [(b"1", DIGITS), *product((b"1", b"NaN"), (TOO_DEEP, MUCH_TOO_DEEP, TOO_LONG))],
    ids=lambda value: f"{value[:9]!r} {len(value)}",
)
def test_an_unreadable_item_costs_no_other(hours, value):
    """It is one UnreadableItem among the others, whichever decoder reads the body."""
    body = b'[{"id":1,"hours":%s},{"id":2,"x":%s},{"id":3}]' % (hours, value)
    first, second, third = items_of(body)
    assert (first["id"], type(second), third) == (1, UnreadableItem, {"id": 3})


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ([None, {"id": ""}, {"id": True}, {"id": [1]}], "only 0 of 4 items have a readable id"),
        ([{"id": 1}] * 4 + [{}] * 6, "only 4 of 10 items have a readable id"),
        ([{"id": 1}] * 5 + [{}] * 5, None),
        ([None, 7, "text", [], True, {}, {}, {}, {"id": 1}], None),
        ([{"course": {"id": 1}}] * 3, "only 0 of 3 items have a readable id"),
    ],
)
@pytest.mark.parametrize("refused_by_msgspec", [False, True])
def test_items_without_a_key_make_a_response_unreadable(items, problem, refused_by_msgspec):
    """A response with no id, or ids in fewer than half of ten items, must not empty a table.

    Otherwise items of any type are kept in their order.
    """
    body = json.dumps({"data": items, "took": math.nan if refused_by_msgspec else 1}).encode()
    assert (refusal(body) == problem) if problem else (items_of(body) == items)


ACCENTS = [{"id": "1", "title": "Décisions à 5 €"}]
ACCENTED = json.dumps(ACCENTS, ensure_ascii=False)


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [
        *(("utf-8", ""), ("utf-8", "ISO-8859-1"), ("utf-8-sig", ""), ("utf-16", "")),
        *(("utf-32", ""), ("utf-16-le", "utf-16-le"), ("utf-32-be", "UTF-32BE")),
        *(("iso-8859-15", "ISO-8859-15"), ("cp1252", '"windows-1252"')),
    ],
)
def test_a_body_is_read_in_its_charset(encoding, charset):
    """Valid UTF-8 and a byte order mark take precedence over the declaration, often wrong."""
    headers = {"Content-Type": f"application/json; charset={charset}"} if charset else {}
    assert items_of(ACCENTED.encode(encoding), headers) == ACCENTS


@pytest.mark.parametrize("charset", ["", "utf-8", "shift_jis", "rot13", "x" * 99, "utf-16"])
def test_a_body_in_no_known_charset_is_unreadable(charset):
    """Nothing is guessed: a wrong guess would change every title with an accent."""
    headers = {"Content-Type": f"a/b; charset={charset}"}
    assert refusal(ACCENTED.encode("cp1252"), headers) == NO_CHARSET


def test_a_body_beyond_the_bounds_is_final():
    """Each JSON value costs memory, and a connector has 1 GB."""
    commas, items = b"1," * (MAX_BODY_COMMAS + 1), b"{}," * MAX_ITEMS
    too_many = "the response has 1,000,001 commas, more than 1,000,000"
    assert final_reason(b"[%s1]" % commas) == too_many
    assert final_reason(b"[%s{}]" % items) == "the response has 100,001 items, more than 100,000"
