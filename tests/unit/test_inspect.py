"""The report on the API: its counts, and that it contains no text of the catalog."""

from __future__ import annotations

import json

from async_client import EndpointError
from async_client.errors import FinalError
from devkit.inspect.facts import ReceivedResponse, facts_of
from devkit.inspect.fields import profile
from devkit.inspect.text import as_text
from tests.support.fetching import BY_NAME

TRACKS = BY_NAME["tracks"]
NUMBERS = ("null", "longest", "timestamps", "smallest", "largest")
NOTHING = {"present": "100%", **dict.fromkeys(NUMBERS)}


def facts(document, headers=(), items=(), failure=None):
    """Gather the facts of a response of `tracks` with this body."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    response = ReceivedResponse("tracks", 1, 200, dict(headers), bytearray(body), 0.25)
    return facts_of(TRACKS, failure or list(items), response)


def test_a_field_is_described_without_its_texts():
    """Types, shares, lengths and ranges are those of fields, their members and elements."""
    items = [
        {"id": "a", "at": "2026-01-01", "topic": {"name": None}, "tags": ["new", 7]},
        {"id": 10**400, "at": "soon", "topic": None, "tags": [{"hours": 0.5, "of": {"a": 1}}]},
        "no object",
    ]
    texts = {"types": {"string": 2}, "longest": 10, "timestamps": "50.0%"}
    mixed = {"types": {"string": 1, "integer": 1, "object": 1}, "longest": 3}
    assert profile(items) == {
        "at": {**NOTHING, **texts},
        "id": {**NOTHING, "types": {"string": 1, "integer": 1}, "longest": 1},
        "tags": {**NOTHING, "types": {"list": 2}},
        "tags[]": {**NOTHING, **mixed, "present": None, "smallest": 7, "largest": 7},
        "tags[].hours": {**NOTHING, "types": {"number": 1}, "smallest": 0.5, "largest": 0.5},
        "tags[].of": {**NOTHING, "types": {"object": 1}},
        "topic": {**NOTHING, "null": "50.0%", "types": {"object": 1}},
        "topic.name": {**NOTHING, "null": "100%", "types": {}},
    }


def test_names_that_could_be_texts_are_counted_only():
    """Names that are too long or no identifiers are counted only, and all beyond the first 200."""
    names = ["Data Science", "http://x", "é", "x" * 61, *(f"name{n}" for n in range(300))]
    described = profile([dict.fromkeys(names)] * 2)
    assert (len(described), described["(not shown)"]["null"]) == (200, "100%")
    assert all(name == "(not shown)" or name in names[4:] for name in described)


def test_a_header_value_is_shown_where_it_decides_something():
    """Types, encodings and rate limits are shown if their value is of a fixed vocabulary."""
    shown = {
        "Content-Type": 'text/html; charset="utf-8"',
        "content-encoding": "gzip",
        "Retry-After-long": "7",
        "X-RateLimit-Remaining": "0",
        "RateLimit": "limit=100; w=60",
    }
    hidden = {"Retry-After": "<b>", "Set-Cookie": "session=1", "Location": "http://a", "a!": "1"}
    assert facts([], shown | hidden)["headers"] == [
        *(f"{name}: {value}" for name, value in shown.items()),
        *("Retry-After", "Set-Cookie", "Location", "(not shown)"),
    ]


def test_an_id_is_shown_by_its_kind_alone():
    """Before the number of an id, only one word, a known kind or nothing is shown."""
    ids = ["track-1", "track-2", "custom-track-3", "SKILL_5", "6", "acme", "big-data-7", 8]
    items = [*({"id": identifier} for identifier in ids), "no object"]
    counts = {"track-": 2, "custom-track-": 1, "SKILL_": 1, "(number)": 1, "(other)": 4}
    assert facts({"data": items}, items=items)["id_prefixes"] == counts


def test_the_envelope_shows_numbers_and_flags_but_no_text():
    """Its members are described even if the body is rejected or is not an envelope."""
    members = {"live-tracks": [1], "meta": {"total": 3, "a b": "secret"}, "ok": True, "is": None}
    assert facts(members)["envelope"] == {
        "live-tracks": "list of 1",
        "meta": "object",
        "meta.total": "integer 3",
        "meta.(not shown)": "string",
        "ok": "boolean true",
        "is": "null",
    }
    assert facts(b"<html>")["envelope"] == {"(body)": "unreadable"}


def test_the_rows_of_a_sync_are_counted():
    """Rows, rejected items, coerced values and columns are those that a sync would have."""
    track = {"id": "track-1", "live": "perhaps", "extra": 1, "content": [{"id": "c"}, 5]}
    found = facts([], items=[track, {"id": "track-1", "other": 1}, {"title": "no id"}])
    declared = {f"{table.name}.{name}" for table in TRACKS.tables for name in table.types}
    filled = {"track.id", "track_content.track_id", "track_content.id", "track_content.position"}
    assert (found["coerced"], found["undeclared"]) == ({"track.live": 1}, ["track.extra"])
    assert found["rows"] == {"track": 1, "track_content": 1}
    assert found["rejected"] == {"track": 2, "track_content": 1}
    assert set(found["always_null"]) == declared - filled


def test_a_refused_response_is_described_too():
    """Its items are those of the list with a catalog's name, in any charset."""
    body = '{"live-tracks": [{"id": "track-1"}], "é": 1}'.encode("latin-1")
    failure = EndpointError("tracks", "http://a", 6, FinalError("it is paginated", "Update"))
    found = facts(body, {"Content-Type": "application/json; charset=latin1"}, failure=failure)
    assert (found["failure"], found["response"]["attempts"]) == ("it is paginated", 6)
    assert (found["envelope"]["(not shown)"], found["rows"]) == ("integer 1", {"track": 1})


def test_all_evidence_against_a_response_is_shown():
    """A sync would stop at the first finding."""
    document = {"tracks": [], "error": True, "hasMore": True, "total": 5}
    assert facts(document, {"X-Next-Page": "2"})["evidence"] == {
        "error": "error is true",
        "pages": "hasMore is true",
        "pages in headers": "X-Next-Page is 2",
        "total": "total is 5, but the response has 0 items",
    }


def test_the_text_fits_80_columns():
    """Long names and messages are wrapped."""
    text = as_text([facts([], items=[{"a" * 60: {"b" * 60: 1}}])], "One. " * 40)
    assert max(map(len, text.splitlines())) <= 80
