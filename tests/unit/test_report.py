"""Every text that a sync tells its operator, whole."""

from __future__ import annotations

from collections import Counter

import pytest

import report
from async_client import CatalogFetched, EndpointError, RetryScheduled, Settings
from async_client.errors import FinalError, NoSuchCatalogError, NotIncludedError, TransientError
from changes import Outcome
from endpoints import ENDPOINTS
from flatten import Rejected
from tests.support.recording import failed, refused

URL = "https://lms-catalog-api.datacamp.com/v1/catalog/live-"


def error(name, reason, advice, tries=1):
    """Make the final failure of an endpoint."""
    return EndpointError(name, f"{URL}{name}", tries, FinalError(reason, advice))


FORBIDDEN = NoSuchCatalogError(
    "tracks",
    f"{URL}tracks",
    1,
    NotIncludedError(
        "the server answers 403 Forbidden",
        "The token may not read tracks: ask DataCamp to include it, "
        "or add tracks to skip_endpoints",
    ),
)
DOWN = EndpointError(
    "courses",
    f"{URL}courses",
    6,
    TransientError("the server answers 503 Service Unavailable", "The next sync asks again"),
)


@pytest.mark.parametrize(("endpoints", "known"), [(ENDPOINTS, 0), (ENDPOINTS[:2], 2)])
def test_the_start_says_what_is_fetched_from_where(endpoints, known):
    """The first line tells a first sync from a later one."""
    assert report.started(Settings("token", endpoints=endpoints), known) == (
        f"Fetching {len(endpoints)} catalogs from https://lms-catalog-api.datacamp.com at once; "
        f"{known} of them known from the last sync."
    )


def test_a_token_in_clear_is_told_with_the_address():
    """The warning names the key, the danger and the fix."""
    assert report.token_in_clear(Settings("token", base_url="http://mock:8080")) == (
        "base_url is http://mock:8080: http is not encrypted, so others on the network can read "
        "the token. Use https."
    )


def test_a_retry_is_one_line():
    """Endpoint, try, reason and wait are told in one line."""
    retry = RetryScheduled("courses", 2, 6, "the server answers 503 Service Unavailable", 3.14159)
    assert report.retrying(retry) == (
        "courses: try 2 of 6 failed, the server answers 503 Service Unavailable; next try in 3.1 s"
    )


@pytest.mark.parametrize(
    ("catalog", "expected"),
    [
        ((0, 11, 0.0, 1), "courses arrived: 0 items, 0.0 kB, 0.00 s"),
        (
            (3, 99_949, 1.234, 1),
            "courses arrived: 3 items, 99.9 kB, 1.23 s",
        ),
        (
            (2, 99_999, 1.0, 1),
            "courses arrived: 2 items, 100.0 kB, 1.00 s",
        ),
        (
            (2, 100_000, 1.0, 1),
            "courses arrived: 2 items, 0.1 MB, 1.00 s",
        ),
        (
            (1764, 2_345_678, 12.5, 3),
            "courses arrived: 1,764 items, 2.3 MB, 12.50 s, 3 tries",
        ),
    ],
    ids=["empty", "small", "last of kB", "first of MB", "large, at the third try"],
)
def test_an_arrival_tells_items_size_and_time(catalog, expected):
    """Tries are told if there were several."""
    assert report.arrived(CatalogFetched("courses", *catalog)) == expected


def test_progress_is_told_in_items():
    """The line says how far of how much."""
    assert report.progress("courses", 10_000, 25_000) == "courses: 10,000 of 25,000 items"


