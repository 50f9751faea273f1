"""The report on the API: its counts, and that it contains no text of the catalog."""

from __future__ import annotations

from async_client import EndpointError, ResponseReceived
from async_client.errors import FinalError
from devkit.inspect.facts import facts_of
from devkit.inspect.fields import profile
from devkit.inspect.text import as_text
from tests.support.fetching import BY_NAME
from tests.support.recording import catalog_of

TRACKS = BY_NAME["tracks"]
NUMBERS = ("null", "longest", "timestamps", "smallest", "largest")
NOTHING = {"present": "100%", **dict.fromkeys(NUMBERS)}


def facts(items=(), headers=(), shortfall=None):
    """Gather the facts of a catalog of `tracks`."""
    found = catalog_of(items, shortfall)
    return facts_of(
        TRACKS, found, ResponseReceived("tracks", 1, 200, dict(headers), 99, 0.25, found)
    )


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
    assert facts(headers=shown | hidden)["headers"] == [
        *(f"{name}: {value}" for name, value in shown.items()),
        *("Retry-After", "Set-Cookie", "Location", "(not shown)"),
    ]


def test_an_id_is_shown_by_its_kind_alone():
    """Before the number of an id, only one word, a known kind or nothing is shown."""
    ids = ["track-1", "track-2", "custom-track-3", "SKILL_5", "6", "acme", "big-data-7", 8]
    items = [*({"id": identifier} for identifier in ids), "no object"]
    counts = {"track-": 2, "custom-track-": 1, "SKILL_": 1, "(number)": 1, "(other)": 4}
    assert facts(items)["id_prefixes"] == counts


def test_the_rows_of_a_sync_are_counted():
    """Rows, rejected items, coerced values and columns are those that a sync would have."""
    track = {"id": "track-1", "live": "perhaps", "extra": 1, "content": [{"id": "c"}, 5]}
    found = facts([track, {"id": "track-1", "other": 1}, {"title": "no id"}])
    declared = {f"{table.name}.{name}" for table in TRACKS.tables for name in table.types}
    filled = {"track.id", "track_content.track_id", "track_content.id", "track_content.position"}
    assert (found["coerced"], found["undeclared"]) == ({"track.live": 1}, ["track.extra"])
    assert found["rows"] == {"track": 1, "track_content": 1}
    assert found["rejected"] == {"track": 2, "track_content": 1}
    assert set(found["always_null"]) == declared - filled


def test_the_response_is_described_as_it_was_judged():
    found = facts([{"id": "1"}], shortfall="total is 5, but the response has 1 item")
    assert found["shortfall"] == "total is 5, but the response has 1 item"
    expected = {"status": 200, "attempts": 1, "seconds": 0.25, "bytes": 99, "items": 1}
    assert (found["response"], found["failure"]) == (expected, None)


def test_a_failure_has_its_reason_and_the_last_response_if_there_was_one():
    failure = FinalError("it is paginated", "Update")
    error = EndpointError("tracks", "http://a", 6, failure)
    response = ResponseReceived("tracks", 5, 200, {"ETag": "1"}, 99, 0.25, failure)
    found, without = facts_of(TRACKS, error, response), facts_of(TRACKS, error, None)
    assert (found["failure"], found["headers"], found["rows"]) == ("it is paginated", ["ETag"], {})
    expected = {"status": 200, "attempts": 6, "seconds": 0.25, "bytes": 99, "items": 0}
    assert found["response"] == expected
    nothing = dict.fromkeys(("status", "seconds", "bytes"))
    assert (without["response"], without["headers"]) == ({**expected, **nothing}, [])


def test_the_text_fits_80_columns():
    """Long names and messages are wrapped."""
    text = as_text([facts([{"a" * 60: {"b" * 60: 1}}])], "One. " * 40)
    assert max(map(len, text.splitlines())) <= 80
