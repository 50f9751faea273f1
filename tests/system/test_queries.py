"""Each query of docs/queries.md, run on a synced warehouse, answers what the catalog answers."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from datetime import datetime

import pytest
import sqlglot

from devkit import sdk
from devkit.documents import PROJECT
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving

TEXT = (PROJECT / "docs" / "queries.md").read_text(encoding="utf-8")
# By its heading, which a question and then the SQL follow.
QUERIES = dict(re.findall(r"^## (.+)\n\n.+\?\n\n```sql\n((?:.+\n)+)```$", TEXT, re.MULTILINE))
TABLES = [table.name for endpoint in ENDPOINTS for table in endpoint.tables]
KINDS = {endpoint.name: endpoint.table.name for endpoint in ENDPOINTS}
INSTRUCTOR = "Amara Nakamura"
COURSE = "course-54859"
DIALECTS = ("snowflake", "bigquery", "redshift", "databricks", "postgres")
every_query = pytest.mark.parametrize("title", QUERIES)


def is_taught(course):
    """Tell the courses of the instructor that a query is about."""
    return INSTRUCTOR in [instructor["fullName"] for instructor in course["instructors"]]


def is_about_the_past(title):
    """Tell the queries that look at deleted rows."""
    return "retired" in title


@pytest.fixture(scope="module")
def catalogs():
    """Give the catalogs of two syncs, the second with something gone from every table.

    Beside what the stand-in takes away: a course that tracks hold and the place of it in one, a
    project that tracks hold, a topic, a chapter, and a course of an instructor.
    """
    before, after = catalog(scale=0.2), catalog(revision=1, scale=0.2)
    courses, projects, tracks = after["courses"], after["projects"], after["tracks"]
    shortened = next(t for t in tracks if t["content"] and t["content"][-1]["type"] == "course")
    gone = {
        shortened["content"].pop()["id"],
        next(entry["id"] for entry in shortened["content"] if entry["type"] == "project"),
        next(course["id"] for course in courses if is_taught(course)),
    }
    next(p["topics"] for p in projects if len(p["topics"] or ()) > 2).pop()
    next(course for course in courses if course["id"] == COURSE)["chapters"].pop()
    for name in ("courses", "projects"):
        after[name] = [item for item in after[name] if item["id"] not in gone]
    return before, after


@pytest.fixture(scope="module")
def warehouse(catalogs, tmp_path_factory):
    """Sync both catalogs, one after the other; gives the folder of the warehouse."""
    folder = tmp_path_factory.mktemp("queried")
    before, after = catalogs
    with serving(before) as server:
        configuration = {"bearer_token": server.token, "base_url": server.base_url}
        assert sdk.sync(configuration, folder).error is None
        server.serve(after)
        assert sdk.sync(configuration, folder).error is None
    return folder


@pytest.fixture
def own_warehouse(warehouse, tmp_path):
    """Give a copy of the warehouse that a test may change."""
    return shutil.copytree(warehouse, tmp_path / "copy")


@pytest.fixture
def now(catalogs):
    """Give the catalog of the second sync."""
    return catalogs[1]


def answer(folder, title):
    """Run a query; moments come in UTC and without a time zone, as in `sdk.live_rows`."""
    sql = QUERIES[title]
    listed = ", ".join(
        f"\"{name}\" AT TIME ZONE 'UTC'" if "TIME ZONE" in kind else f'"{name}"'
        for name, kind, *_ in sdk.query(folder, f"DESCRIBE {sql}")
    )
    return sdk.query(folder, f"SELECT {listed} FROM ({sql})")


def in_order(tracks):
    """Sort as the queries do; gives each track with its entries and their places."""
    for track in sorted(tracks, key=lambda track: (track["title"], track["id"])):
        yield track, list(enumerate(track["content"] or (), start=1))


def by_id(items):
    """Find courses and projects by id."""
    return {item["id"]: item for name in ("courses", "projects") for item in items[name]}


def hours(item):
    """Give the hours of an item, None for one that has none or is not there."""
    return item and item["timeNeededInHours"]


def topic_names(project):
    """List the topics of a project, in any of the shapes that the API may send."""
    topics = project["topics"] or []
    listed = topics if isinstance(topics, list) else [topics]
    return [topic if isinstance(topic, str) else topic["name"] for topic in listed] or [None]


def license_text(licenses):
    """Join the names of licenses; objects become JSON text."""
    if all(isinstance(name, str) for name in licenses):
        return ", ".join(licenses)
    return json.dumps(licenses)


def test_every_query_is_found():
    """Each block of SQL stands below a heading and one question, and no heading is used twice."""
    assert len(QUERIES) == TEXT.count("```sql\n") == TEXT.count("\n## ") >= 5


@every_query
def test_a_query_has_an_answer(warehouse, title):
    """The query runs as it is printed and returns rows."""
    assert answer(warehouse, title)


@every_query
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_query_translates(title, dialect):
    """No construct of the query is unsupported by the destination, as far as sqlglot knows."""
    raising = sqlglot.ErrorLevel.RAISE
    (translated,) = sqlglot.transpile(
        QUERIES[title], read="duckdb", write=dialect, unsupported_level=raising
    )
    (again,) = sqlglot.transpile(
        translated, read=dialect, write=dialect, unsupported_level=raising
    )
    assert again == translated


@every_query
def test_a_query_filters_each_table_it_reads(title):
    """There are as many conditions on deleted rows as there are tables in FROM and JOIN."""
    read = re.findall(r"(?:FROM|JOIN) (\w+)$", QUERIES[title], re.MULTILINE)
    assert QUERIES[title].count("_fivetran_deleted") == len([t for t in read if t in TABLES]) > 0


@every_query
def test_deleted_rows_change_no_answer_about_the_present(warehouse, own_warehouse, title):
    """Without the deleted rows an answer is the same, and empty if it is about retired items."""
    for table in TABLES:
        gone = sdk.query(own_warehouse, f"DELETE FROM {table} WHERE _fivetran_deleted")
        assert gone[0][0] > 0
    expected = [] if is_about_the_past(title) else answer(warehouse, title)
    assert answer(own_warehouse, title) == expected


def test_the_catalog_by_technology_and_topic(warehouse, now):
    """Courses, tracks and projects are counted by technology and topic, unknown ones too."""
    counted = Counter(
        (item["technology"], item["topic"] and item["topic"]["name"], KINDS[name])
        for name in ("courses", "tracks")
        for item in now[name]
    )
    counted.update(
        (project["technology"], topic, "project")
        for project in now["projects"]
        for topic in topic_names(project)
    )
    found = answer(warehouse, "What there is by technology and topic")
    assert len(found) == len(counted)
    assert {tuple(key): items for *key, items in found} == counted


def test_tracks_with_what_they_hold(warehouse, now):
    """Every track's courses and projects come in order, the retired one with its last title."""
    known = by_id(now)
    expected = [
        (
            track["title"],
            place,
            entry["type"],
            known.get(entry["id"], entry)["title"],
            hours(known.get(entry["id"])),
        )
        for track, entries in in_order(now["tracks"])
        for place, entry in entries
    ]
    assert {kind for _, _, kind, *_ in expected} == {"course", "project"}
    assert answer(warehouse, "Tracks with what they hold, in order") == expected


