"""The body of a response: what is a catalog, what is not, and why."""

from __future__ import annotations

import json
import math
import sys
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_client.errors import CHECK_URL, NEXT_SYNC, FinalError, TransientError
from async_client.limits import MAX_BODY_BYTES, MAX_ITEMS, MAX_VALUES
from async_client.response import Response, envelope_names, judge
from endpoints import ENDPOINTS
from tests.support.cases import cases
from tests.support.fetching import BY_NAME, COURSES

NO_CHARSET = "the body is neither valid UTF-8 nor valid in its declared charset"
PARTIAL = "a partial catalog would delete the rest"


def judged(body, headers=None, endpoint=COURSES, status=200):
    """Judge a response of the courses, or of another endpoint."""
    response = Response(status, headers or {}, body)
    return judge(endpoint, "http://mock", response, datetime.now(timezone.utc))


def items_of(body, headers=None):
    """Return the items of a response."""
    catalog = judged(body, headers)
    assert len(catalog) == len(catalog.items())
    return catalog.items()


def refusal(body, headers=None):
    """Return why a body is unreadable."""
    with pytest.raises(TransientError) as refused:
        judged(body, headers)
    assert refused.value.advice == f"{CHECK_URL}; if both are correct, {NEXT_SYNC}"
    return refused.value.reason.removeprefix("HTTP 200, but ")


def final_reason(body, headers=None):
    """Return why a body is refused without another attempt."""
    with pytest.raises(FinalError) as refused:
        judged(body, headers)
    return refused.value.reason


CUSTOM_NAMES = ("custom_tracks", "live-custom-tracks", "custom-tracks", "live_custom_tracks")


@pytest.mark.parametrize("items", [[{"id": "1"}, {"id": "2"}], []], ids=["two items", "none"])
def test_a_list_may_have_the_name_of_its_endpoint(items):
    """The names are those of the endpoint and its path, with and without `live-`."""
    endpoint = BY_NAME["custom_tracks"]
    assert envelope_names(endpoint) == CUSTOM_NAMES
    for document in [items, *({key: items} for key in ("data", *CUSTOM_NAMES))]:
        assert judged(json.dumps(document).encode(), endpoint=endpoint).items() == items


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
    assert items_of(document) == [{"id": "1"}]


def nested(levels):
    """Nest empty lists."""
    return b"[" * levels + b"]" * levels


