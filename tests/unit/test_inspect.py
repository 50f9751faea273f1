"""The report on the API: what it counts, and that nothing in it can be a text of the catalog."""

from __future__ import annotations

import json

import pytest

from async_client import ReceivedResponse
from async_client.errors import EndpointError, FinalError
from devkit.inspect.facts import facts_of
from devkit.inspect.fetch import Fetched
from devkit.inspect.fields import profile
from devkit.inspect.text import as_text
from endpoints import ENDPOINTS

TRACKS = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "tracks")
FAILURE = EndpointError("tracks", "http://a", 1, FinalError("it is paginated", "Update"))


def facts(document, headers=(), *, items=(), failure=None):
    """Gather the facts of a response of `tracks` with this body."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    response = ReceivedResponse("tracks", 200, dict(headers), bytearray(body))
    return facts_of(Fetched(TRACKS, 1, list(items), failure, response, 0.25))


def field(types, **others):
    """Make the facts of a field, which one of three objects has unless it is said otherwise."""
    nothing = {"longest_text": None, "timestamps": 0, "smallest": None, "largest": None}
    return {"parents": 3, "present": 1, "types": types, **nothing, **others}


def test_a_field_is_described_without_its_texts():
    """Counts, lengths and ranges are kept of fields, of their members and of their elements."""
    items = [
        {"id": "a", "at": "2026-01-01", "topic": {"name": None}, "tags": ["new", 7]},
        {"id": "bcd", "at": "soon", "topic": None, "parts": [{"hours": 0.5, "of": {"a": 1}}]},
        {"id": 10**400, "live": True, "hours": float("nan")},
        "no object",
    ]
    assert profile(items) == {
        "at": field({"string": 2}, present=2, longest_text=10, timestamps=1),
        "hours": field({"number": 1}),
        "id": field({"string": 2, "integer": 1}, present=3, longest_text=3),
        "live": field({"boolean": 1}),
        "parts": field({"list": 1}),
        "parts[]": field({"object": 1}),
        "parts[].hours": field({"number": 1}, parents=1, smallest=0.5, largest=0.5),
        "parts[].of": field({"object": 1}, parents=1),
        "tags": field({"list": 1}),
        "tags[]": field(
            {"string": 1, "integer": 1}, present=2, longest_text=3, smallest=7, largest=7
        ),
        "topic": field({"object": 1, "null": 1}, present=2),
        "topic.name": field({"null": 1}, parents=1),
    }


def test_names_that_are_no_identifiers_are_counted_only():
    """A name with other characters, a long one and all beyond 200 could be texts."""
    names = ["Data Science", "http://x", "é", "x" * 61, *(f"name{n}" for n in range(300))]
    described = profile([dict.fromkeys(names)])
    assert len(described) == 200
    assert described["(not shown)"]["present"] == 105


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Content-Type", 'text/html; charset="utf-8"', 'Content-Type: text/html; charset="utf-8"'),
        ("content-encoding", "gzip", "content-encoding: gzip"),
        ("Retry-After-long", "7", "Retry-After-long: 7"),
        ("X-RateLimit-Remaining", "0", "X-RateLimit-Remaining: 0"),
        ("RateLimit", "limit=100; w=60", "RateLimit: limit=100; w=60"),
        ("Content-Type", "<b>", "Content-Type"),
        ("Location", "https://host/secret", "Location"),
        ("Set-Cookie", "session=1", "Set-Cookie"),
        ("a!", "1", "(not shown)"),
    ],
)
def test_a_header_value_is_shown_where_it_decides_something(name, value, shown):
    """Types, encodings and rate limits have values of a fixed vocabulary; others have none."""
    assert facts([], {name: value})["headers"] == [shown]


def test_an_id_is_shown_by_its_kind_alone():
    """One word, a known kind or nothing may precede the number of an id."""
    ids = ["track-1", "track-2", "custom-track-3", "course-chapter-4", "SKILL_5", "6", "acme"]
    items = [{"id": identifier} for identifier in (*ids, "big-data-7", 8, None)]
    assert facts({"data": items}, items=[*items, "?"])["id prefixes"] == {
        "track-": 2,
        "custom-track-": 1,
        "course-chapter-": 1,
        "SKILL_": 1,
        "(number)": 1,
        "(other)": 5,
    }


def test_the_envelope_shows_numbers_and_flags_but_no_text():
    """Members are named to four levels, also where the body is refused or is no envelope."""
    members = {"data": [1, 2], "live-tracks": None, "meta": {"total": 3, "a b": "secret"}}
    assert facts({**members, "ok": True, "ratio": 0.5})["envelope"] == {
        "data": "list of 2",
        "live-tracks": "null",
        "meta": "object",
        "meta.total": "integer 3",
        "meta.(not shown)": "string",
        "ok": "boolean true",
        "ratio": "number",
    }
    assert facts([1])["envelope"] == {"the_body": "list of 1"}
    assert facts(b"<html>")["envelope"] == {"the_body": "unreadable"}


def test_a_sync_is_foreseen():
    """Rows, rejected and coerced ones, and columns are counted as a sync would write them."""
    items = [
        {"id": "track-1", "live": "perhaps", "extra": 1, "content": [{"id": "c"}, 5]},
        {"id": "track-1", "other": 1},
        {"title": "no id"},
    ]
    found = facts({"data": items}, items=items)
    declared = {f"{t.name}.{name}" for t in TRACKS.tables for name in t.types}
    filled = {"track.id", "track_content.track_id", "track_content.id", "track_content.position"}
    assert set(found["always NULL"]) == declared - filled
    assert {name: found[name] for name in ("rows", "rejected", "coerced", "undeclared")} == {
        "rows": {"track": 1, "track_content": 1},
        "rejected": {"track_content": 1, "track": 2},
        "coerced": {"track.live": 1},
        "undeclared": ["track.extra"],
    }


def test_the_rules_that_doubt_a_response_show_what_they_saw():
    """All of them do, although a sync stops at the first."""
    document = {"tracks": [{"id": "a"}], "error": True, "hasMore": True, "total": 5}
    found = facts(document, {"X-Next-Page": "2"}, failure=FAILURE)
    assert (found["refused"], found["rows"]) == ("it is paginated", {"track": 1})
    assert found["evidence"] == {
        "error": "error is true",
        "further pages": "hasMore is true",
        "further pages in headers": "X-Next-Page is 2",
        "total": "total is 5, but the response has 1 item",
    }


def test_the_text_fits_80_columns():
    """Long names and messages are wrapped, and shares are rounded to neither 0 nor 100%."""
    items = [{"id": str(n), "a" * 60: {"b" * 60: 1}} for n in range(3000)]
    text = as_text([facts({"data": items}, items=[{}, *items])], "One. " * 40)
    assert max(map(len, text.splitlines())) <= 80
    assert "    id                          99.9%    0%  string up to 4\n" in text
    assert f"    {'a' * 60}.{'b' * 15}\n    {'b' * 45}\n" in text