FLAWED = Outcome(
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


def test_a_written_catalog_is_told_in_items_and_rows():
    """Every count of a replay is in one line."""
    assert report.written("courses", FLAWED, 1.005) == (
        "courses written: 1,000 new, 2 changed, 30 unchanged, 4 deleted, 5 deferred; "
        "6,000 upserts, 7 deletes, 1,008 rejected, 1.00 s"
    )


def test_an_empty_catalog_is_told():
    """The warning says what became of the tables."""
    assert report.empty("custom_tracks") == (
        "custom_tracks: the catalog is empty, and so are its tables now."
    )


def test_rejected_rows_are_told_one_by_one():
    """Each of the first few is a line with table, id and reason."""
    outcome = Outcome(
        rejected=9,
        first_rejected=[
            Rejected("course", "?", "it has no id"),
            Rejected("course_chapter", "course-1, id ''", "its id is ''"),
        ],
    )
    assert report.rejections("courses", outcome) == [
        "courses: a row of course is rejected, id ?: it has no id",
        "courses: a row of course_chapter is rejected, id course-1, id '': its id is ''",
    ]
    assert report.rejections("courses", Outcome()) == []


REJECTED = {"rejected": 1, "first_rejected": [Rejected("course", "?", "it has no id")]}
BAD_VALUES = {"bad_values": Counter({("course", "live"): 1})}
DEFERRED = {"deferred": 1, "suspicion": "an item has no readable id"}
REJECTED_TEXT = "1 row rejected, the first of course with id ?: it has no id."
BAD_VALUES_TEXT = "1 value did not fit and became NULL or incomplete: course.live 1."
DEFERRED_TEXT = (
    "1 delete deferred, as an item has no readable id: an item is deleted once it is missing in "
    "3 syncs in a row; re-sync to delete at once."
)
MANY_COLUMNS = Counter(
    {
        ("course", "live"): 2,
        ("course", "updatedAt"): 1200,
        ("course", "b"): 2,
        ("course_chapter", "a"): 2,
        ("course", "c"): 1,
        ("course", "d"): 1,
        ("course", "e"): 1,
    }
)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param({}, "", id="nothing to tell"),
        pytest.param(REJECTED, f"courses: {REJECTED_TEXT}", id="a rejected row"),
        pytest.param(BAD_VALUES, f"courses: {BAD_VALUES_TEXT}", id="a bad value"),
        pytest.param(DEFERRED, f"courses: {DEFERRED_TEXT}", id="a deferred delete"),
        pytest.param(
            REJECTED | BAD_VALUES | DEFERRED,
            f"courses: {REJECTED_TEXT} {BAD_VALUES_TEXT} {DEFERRED_TEXT}",
            id="all three, a sentence each",
        ),
        pytest.param(
            {**REJECTED, "rejected": 1200},
            "courses: 1,200 rows rejected, the first of course with id ?: it has no id.",
            id="many rejected rows",
        ),
        pytest.param(
            {"bad_values": MANY_COLUMNS},
            "courses: 1,209 values did not fit and became NULL or incomplete: "
            "course.updatedAt 1,200, course.b 2, course.live 2, course_chapter.a 2, course.c 1 "
            "and 2 more columns.",
            id="many columns, the worst first",
        ),
        pytest.param(
            {"bad_values": Counter({("course", name): 1 for name in "abcde"})},
            "courses: 5 values did not fit and became NULL or incomplete: "
            "course.a 1, course.b 1, course.c 1, course.d 1, course.e 1.",
            id="as many columns as are named",
        ),
        pytest.param(
            {"bad_values": Counter({("course", name): 1 for name in "abcdef"})},
            "courses: 6 values did not fit and became NULL or incomplete: "
            "course.a 1, course.b 1, course.c 1, course.d 1, course.e 1 and 1 more column.",
            id="one column more",
        ),
        pytest.param(
            {"deferred": 400, "suspicion": "400 of 764 known items are missing"},
            "courses: 400 deletes deferred, as 400 of 764 known items are missing: an item is "
            "deleted once it is missing in 3 syncs in a row; re-sync to delete at once.",
            id="many items missing",
        ),
        pytest.param(
            {"shortfall": "meta.total is 12, but the response has 6 items"},
            "courses: The catalog may be incomplete: meta.total is 12, but the response has 6 "
            "items.",
            id="a total above the number of items, with nothing to delete",
        ),
    ],
)
def test_concerns_are_one_text_with_a_sentence_each(counts, expected):
    """What a person should look at is one warning per endpoint, and none if there is nothing."""
    assert report.concerns("courses", Outcome(**counts)) == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Käthe 東京", "Käthe 東京", id="any script"),
        pytest.param("a\nb\u2028c", r"'a\nb\u2028c'", id="line breaks"),
        pytest.param("x" * 120, "x" * 120, id="as long as may be"),
        pytest.param("x" * 121, "x" * 120 + "…", id="a longer one"),
        pytest.param("x" * 3_000_000, "x" * 120 + "…", id="one of megabytes"),
        pytest.param("\n" * 200, r"'" + r"\n" * 59 + "\\…", id="a long one of line breaks"),
    ],
)
def test_names_of_the_api_stay_on_one_line(name, shown):
    """An id or a field name never breaks a line, nor makes one of megabytes."""
    outcome = Outcome(
        rejected=1,
        first_rejected=[Rejected("course", name, "it has no name")],
        bad_values=Counter({("course", name): 1}),
    )
    assert report.rejections("courses", outcome) == [
        f"courses: a row of course is rejected, id {shown}: it has no name"
    ]
    assert report.concerns("courses", outcome) == (
        f"courses: 1 row rejected, the first of course with id {shown}: it has no name. "
        f"1 value did not fit and became NULL or incomplete: course.{shown} 1."
    )


@pytest.mark.parametrize("name", ["<p>", "</p>", "<!--", "<![x]>", "<a href='https://evil'>x</a>"])
def test_names_of_the_api_are_no_markup(name):
    """The dashboard takes markup, and the SDK raises on broken markup: no name may pass for it."""
    outcome = Outcome(
        rejected=1,
        first_rejected=[Rejected("course", name, f"its position is {name!r}")],
        bad_values=Counter({("course", name): 1}),
    )
    warning = report.concerns("courses", outcome)
    shown = name.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")
    assert warning == (
        f"courses: 1 row rejected, the first of course with id {shown}: "
        f"its position is {shown!r}. "
        f"1 value did not fit and became NULL or incomplete: course.{shown} 1."
    )


