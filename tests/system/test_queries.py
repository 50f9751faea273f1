"""Each query of docs/queries.md, run on a synced warehouse, returns what the catalog contains."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from unittest.mock import ANY

import pytest
import sqlglot

from devkit import sdk
from devkit.documents import PROJECT
from endpoints import ENDPOINTS
from mock_api.serving import serving

TEXT = (PROJECT / "docs" / "queries.md").read_text(encoding="utf-8")
# Each query has a heading, a question and the SQL.
QUERIES = dict(re.findall(r"^## (.+)\n\n.+\?\n\n```sql\n((?:.+\n)+)```$", TEXT, re.MULTILINE))
TABLES = [table.name for endpoint in ENDPOINTS for table in endpoint.tables]
every_query = pytest.mark.parametrize("title", QUERIES)


def item(id_, title, technology=None, **fields):
    """Return an item; all items on SQL have the same topic."""
    topic = {"name": "Data"} if technology == "SQL" else None
    return {"id": id_, "title": title, "technology": technology, "topic": topic, **fields}


def course(id_, title, instructors, licenses, hours=None, changed=None, **fields):
    """Return a course on SQL that is live."""
    return {
        **item(id_, title, "SQL", live=True, includedInLicenses=licenses, **fields),
        "instructors": [{"fullName": name} for name in instructors.split(", ")],
        "timeNeededInHours": hours,
        "updatedAt": changed,
    }


def listed(*entries):
    """Return the content of a track or the chapters of a course from ids and titles."""
    return [{"id": id_, "type": id_.split("-")[0], "title": title} for id_, title in entries]


JOINS, OLD_COURSE, PROJECT_ID = "course-54859", "course-3", "project-1022"
BASICS = listed((JOINS, "Joins 1"), (PROJECT_ID, "Clean 1"), (OLD_COURSE, "Was"), (JOINS, "Old"))
TWO = ["Basic", "Premium"]
CHAPTERS = {"chapters": listed(("course-chapter-1", "Inner"), ("course-chapter-2", "Old"))}
# Whatever is named old leaves the catalog before the second sync.
CATALOGS = {
    "assessments": [item("assessment-1", "Test", "SQL"), item("assessment-2", "Old")],
    "practices": [item("practice-1", "Drill", "SQL"), item("practice-2", "Old")],
    "projects": [
        item(PROJECT_ID, "Clean", "SQL", topics=["Tidying", "Old"], timeNeededInHours=2),
        item("project-2", "Free Choice", "R"),
        item("project-3", "Old", "SQL", topics=["Tidying"]),
    ],
    "custom_tracks": [
        item("custom-track-1", "Start", content=listed((JOINS, "Old"), ("practice-2", "Gone"))),
        item("custom-track-2", "Old"),
    ],
    "tracks": [
        item("track-77", "Basics", "SQL", timeNeededInHours=7, content=BASICS),
        item("track-8", "Empty", content=[]),
        item("track-9", "Old", content=listed((JOINS, "Joins 1"))),
    ],
    "courses": [
        course(JOINS, "Joins", "Bo Chen, Amara Nakamura", TWO, 4, "2026-01-01", **CHAPTERS),
        course("course-2", "Plots", "Amara Nakamura Diaz", []),
        course("course-4", "Views", "Amara Nakamura", [{"name": "Basic"}], 3, "2026-02-01"),
        course(OLD_COURSE, "Old", "Amara Nakamura", []),
    ],
}
JANUARY, FEBRUARY = datetime(2026, 1, 1), datetime(2026, 2, 1)  # noqa: DTZ001 (as DuckDB returns)
PRESENT = [
    ("assessment", "assessment-1", "Test", "SQL", None),
    ("course", "course-2", "Plots", "SQL", None),
    ("course", "course-4", "Views", "SQL", FEBRUARY),
    ("course", JOINS, "Joins", "SQL", JANUARY),
    ("custom_track", "custom-track-1", "Start", None, None),
    ("practice", "practice-1", "Drill", "SQL", None),
    ("project", PROJECT_ID, "Clean", "SQL", None),
    ("project", "project-2", "Free Choice", "R", None),
    ("track", "track-77", "Basics", "SQL", None),
    ("track", "track-8", "Empty", None, None),
]
MATCH_RATE = "Match rate of learner records"
ROWS = {
    "What there is by technology and topic": [
        ("R", None, "project", 1),
        ("SQL", "Data", "course", 3),
        ("SQL", "Data", "track", 1),
        ("SQL", "Tidying", "project", 1),
        (None, None, "track", 1),
    ],
    "Hours by technology": [("R", 1, None), ("SQL", 4, 9)],
    "What was retired in the last 30 days": [
        ("assessment", "assessment-2", "Old", None, ANY),
        ("course", OLD_COURSE, "Old", "SQL", ANY),
        ("custom_track", "custom-track-2", "Old", None, ANY),
        ("practice", "practice-2", "Old", None, ANY),
        ("project", "project-3", "Old", "SQL", ANY),
        ("track", "track-9", "Old", None, ANY),
    ],
    "What is new or changed in the last 30 days": [
        (kind, id_, title, changed, ANY) for kind, id_, title, _, changed in PRESENT
    ],
    "Retired content in tracks": [
        ("custom_track", "Start", 1, "practice", "Old"),
        ("track", "Basics", 3, "course", "Old"),
    ],
    "Items in no track": [
        (kind, id_, title, technology)
        for kind, id_, title, technology, _ in PRESENT
        if "track" not in kind and id_ not in (JOINS, PROJECT_ID)
    ],
    "Tracks that contain a course": [("track-77", "Basics", 1)],
    "Chapters of a course": [("Joins", 1, "Inner")],
    "Courses of an instructor": [
        ("Views", "SQL", "Data", FEBRUARY),
        ("Joins", "SQL", "Data", JANUARY),
    ],
    "Courses by license": [("", 1), ("Basic, Premium", 1), ('[{"name": "Basic"}]', 1)],
    MATCH_RATE: [("course", 4, 3, 75), ("project", 1, 1, 100), ("track", 1, 1, 100)],
}


def without_old(value):
    """Return a value without the items, entries and topics named old in its lists."""
    if isinstance(value, dict):
        return {key: without_old(inner) for key, inner in value.items()}
    if isinstance(value, list):
        titles = [inner.get("title") if isinstance(inner, dict) else inner for inner in value]
        pairs = zip(titles, value, strict=True)
        return [without_old(inner) for title, inner in pairs if title != "Old"]
    return value


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """Sync the catalogs with and then without what is old; return the warehouse's folder.

    All rows get the time of one sync, today, so that the order of recent rows is fixed.
    """
    folder = tmp_path_factory.mktemp("queried")
    with serving(CATALOGS) as server:
        configuration = {"bearer_token": server.token, "base_url": server.base_url}
        assert sdk.sync(configuration, folder).error is None
        server.serve(without_old(CATALOGS))
        assert sdk.sync(configuration, folder).error is None
    for table in TABLES:
        sdk.query(folder, f"UPDATE {table} SET _fivetran_synced = CURRENT_DATE")
    return folder


@pytest.fixture
def own_warehouse(warehouse, tmp_path):
    """Return a copy of the warehouse that a test may change."""
    return shutil.copytree(warehouse, tmp_path / "copy")


def rows(folder, title):
    """Return the rows of a query, with timestamps in UTC and without a time zone."""
    sql = QUERIES[title]
    columns = ", ".join(
        f"\"{name}\" AT TIME ZONE 'UTC'" if "TIME ZONE" in kind else f'"{name}"'
        for name, kind, *_ in sdk.query(folder, f"DESCRIBE {sql}")
    )
    return sdk.query(folder, f"SELECT {columns} FROM ({sql})")


def test_every_query_is_read():
    """Each block of SQL stands below a heading and one question."""
    assert list(QUERIES) == list(ROWS)
    assert len(QUERIES) == TEXT.count("```sql\n") == TEXT.count("\n## ")


@every_query
def test_a_query_returns_what_the_catalog_contains(warehouse, title):
    """The query runs as it is printed."""
    assert rows(warehouse, title) == ROWS[title]


def test_deleted_rows_do_not_change_a_query_on_the_present(own_warehouse):
    """Without deleted rows the results are the same, and empty about retired items."""
    for table in TABLES:
        ((deleted,),) = sdk.query(own_warehouse, f"DELETE FROM {table} WHERE _fivetran_deleted")
        assert deleted > 0
    for title, expected in ROWS.items():
        retired = "retired" in title.lower()
        assert rows(own_warehouse, title) == ([] if retired else expected), title


@every_query
def test_a_query_filters_each_table_it_reads_except_to_match_learner_records(title):
    """There are as many conditions on deleted rows as there are tables in FROM and JOIN."""
    read = re.findall(r"(?:FROM|JOIN) (\w+)$", QUERIES[title], re.MULTILINE)
    filtered = 0 if title == MATCH_RATE else len([table for table in read if table in TABLES])
    assert QUERIES[title].count("_fivetran_deleted") == filtered


@pytest.mark.parametrize("title", [title for title in ROWS if "30 days" in title])
@pytest.mark.parametrize(("days", "listed"), [(30, True), (31, False)])
def test_rows_are_listed_for_30_days(own_warehouse, title, days, listed):
    """A row written 30 days ago is listed, one written the day before is not."""
    for table in TABLES:
        earlier = f"_fivetran_synced = _fivetran_synced - INTERVAL {days} DAY"
        sdk.query(own_warehouse, f"UPDATE {table} SET {earlier}")
    assert rows(own_warehouse, title) == (ROWS[title] if listed else [])


# sqlglot's names of the constructs that all five destinations have. It translates others, without
# an error, to SQL that a destination rejects.
PORTABLE = """
    Alias And CTE Cast Column Concat Count CurrentDate DataType Div EQ From GTE Group Identifier Is
    Join Like Literal Lower Mul Not Null Order Ordered RegexpReplace Select Star Sub Sum Table
    TableAlias Union Where With
    alias big_int coalesce desc expression expressions from_ group is_string joins kind
    on order replacement safe side single_replace table this to where with_