UNREADABLE = {
    "the body is empty": [b"", b" \n\t "],
    "the body is HTML, not JSON": [b"<!doctype html><title>Sign in</title>", b"\n  <html></html>"],
    "the body is JSON that is neither an object nor a list": [
        *(b"null", b"42", b'"[]"', b"\xef\xbb\xbfnull", b"NaN")
    ],
    "the body is JSON without exactly one `courses` list": [
        *(b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":"[]"}', b'{"data":null,"time":NaN}'),
        *(b'{"data":[],"courses":[]}', b'{"courses":[],"live-courses":[]}'),
        *(b'{"tracks":[]}', b'{"Data":[]}', b'{"message":"wrong","statusCode":500}'),
    ],
    "the body is not valid JSON": [
        *(b"The service is starting", b'{"data":[]} <!-- cached -->', b'{"data":[]}{"data":[]}'),
        *(b'{"data":[{"id":"1"}', b'{"data":[1,]}', b"{'data':[]}", b'{"data":[{"id":"1]}'),
        *(b'{"data":[' + b"[" * 50_000, nested(400_000), b"[NaN," + nested(400_000) + b"]"),
        *(b'{"data":[],"total":' + b"9" * 5000 + b"}", b'{"data":[NaN,' + b"9" * 5000 + b"]}"),
    ],
    NO_CHARSET: [b'{"data":[{"id":"1"},{"title":"D\xe9cisions"}]}', b"\0[]  "],
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
    pages, total = item + b'"meta":{"pages":2}}', item + b'"total":12,"limit":1}'
    short = "total is 12, but the response has 1 item (limit is 1)"
    assert final_reason(pages) == f"the response is paginated: meta.pages is 2; {PARTIAL}"
    assert final_reason(total) == f"the response is paginated: {short}; {PARTIAL}"
    assert refusal(item + b'"success":false}') == "the body reports an error: success is false"


def test_status_and_headers_are_judged_before_the_body():
    found = final_reason(b"<html>", {"X-Next-Page": "2"})
    assert found == f"the response is paginated: X-Next-Page is 2; {PARTIAL}"
    with pytest.raises(TransientError, match="HTTP 503"):
        judged(b'[{"id":"1"}]', status=503)


def test_a_total_above_the_number_of_items_is_passed_on():
    """Without a sign of pages, the items are read and the shortfall is reported."""
    catalog = judged(b'{"data":[{"id":"1"}]}', {"X-Total-Count": "12"})
    assert (len(catalog), catalog.items()) == (1, [{"id": "1"}])
    assert catalog.shortfall == "X-Total-Count is 12, but the response has 1 item"


def test_items_are_decoded_from_scratch_at_each_call():
    """What a caller does to them changes nothing, and the catalog keeps bytes alone."""
    catalog = judged(b'{"data":[{"id":"1"}]}')
    first, second = catalog.items(), catalog.items()
    assert (first == second, first[0] is second[0]) == (True, False)
    kept = [type(value) for value in vars(catalog).values()]
    assert kept == [bytes, str, int, type(None)]


@pytest.mark.parametrize("body", [b'[{"name":"1"}]', b'[{"name":NaN}]', b"[{"])
def test_the_error_of_a_body_keeps_none_of_its_objects(body):
    """It outlives them, as another attempt is waited for. No parser's error is its context."""
    with pytest.raises(TransientError) as refused:
        judged(body)
    raised_in = refused.value.__traceback__.tb_next.tb_next
    assert (raised_in.tb_frame.f_code.co_name, raised_in.tb_next) == ("judge", None)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)


REFUSED_BY_MSGSPEC = [
    (b'{"data":[{"id":"1"},{"hours":Infinity}]}', [{"id": "1"}, {"hours": math.inf}]),
    (b'[{"id":"1"},{"hours":-Infinity}]', [{"id": "1"}, {"hours": -math.inf}]),
    (b'{"data":[{"id":"1"},{"hours":NaN}]}', [{"id": "1"}, {"hours": math.nan}]),
    (b'{"data":[{"id":"\\ud83d"}]}', [{"id": "\ud83d"}]),
    (b'[{"id":"\\ude00\\ud83d"}]', [{"id": "\ude00\ud83d"}]),
    (b'{"data":[{"id":"1"}],"took":1e400}', [{"id": "1"}]),
    (b'{"courses":[{"id":"1"}],"took":NaN}', [{"id": "1"}]),
]


@pytest.mark.parametrize(("body", "items"), REFUSED_BY_MSGSPEC, ids=ascii)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_body_that_msgspec_refuses_is_read_by_the_standard_library(kind, body, items):
    """NaN, infinity and lone surrogates are passed on to `flatten`."""
    assert repr(items_of(kind(body))) == repr(items)  # NaN is not equal to NaN


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@settings(max_examples=50, deadline=None)
@given(st.recursive(scalars, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=9))
def test_both_readers_return_the_same_values(value):
    """Types too: -0.0 and 1.0 stay floats, and long integers stay integers."""
    item = json.dumps({"id": 1, "value": value}).replace("Infinity", "1e400")
    usual, unusual = items_of(f"[{item}]".encode()), items_of(f"[{item},NaN]".encode())
    assert repr(usual) == repr(unusual[:1]) == repr([json.loads(item)])


def test_what_was_judged_can_be_decoded_deeper_in_the_stack():
    """Until Python 3.11, the frames of a caller count towards the depth of a text."""
    levels = sys.getrecursionlimit() - 150
    body = b'[{"id":"1","x":%s}]' % nested(levels)
    catalog = judged(body)

    def deeper(frames):
        return deeper(frames - 1) if frames else len(catalog.items())

    assert deeper(200) == 1


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ([None, {"id": ""}, {"id": True}, {"id": [1]}], "only 0 of 4 items have a readable id"),
        ([{"id": 1}] * 4 + [{}] * 6, "only 4 of 10 items have a readable id"),
        ([{"id": 1}] * 5 + [{}] * 5, None),
        ([None, 7, "text", [], True, {}, {}, {}, {"id": 1}], None),
        ([{"course": {"id": 1}}] * 3, "only 0 of 3 items have a readable id"),
        ([{"id": "\0"}, {"id": 1.5}], None),
    ],
)
def test_items_without_a_key_make_a_response_unreadable(items, problem):
    """A response with no id, or ids in fewer than half of ten items, must not empty a table.

    Otherwise items of any type are kept in their order.
    """
    body = json.dumps({"data": items}).encode()
    assert (refusal(body) == problem) if problem else (items_of(body) == items)