def test_the_summary_tells_what_became_of_each_endpoint():
    """There is a line per endpoint, in replay order, whatever became of it."""
    outcomes = {
        "courses": FLAWED,
        "projects": failed("projects"),
        "assessments": Outcome(unchanged=12),
    }
    assert report.summary(outcomes, ["practices"]) == (
        "What became of the items:\n"
        "               new changed  same deleted kept\n"
        "assessments      0       0    12       0    0\n"
        "practices      skipped\n"
        "projects       failed, left as it was\n"
        "custom_tracks  not reached\n"
        "tracks         not reached\n"
        "courses       1000       2    30       4    5"
    )


def test_the_summary_fits_beside_the_prefix_of_the_sdk():
    """With up to 9,999 items in every count no line is wider than the 45 columns that are left."""
    full = Outcome(new=9999, changed=9999, unchanged=9999, deleted=9999, deferred=9999)
    outcomes = {endpoint.name: full for endpoint in ENDPOINTS}
    outcomes["custom_tracks"] = failed("custom_tracks")
    widths = {len(line) for line in report.summary(outcomes, []).splitlines()}
    assert max(widths) == 45
    assert "99999" not in report.summary(outcomes, [])


def test_a_failure_lists_each_endpoint_why_and_what_to_do():
    """The error of a sync names what failed, the last answer, the tries and the fix."""
    assert report.failure(iter([FORBIDDEN, DOWN]), 6) == (
        "2 endpoints of 6 could not be read. Their tables stay as they were; "
        "all others are up to date.\n"
        "- tracks: GET https://lms-catalog-api.datacamp.com/v1/catalog/live-tracks failed after "
        "1 attempt: the server answers 403 Forbidden. The token may not read tracks: ask DataCamp "
        "to include it, or add tracks to skip_endpoints.\n"
        "- courses: GET https://lms-catalog-api.datacamp.com/v1/catalog/live-courses failed after "
        "6 attempts: the server answers 503 Service Unavailable. The next sync asks again."
    )


def test_a_refused_token_is_the_head_of_a_failure():
    """After a 401 the sync ended, so nothing is said of tables that are up to date."""
    assert report.failure([failed("projects"), refused("tracks")], 6) == (
        "The token is refused, so the sync ended.\n"
        "- projects: GET http://mock failed after 6 attempts: it is down. Wait.\n"
        "- tracks: GET http://mock failed after 1 attempt: 401. Renew it."
    )


NAMES = [endpoint.name for endpoint in ENDPOINTS]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        pytest.param(dict.fromkeys(NAMES), "", id="all answer"),
        pytest.param(
            {name: refused(name) for name in NAMES},
            "DataCamp refuses the token: 401. Renew it.",
            id="the token is refused",
        ),
        pytest.param(
            {**dict.fromkeys(NAMES), "tracks": FORBIDDEN, "courses": refused("courses")},
            "DataCamp refuses the token: 401. Renew it.",
            id="the token is refused somewhere",
        ),
        pytest.param(
            {**dict.fromkeys(NAMES), "tracks": FORBIDDEN},
            "The token cannot read tracks: the server answers 403 Forbidden. "
            "Ask DataCamp to include it, or set skip_endpoints to: tracks.",
            id="one is forbidden",
        ),
        pytest.param(
            {"projects": None, "custom_tracks": FORBIDDEN, "tracks": FORBIDDEN, "courses": None},
            "The token cannot read custom_tracks, tracks: the server answers 403 Forbidden. "
            "Ask DataCamp to include them, or set skip_endpoints to: "
            "assessments, practices, custom_tracks, tracks.",
            id="two are forbidden and two skipped",
        ),
        pytest.param(
            {**dict.fromkeys(NAMES), "tracks": FORBIDDEN, "courses": DOWN},
            "The token cannot read tracks: the server answers 403 Forbidden. "
            "Ask DataCamp to include it, or set skip_endpoints to: tracks. "
            "courses cannot be read: the server answers 503 Service Unavailable. "
            "The next sync asks again.",
            id="one is forbidden and one down",
        ),
        pytest.param(
            dict.fromkeys(NAMES, FORBIDDEN),
            "No catalog can be read: the server answers 403 Forbidden. "
            "Check base_url, and ask DataCamp what the token may read.",
            id="all are forbidden",
        ),
        pytest.param(
            {name: error(name, "no connection", "Check base_url", 1) for name in NAMES},
            "No catalog can be read: no connection. Check base_url.",
            id="none can be reached",
        ),
    ],
)
def test_the_connection_test_names_the_problem_and_the_fix(errors, expected):
    """Nothing is said if all is fine; else the most general problem there is."""
    assert report.unreadable_endpoints(errors) == expected