"""


def translated(sql, dialect):
    """Return a query in the SQL of a destination; raise ValueError if it may not run there."""
    tree, portable = sqlglot.parse_one(sql, read="duckdb"), set(PORTABLE.split())
    used = {type(node).__name__ for node in tree.walk()}
    used |= {name for node in tree.walk() for name, value in node.args.items() if value}
    if used - portable:
        raise ValueError(f"not known to be portable: {sorted(used - portable)}")
    return tree.sql(dialect, unsupported_level=sqlglot.ErrorLevel.RAISE)


@every_query
def test_a_query_translates(title):
    """The query is made of portable constructs, and each destination's parser reads the result."""
    for dialect in ("snowflake", "bigquery", "redshift", "databricks", "postgres"):
        there = translated(QUERIES[title], dialect)
        assert sqlglot.parse_one(there, read=dialect).sql(dialect) == there


def test_constructs_of_some_destinations_only_are_rejected():
    """A construct of DuckDB and a function that sqlglot does not know count as not portable."""
    for sql in (
        "SELECT * EXCLUDE (title) FROM course",
        "SELECT technology, COUNT(*) FROM course GROUP BY ALL",
        "SELECT LEVENSHTEIN_OF_OURS(title) FROM course",
        "SELECT id FROM course UNION ALL BY NAME SELECT id FROM track",
    ):
        with pytest.raises(ValueError, match="not known to be portable"):
            translated(sql, "redshift")
