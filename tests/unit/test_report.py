"""Every text of a sync's log, warnings and errors."""

from __future__ import annotations

from collections import Counter

import pytest

import report
from async_client import CatalogFetched, EndpointError, RetryScheduled
from async_client.errors import FinalError, NoSuchCatalogError, NotIncludedError, TransientError
from changes import Outcome
from endpoints import ENDPOINTS
from flatten import Rejected
from tests.support.recording import failed, refused

NAMES = [endpoint.name for endpoint in ENDPOINTS]
URL = "https://lms-catalog-api.datacamp.com"

FORBIDDEN = NoSuchCatalogError(
    "tracks", f"{URL}/tracks", 1, NotIncludedError("HTTP 403 Forbidden", "Ask DataCamp")
)
DOWN = EndpointError(
    "courses", f"{URL}/courses", 6, TransientError("HTTP 503 Service Unavailable", "Wait")
)


@pytest.mark.parametrize(
    ("names", "known", "expected"),
    [
        pytest.param(NAMES, [], "Initial sync: fetching 6 catalogs from {}.", id="initial"),
        pytest.param(
            ["tracks"], ["tracks"], "Incremental sync: fetching 1 catalog from {}.", id="later"
        ),
        pytest.param(
            NAMES,
            NAMES[1:5],
            "Incremental sync: fetching 6 catalogs from {}; rewriting assessments, courses.",
            id="two without a snapshot",
        ),
    ],
)
def test_the_first_line_names_the_kind_of_sync(names, known, expected):
    """It says how many catalogs are fetched from where, and which tables are rewritten."""
    assert report.started(URL, names, known) == expected.format(URL)


def test_an_unencrypted_token_is_warned_about():
    """The warning names the key, the danger and the fix."""
    assert report.unencrypted("http://mock:8080") == (
        "base_url is http://mock:8080: http is unencrypted, so others on the network can read "
        "the token. Use https."
    )


def test_a_retry_is_one_line():
    """It names endpoint, attempt, reason and wait."""
    retry = RetryScheduled("courses", 2, 6, "HTTP 503 Service Unavailable", 3.14159)
    assert report.retrying(retry) == (
        "courses: attempt 2 of 6 failed: HTTP 503 Service Unavailable; retrying in 3.1 s"
    )


@pytest.mark.parametrize(
    ("event", "waiting_for", "expected"),
    [
        ((0, 11, 0.0, 1), None, "0 items, 0.0 kB, 0.00 s"),
        ((1, 99_949, 1.234, 1), "tracks", "1 item, 99.9 kB, 1.23 s; waiting for tracks"),
        ((2, 100_000, 1.0, 1), None, "2 items, 0.1 MB, 1.00 s"),
        ((1764, 2_345_678, 12.5, 3), None, "1,764 items, 2.3 MB, 12.50 s, 3 attempts"),
    ],
    ids=["empty", "one that waits", "the smallest in MB", "after two retries"],
)
def test_a_fetched_catalog_is_one_line(event, waiting_for, expected):
    """It has items, size, time, the number of attempts if above 1, and what it waits for."""
    line = report.fetched(CatalogFetched("courses", *event), waiting_for)
    assert line == f"courses fetched: {expected}"


FULL = Outcome(
    items=1234,
    new=1000,
    changed=2,
    unchanged=30,
    deleted=4,
    deferred=5,
    upserted_rows=6000,
    deleted_rows=7,
    rejected=1008,
)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(
            FULL,
            "1,000 new, 2 changed, 30 unchanged, 4 deleted, 5 deletes deferred; "
            "6,000 rows upserted; 7 rows deleted; 1,008 rows rejected; 1.00 s",
            id="all counts",
        ),
        pytest.param(Outcome(unchanged=12), "12 unchanged; 1.00 s", id="an unchanged catalog"),
        pytest.param(
            Outcome(deleted=1, deleted_rows=1, deferred=1),
            "1 deleted, 1 delete deferred; 1 row deleted; 1.00 s",
            id="one of each",
        ),
        pytest.param(Outcome(), "no items; 1.00 s", id="an empty catalog"),
    ],
)
def test_a_written_catalog_is_one_line(outcome, expected):
    """It has the items by outcome and the rows written; counts of zero are left out."""
    assert report.written("courses", outcome, 1.004) == f"courses written: {expected}"


def rejected(name, reason="it has no id"):
    """Return an outcome with one rejected course of this id."""
    return Outcome(rejected=1, first_rejected=[Rejected("course", name, reason)])