ACCENTS = [{"id": "1", "title": "Décisions à 5 €"}]
ACCENTED = json.dumps(ACCENTS, ensure_ascii=False)


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [
        *(("utf-8", ""), ("utf-8", "ISO-8859-1"), ("utf-8-sig", ""), ("utf-16", "")),
        *(("utf-32", ""), ("utf-16-le", "utf-16-le"), ("utf-32-be", "UTF-32BE")),
        *(("utf-16-be", ""), ("utf-16-le", "ISO-8859-1")),
        *(("iso-8859-15", "ISO-8859-15"), ("cp1252", '"windows-1252"')),
    ],
)
def test_a_body_is_read_in_its_charset(encoding, charset):
    """The bytes take precedence over the declaration, which is often wrong."""
    headers = {"Content-Type": f"application/json; charset={charset}"} if charset else {}
    assert items_of(ACCENTED.encode(encoding), headers) == ACCENTS


@pytest.mark.parametrize("charset", ["", "utf-8", "shift_jis", "rot13", "x" * 99, "utf-16"])
def test_a_body_in_no_known_charset_is_unreadable(charset):
    """Nothing is guessed: a wrong guess would change every title with an accent."""
    headers = {"Content-Type": f"a/b; charset={charset}"}
    assert refusal(ACCENTED.encode("cp1252"), headers) == NO_CHARSET


@cases(
    "body, reason",
    {
        "values": (b"[%s1]" % (b"1," * MAX_VALUES), "1,000,001 commas and opening brackets"),
        "lists": (nested(MAX_VALUES + 1), "1,000,001 commas and opening brackets"),
        "objects": (b'[{"id":1}%s]' % (b',{"a":{}}' * 333_334), "1,000,004 commas and"),
        "items": (b"[%s{}]" % (b"{}," * MAX_ITEMS), "100,001 items, more than 100,000"),
        "bytes": (b'["%s"]' % (b"\xe9" * (MAX_BODY_BYTES // 2)), "a body of more than 33,554,432"),
    },
)
def test_a_body_beyond_the_bounds_is_final(body, reason):
    """Each JSON value costs memory, and a connector has 1 GB. A body may grow as UTF-8."""
    found = final_reason(body, {"Content-Type": "application/json; charset=latin1"})
    assert found.startswith(f"the response has {reason}")


def test_a_body_at_the_bound_is_read():
    body = b"[%s1]" % (b'{"id":1},' * (MAX_ITEMS - 1))
    values = b'[{"id":1,"x":[%s1]}]' % (b"1," * (MAX_VALUES - 4))
    assert (len(items_of(body)), len(items_of(values))) == (MAX_ITEMS, 1)
