"""Every text of a sync's log, warnings and errors."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import report
from async_client import CatalogFetched, EndpointError, NotIncludedError, RetryScheduled
from changes import Outcome
from endpoints import ENDPOINTS
from flatten import Rejected
from tests.support.cases import cases
from tests.support.recording import failed, token_rejected

NAMES = [endpoint.name for endpoint in ENDPOINTS]
URL = "https://lms-catalog-api.datacamp.com"
FORBIDDEN = EndpointError(
    "tracks", f"{URL}/tracks", 1, NotIncludedError("HTTP 403 Forbidden", "Ask DataCamp")
)


@cases(
    "names, known, expected",
    {
        "initial": (NAMES, [], "Initial sync: fetching 6 catalogs from {}."),
        "incremental": (["tracks"], NAMES, "Incremental sync: fetching 1 catalog from {}."),
        "incremental with two initial endpoints": (
            NAMES,
            NAMES[:4],
            "Incremental sync: fetching 6 catalogs from {}; to be rewritten: tracks, courses.",
        ),
    },
)
def test_the_first_line_names_the_kind_of_sync(names, known, expected):
    """It has the number of catalogs, their source, and the tables that are rewritten."""
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
    limited = RetryScheduled("courses", 1, None, "HTTP 429 Too Many Requests", 15.0)
    assert report.retrying(limited) == (
        "courses: HTTP 429 Too Many Requests; endpoints that reached the limit now send "
        "one request at a time, the next in 15.0 s"
    )


@cases(
    "event, waiting_for, expected",
    {
        "empty": ((0, 11, 0.0, 1), None, "0 items, 0.0 kB, 0.00 s"),
        "early": ((1, 99_949, 1.234, 1), "tracks", "1 item, 99.9 kB, 1.23 s; waiting for tracks"),
        "the smallest in MB": ((2, 100_000, 1.0, 1), None, "2 items, 0.1 MB, 1.00 s"),
        "retried": ((1764, 2_345_678, 12.5, 3), None, "1,764 items, 2.3 MB, 12.50 s, 3 attempts"),
    },
)
def test_a_fetched_catalog_is_one_line(event, waiting_for, expected):
    """It has items, size and time, several attempts, and the endpoint that is written before."""
    line = report.fetched(CatalogFetched("courses", *event), waiting_for)
    assert line == f"courses fetched: {expected}"


FULL = Outcome(
    new=1000, changed=2, unchanged=30, deleted=4, deferred_deletes=5, deferred_changes=6
)


@cases(
    "outcome, items, rows",
    {
        "all counts": (
            replace(FULL, upserted_rows=6000, deleted_rows=7, rejected=1008),
            "1,000 new, 2 changed, 30 unchanged, 4 deleted, 6 changes and 5 deletes deferred",
            "; 6,000 rows upserted; 7 rows deleted; 1,008 rows rejected",
        ),
        "an unchanged catalog": (Outcome(unchanged=12), "12 unchanged", ""),
        "one item": (Outcome(new=1, upserted_rows=1), "1 new", "; 1 row upserted"),
        "one delete deferred": (Outcome(deferred_deletes=1), "1 delete deferred", ""),
        "an empty catalog": (Outcome(), "no items", ""),
    },
)
def test_a_written_catalog_is_one_line(outcome, items, rows):
    """It has the items by outcome and the rows written; counts of zero are left out."""
    line = report.written("courses", outcome, 1.004)
    assert line == f"courses written: {items}{rows}; 1.00 s"


MANY_COLUMNS = Counter({("course", name): 1 for name in "abc"})
MANY_COLUMNS["course", "updatedAt"] = 1200
MANY_COLUMNS["course", "live"] = MANY_COLUMNS["course_chapter", "a"] = 2


@cases(
    "counts, sentences",
    {
        "nothing": ({}, []),
        "everything": (
            {
                "rejected": 1,
                "first_rejected": [Rejected("course", "?", "it has no id")],
                "bad_values": Counter({("course", "live"): 1}),
                "deferred_deletes": 1,
                "suspicion": "an item has no readable id",
                "unreadable_lists": 2,
                "deferred_changes": 3,
                "child_suspicion": "9 of 9 known rows of course_chapter are missing",
            },
            [
                "1 row rejected; the first is of course, id ?: it has no id.",
                "1 value did not fit and became NULL or incomplete: course.live 1.",
                "2 nested lists could not be read, as another value is in its place; the rows of",
                "such a list are neither written nor deleted.",
                "3 changes deferred because 9 of 9 known rows of course_chapter are missing. An",
                "item that lost rows is written once it comes so in 3 syncs in a row; re-sync to",
                "write it at once.",
                "1 delete deferred because an item has no readable id. An item is deleted once it",
                "is missing in 3 syncs in a row; re-sync to delete at once.",
            ],
        ),
        "the most frequent five columns first": (
            {"bad_values": MANY_COLUMNS},
            [
                "1,207 values did not fit and became NULL or incomplete: course.updatedAt 1,200,",
                "course.live 2, course_chapter.a 2, course.a 1, course.b 1 and 1 more column.",
            ],
        ),
        "a total above the number of items, with nothing to delete": (
            {"shortfall": "meta.total is 12"},
            ["The catalog may be incomplete: meta.total is 12."],
        ),
    },
)
def test_concerns_are_one_warning_with_a_sentence_each(counts, sentences):
    """An endpoint has at most one warning, and none if there is nothing to look at."""
    expected = " ".join(["courses:", *sentences]) if sentences else ""
    assert report.concerns("courses", Outcome(**counts)) == expected


@cases(
    "name, logged, warned",
    {
        "any script": ("Käthe 東京", "Käthe 東京", "Käthe 東京"),
        "line breaks": ("a\nb\u2028c", r"'a\nb\u2028c'", r"'a\nb\u2028c'"),
        "the longest that is shown whole": ("x" * 120, "x" * 120, "x" * 120),
        "a longer one": ("x" * 121, "x" * 120 + "…", "x" * 120 + "…"),
        "markup, which the dashboard renders": ("</p>", "</p>", "\u2039/p>"),
    },
)
def test_names_of_the_api_stay_on_one_line(name, logged, warned):
    """An id or a field name is neither long nor markup, and does not break a line."""
    outcome = Outcome(
        rejected=1,
        first_rejected=[Rejected("course", name, "it has no id")],
        bad_values=Counter({("course", name): 1}),
    )
    assert report.rejections("courses", outcome) == [
        f"courses: rejected a row of course with id {logged}: it has no id"
    ]
    assert report.concerns("courses", outcome) == (
        f"courses: 1 row rejected; the first is of course, id {warned}: it has no id. "
        f"1 value did not fit and became NULL or incomplete: course.{warned} 1."
    )


@cases(
    "results, names, head, rest",
    {
        "all are written": (
            dict.fromkeys(NAMES, FULL),
            NAMES,
            "finished. 6 of 6 catalogs written",
            "6,000 new, 12 changed, 180 unchanged, 24 deleted, 36 changes and 30 deletes deferred",
        ),
        "one of each kind": (
            {**dict.fromkeys(NAMES[:2], Outcome(unchanged=1)), "projects": failed("projects")},
            [name for name in NAMES if name != "custom_tracks"],
            "failed. 2 of 5 catalogs written",
            "2 unchanged; failed: projects; not reached: tracks, courses; skipped: custom_tracks",
        ),
        "a token that another endpoint rejected": (
            {
                **dict.fromkeys(NAMES[:2], Outcome(unchanged=1)),
                "projects": token_rejected("courses"),
            },
            [name for name in NAMES if name != "custom_tracks"],
            "failed. 2 of 5 catalogs written",
            "2 unchanged; failed: courses; not reached: projects, tracks; skipped: custom_tracks",
        ),
        "one empty catalog": (
            {"courses": Outcome()},
            ["courses"],
            "finished. 1 of 1 catalog written",
            "skipped: assessments, practices, projects, custom_tracks, tracks",
        ),
    },
)
def test_the_last_line_sums_up_the_sync(results, names, head, rest):
    """It has all items by outcome, and names each endpoint that was not written."""
    assert report.finished(results, names) == f"Sync {head}; {rest}."


@cases(
    "results, head",
    {
        "one of six": (
            {**dict.fromkeys(NAMES, FULL), "tracks": FORBIDDEN},
            "1 of 6 catalogs failed; its tables are unchanged. The other 5 are up to date.",
        ),
        "one of two": (
            {"tracks": FORBIDDEN, "courses": FULL},
            "1 of 2 catalogs failed; its tables are unchanged. The other one is up to date.",
        ),
        "two of five": (
            {**dict.fromkeys(NAMES[1:], FULL), "tracks": FORBIDDEN, "courses": failed("courses")},
            "2 of 5 catalogs failed; their tables are unchanged. The other 3 are up to date.",
        ),
        "all": (
            {name: failed(name) for name in NAMES},
            "All 6 catalogs failed; no table was changed.",
        ),
        "the only one": ({"tracks": FORBIDDEN}, "The catalog failed; no table was changed."),
        "a rejected token, after some were written": (
            {"projects": FULL, "tracks": failed("tracks"), "courses": token_rejected("courses")},
            "DataCamp rejected the token (HTTP 401); the sync stopped.",
        ),
    },
)
def test_a_failure_lists_each_endpoint_why_and_what_to_do(results, head):
    """What is said of the tables holds for all of them: after a rejected token, nothing is."""
    lines = [f"- {result}" for result in results.values() if isinstance(result, Exception)]
    assert report.failure(results, list(results)) == "\n".join([head, *lines])


CLOSED = "HTTP 403 Forbidden. Ask DataCamp to include"


@cases(
    "errors, expected",
    {
        "all can be read": (dict.fromkeys(NAMES), []),
        "the token is rejected somewhere": (
            {"projects": None, "tracks": FORBIDDEN, "courses": token_rejected("courses")},
            ["DataCamp rejected the token: 401. Renew it."],
        ),
        "two are forbidden and two skipped": (
            {"projects": None, "custom_tracks": FORBIDDEN, "tracks": FORBIDDEN, "courses": None},
            [
                f"The token cannot read custom_tracks, tracks: {CLOSED} them, or set",
                "skip_endpoints to: assessments, practices, custom_tracks, tracks.",
            ],
        ),
        "one is forbidden and one down": (
            {**dict.fromkeys(NAMES), "tracks": FORBIDDEN, "courses": failed("courses")},
            [
                f"The token cannot read tracks: {CLOSED} it, or set skip_endpoints to: tracks.",
                "courses cannot be read: it is down. Wait.",
            ],
        ),
        "all are forbidden": (
            dict.fromkeys(NAMES, FORBIDDEN),
            [
                "No catalog can be read: HTTP 403 Forbidden.",
                "Check base_url, and ask DataCamp what the token may read.",
            ],
        ),
        "none can be reached": (
            dict.fromkeys(NAMES, failed("tracks")),
            ["No catalog can be read: it is down. Wait."],
        ),
    },
)
def test_the_connection_test_names_the_problem_and_the_fix(errors, expected):
    """A failure that all endpoints share is reported once."""
    sentences = [*expected, report.INSPECT] if expected else []
    assert report.unreadable_endpoints(errors) == " ".join(sentences)