def test_hours_per_track(warehouse, now):
    """Each track has its own hours and the sum of its items', an empty track too."""
    known = by_id(now)
    expected = []
    for track, entries in in_order(now["tracks"]):
        found = [hours(known.get(entry["id"])) for _, entry in entries]
        summed = sum(filter(None, found)) if any(found) else None
        expected.append((track["title"], track["timeNeededInHours"], summed, len(entries)))
    assert 0 in {items for *_, items in expected}
    assert answer(warehouse, "Hours per track") == expected


def test_what_was_retired_this_month(warehouse, catalogs):
    """All that the second sync found gone is listed, the newest first, as it was last seen."""
    before, after = catalogs
    expected = sorted(
        (KINDS[name], item["id"], item["title"], item["technology"])
        for name, items in before.items()
        for item in items
        if item["id"] not in {left["id"] for left in after[name]}
    )
    found = answer(warehouse, "What was retired this month")
    assert sorted(tuple(row) for *row, _ in found) == expected
    times = [moment for *_, moment in found]
    assert all(isinstance(moment, datetime) for moment in times)
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("interval", ["1 YEAR", "31 DAY"], ids=["a year ago", "a month ago"])
def test_what_was_retired_earlier_is_left_out(own_warehouse, interval):
    """Neither this month of last year nor the month before counts as this month."""
    for table in TABLES:
        sdk.query(
            own_warehouse,
            f"UPDATE {table} SET _fivetran_synced = _fivetran_synced - INTERVAL {interval}",
        )
    assert answer(own_warehouse, "What was retired this month") == []


def test_tracks_that_hold_a_retired_course(warehouse, catalogs):
    """The course that left the catalog is found in every track that still holds it."""
    before, after = catalogs
    left = {course["id"] for course in after["courses"]}
    retired = {c["id"]: c["title"] for c in before["courses"] if c["id"] not in left}
    expected = [
        (track["title"], place, retired[entry["id"]])
        for track, entries in in_order(after["tracks"])
        for place, entry in entries
        if entry["id"] in retired
    ]
    assert expected
    assert answer(warehouse, "Tracks that hold a retired course") == expected


def test_courses_of_an_instructor(warehouse, now):
    """The courses with that very name among their instructors, the latest change first."""
    taught = sorted(filter(is_taught, now["courses"]), key=lambda course: course["updatedAt"])
    found = answer(warehouse, "Courses of an instructor")
    assert [title for title, *_ in found] == [course["title"] for course in reversed(taught)]


def test_chapters_of_a_course(warehouse, now):
    """The chapters of one course come in the order of the catalog, counted from 1."""
    (course,) = (course for course in now["courses"] if course["id"] == COURSE)
    assert answer(warehouse, "Chapters of a course") == [
        (course["title"], place, chapter["title"])
        for place, chapter in enumerate(course["chapters"], start=1)
    ]


def test_tracks_that_contain_a_course(warehouse, now):
    """Every place of that course in a track is listed."""
    expected = [
        (track["id"], track["title"], place)
        for track, entries in in_order(now["tracks"])
        for place, entry in entries
        if entry["id"] == COURSE
    ]
    assert answer(warehouse, "Tracks that contain a course") == expected


def test_all_items_in_one_list(warehouse, now):
    """Each item of every kind is listed once."""
    expected = sorted(
        (KINDS[name], item["id"], item["title"], item["technology"])
        for name, items in now.items()
        for item in items
    )
    found = answer(warehouse, "All items in one list")
    assert [tuple(row) for *row, _ in found] == expected


def test_courses_by_license(warehouse, now):
    """Courses are counted by the text of their licenses, which is JSON unless all are names."""
    counted = Counter(license_text(course["includedInLicenses"]) for course in now["courses"])
    assert len(counted) > 1
    assert dict(answer(warehouse, "Courses by license")) == counted


def test_join_with_learner_records(warehouse):
    """One of the four sample spellings matches unchanged, three match once normalized."""
    assert answer(warehouse, "Join with learner records") == [(4, 1, 3, 75.0)]