REJECTED = {"rejected": 1, "first_rejected": [Rejected("course", "?", "it has no id")]}
BAD_VALUES = {"bad_values": Counter({("course", "live"): 1})}
DEFERRED = {"deferred": 1, "suspicion": "an item has no readable id"}
REJECTED_TEXT = "1 row rejected; the first is of course, id ?: it has no id."
BAD_VALUES_TEXT = "1 value did not fit and became NULL or incomplete: course.live 1."
DEFERRED_TEXT = (
    "1 delete deferred because an item has no readable id. An item is deleted once it is missing "
    "in 3 syncs in a row; re-sync to delete at once."
)
MANY_COLUMNS = Counter(
    {
        ("course", "live"): 2,
        ("course", "updatedAt"): 1200,
        ("course_chapter", "a"): 2,
        ("course", "c"): 1,
        ("course", "d"): 1,
        ("course", "e"): 1,
    }
)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param(
            REJECTED | BAD_VALUES | DEFERRED,
            f"courses: {REJECTED_TEXT} {BAD_VALUES_TEXT} {DEFERRED_TEXT}",
            id="a sentence each",
        ),
        pytest.param(
            {"bad_values": MANY_COLUMNS},
            "courses: 1,207 values did not fit and became NULL or incomplete: course.updatedAt "
            "1,200, course.live 2, course_chapter.a 2, course.c 1, course.d 1 and 1 more column.",
            id="the worst five columns first",
        ),
        pytest.param(
            {"shortfall": "meta.total is 12, but the response has 6 items"},
            "courses: The catalog may be incomplete: meta.total is 12, but the response has 6 "
            "items.",
            id="a total above the number of items, with nothing to delete",
        ),
    ],
)
def test_concerns_are_one_warning_with_a_sentence_each(counts, expected):
    """An endpoint has at most one warning, and none if there is nothing to look at."""
    assert report.concerns("courses", Outcome(**counts)) == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Käthe 東京", "Käthe 東京", id="any script"),
        pytest.param("a\nb\u2028c", r"'a\nb\u2028c'", id="line breaks"),
        pytest.param("x" * 120, "x" * 120, id="the longest that is shown whole"),
        pytest.param("x" * 121, "x" * 120 + "…", id="a longer one"),
    ],
)
def test_names_of_the_api_stay_on_one_line(name, shown):
    """An id or a field name neither breaks a line nor makes it arbitrarily long."""
    outcome = rejected(name)
    outcome.bad_values = Counter({("course", name): 1})
    assert report.rejections("courses", outcome) == [
        f"courses: rejected a row of course with id {shown}: it has no id"
    ]
    assert report.concerns("courses", outcome) == (
        f"courses: 1 row rejected; the first is of course, id {shown}: it has no id. "
        f"1 value did not fit and became NULL or incomplete: course.{shown} 1."
    )


def test_names_of_the_api_are_not_markup():
    """The dashboard renders markup, and the SDK raises on malformed markup."""
    outcome = rejected("<!--", "its position is '<p>'")
    outcome.bad_values = Counter({("course", "</p>"): 1})
    text = (
        "courses: 1 row rejected; the first is of course, id <!--: its position is '<p>'. "
        "1 value did not fit and became NULL or incomplete: course.</p> 1."
    )
    shown = text.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")
    assert report.concerns("courses", outcome) == shown


@pytest.mark.parametrize(
    ("outcomes", "skipped", "expected"),
    [
        pytest.param(
            dict.fromkeys(NAMES, FULL),
            [],
            "6 of 6 catalogs written; 6,000 new, 12 changed, 180 unchanged, 24 deleted, "
            "30 deletes deferred.",
            id="all are written",
        ),
        pytest.param(
            {"assessments": Outcome(unchanged=2), "projects": failed("projects")},
            ["practices"],
            "1 of 5 catalogs written; 2 unchanged; failed: projects; "
            "not reached: custom_tracks, tracks, courses; skipped: practices.",
            id="one of each kind",
        ),
        pytest.param({"tracks": Outcome()}, NAMES[:4] + NAMES[5:], None, id="one empty catalog"),
    ],
)
def test_the_last_line_sums_up_the_sync(outcomes, skipped, expected):
    """It has all items by outcome, and names each endpoint that was not written."""
    expected = expected or (
        "1 of 1 catalog written; "
        "skipped: assessments, practices, projects, custom_tracks, courses."
    )
    assert report.summary(outcomes, skipped) == f"Sync finished. {expected}"


def test_a_failure_lists_each_endpoint_why_and_what_to_do():
    """The error of a sync has the failed endpoints, the last reason, the attempts and the fix."""
    assert report.failure(iter([FORBIDDEN, DOWN]), 6) == (
        "2 of 6 catalogs could not be fetched. Their tables are unchanged; "
        f"all others are up to date.\n- {FORBIDDEN}\n- {DOWN}"
    )


def test_a_rejected_token_is_the_head_of_a_failure():
    """After a 401, it does not say that other tables are up to date."""
    token_rejected = refused("tracks")
    assert report.failure([failed("projects"), token_rejected], 6) == (
        "DataCamp rejected the token (HTTP 401); the sync stopped.\n"
        f"- {failed('projects')}\n- {token_rejected}"
    )


CLOSED = "HTTP 403 Forbidden. Ask DataCamp to include"


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        pytest.param(dict.fromkeys(NAMES), "", id="all can be read"),
        pytest.param(
            {**dict.fromkeys(NAMES), "tracks": FORBIDDEN, "courses": refused("courses")},
            "DataCamp rejected the token: 401. Renew it.",
            id="the token is rejected somewhere",
        ),
        pytest.param(
            {"projects": None, "custom_tracks": FORBIDDEN, "tracks": FORBIDDEN, "courses": None},
            f"The token cannot read custom_tracks, tracks: {CLOSED} them, or set skip_endpoints "
            "to: assessments, practices, custom_tracks, tracks.",
            id="two are forbidden and two skipped",
        ),
        pytest.param(
            {**dict.fromkeys(NAMES), "tracks": FORBIDDEN, "courses": DOWN},
            f"The token cannot read tracks: {CLOSED} it, or set skip_endpoints to: tracks. "
            "courses cannot be read: HTTP 503 Service Unavailable. Wait.",
            id="one is forbidden and one down",
        ),
        pytest.param(
            dict.fromkeys(NAMES, FORBIDDEN),
            "No catalog can be read: HTTP 403 Forbidden. Check base_url, and ask DataCamp what "
            "the token may read.",
            id="all are forbidden",
        ),
        pytest.param(
            {
                name: EndpointError(name, URL, 1, FinalError("no connection", "Check base_url"))
                for name in NAMES
            },
            "No catalog can be read: no connection. Check base_url.",
            id="none can be reached",
        ),
    ],
)
def test_the_connection_test_names_the_problem_and_the_fix(errors, expected):
    """A failure that all endpoints share is reported once."""
    assert report.unreadable_endpoints(errors) == (expected and f"{expected} {report.INSPECT}")
