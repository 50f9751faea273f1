"""Taking over a warehouse of the published example, as docs/migrating.md describes it."""

from __future__ import annotations

import json
import re
import shutil

import pytest

import connector
from devkit import sdk
from devkit.package import PROJECT
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support import published_example
from tests.support.fetching import TOKEN
from tests.support.warehouse import TABLES

GUIDE = (PROJECT / "docs" / "migrating.md").read_text(encoding="utf-8")


def guide_table(heading, place=0):
    """Return the rows of a table below a heading of the guide, without backticks."""
    chapter = GUIDE.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    rows = re.findall(r"(?:^\|.*\n)+", chapter, re.MULTILINE)[place].splitlines()[2:]
    return [[cell.strip(" `") for cell in row.strip("|").split(" | ")] for row in rows]


def before():
    """Return a small catalog with the values that the guide shows."""
    items = catalog(scale=0.1)
    for assessment in items["assessments"]:
        assessment["technology"] = None
    for track in items["custom_tracks"]:
        track["timeNeededInHours"] = 12
    items["assessments"][0]["passingScore"] = 0.7
    items["practices"][0]["topic"] = {"name": "Importing & Cleaning Data", "description": None}
    items["projects"][1]["includedInLicenses"] = ["teams", "enterprise"]
    items["tracks"][1]["includedInLicenses"] = ["teams"]
    items["custom_tracks"][1]["instructors"] = [{"fullName": "Grace Hopper"}]
    items["practices"][1]["updatedAt"] = "2024-05-03T19:26:59.000Z"
    items["courses"][1]["includedInLicenses"] = [{"id": 7, "name": "enterprise"}]
    items["courses"][-1]["timeNeededInHours"] = 0.1
    return items


def after():
    """Return the same catalog without a course, a chapter, a topic and the end of a track."""
    items = before()
    items["courses"].pop()
    items["courses"][0]["chapters"].pop()
    items["projects"][0]["topics"].pop()
    del items["tracks"][0]["content"][-3:]
    return items


def stored_keys(folder, condition="true"):
    """Return the keys of the rows of a warehouse that meet a condition, by table."""
    selects = {
        name: f"SELECT {', '.join(TABLES[name].primary_key)} FROM {name}" for name in TABLES
    }
    return {n: set(sdk.query(folder, f"{s} WHERE {condition}")) for n, s in selects.items()}


def types(folder):
    """Return the type of every column of a warehouse, by `table.column`."""
    columns = {name: sdk.columns(folder, name) for name in TABLES}
    return {f"{name}.{c}": kind for name in TABLES for c, kind in columns[name].items()}


@pytest.fixture(scope="module")
def configuration():
    """Return the configuration of a sync of the later catalog."""
    with serving(after(), token=TOKEN) as server:
        yield {"bearer_token": TOKEN, "base_url": server.base_url}


def sync_example(folder, items):
    """Run one sync of the example into a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "schema", published_example.schema)
        assert sdk.sync({}, folder, update=published_example.writing(items)).error is None


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """Return a folder as two syncs of the example left it."""
    folder = tmp_path_factory.mktemp("example")
    for items in (before(), after()):
        sync_example(folder, items)
    return folder


@pytest.fixture(scope="module")
def migration(configuration, example, tmp_path_factory):
    """Return a folder in which our first sync followed the example's, and that sync."""
    folder = shutil.copytree(example, tmp_path_factory.mktemp("migrated"), dirs_exist_ok=True)
    return folder, sdk.sync(configuration, folder)


@pytest.fixture(scope="module")
def fresh(configuration, tmp_path_factory):
    """Return the folder of a new connection."""
    folder = tmp_path_factory.mktemp("fresh")
    assert sdk.sync(configuration, folder).error is None
    return folder


def test_the_first_sync_rewrites_all_tables(example, migration, fresh):
    """It ignores the example's state, with the warning that the guide quotes.

    Rows that left the catalog, and no others, are marked as deleted. They keep their values and
    their `_fivetran_synced`, so that incremental models need one full refresh.
    """
    folder, synced = migration
    assert synced.error is None
    assert f"`{json.dumps(sdk.state_of(example))}`" in GUIDE
    assert re.search(r"^> (.*)$", GUIDE, re.MULTILINE)[1] in synced.log
    was, now = stored_keys(example), stored_keys(fresh)
    gone = {name: was[name] - now[name] for name in TABLES}
    fewer = [name for name in TABLES if gone[name]]
    assert fewer == ["project_topic", "track_content", "course", "course_chapter"]
    assert stored_keys(folder, "_fivetran_deleted") == gone
    assert stored_keys(folder, "NOT _fivetran_deleted") == now
    ((course,),) = gone["course"]
    row = f"SELECT time_needed_in_hours, _fivetran_synced::TEXT FROM course WHERE id = '{course}'"
    assert sdk.query(folder, row) == sdk.query(example, row)
    assert f"look like {sdk.query(folder, row)[0][0]}." in GUIDE


def test_the_second_sync_writes_nothing(migration, configuration):
    """From then on only changes are written."""
    log = sdk.sync(configuration, migration[0]).log
    assert re.findall(r"(?:Upserts|Deletes|Truncates) +\| (\d+)", log) == ["0", "0", "0"]


def test_the_guide_lists_every_column_of_another_type(example, migration, fresh):
    """It has each column whose type is not that of a new connection or was another before."""
    documented = {column: (was, now) for column, was, now, _ in guide_table("Columns")}
    was, now, new = types(example), types(migration[0]), types(fresh)
    assert documented == {name: (was.get(name, "none"), now[name]) for name in documented}
    changed = {name for name in now if now[name] != new.get(name) or now[name] != was.get(name)}
    assert changed <= set(documented)


def test_values_are_those_of_a_new_connection(migration, fresh):
    """But for columns of another type, every live row equals that of a new connection."""
    for name in TABLES:
        kinds, new_kinds = sdk.columns(migration[0], name), sdk.columns(fresh, name)
        same = ", ".join(f'"{c}"::TEXT' for c in new_kinds if kinds[c] == new_kinds[c])
        rows = f"SELECT {same} FROM {name} WHERE NOT _fivetran_deleted ORDER BY ALL"
        assert sdk.query(migration[0], rows) == sdk.query(fresh, rows)
    topics = "SELECT count(topic), max(topic_name) FROM practice"
    assert sdk.query(migration[0], topics) == [(0, "Importing & Cleaning Data")]


def test_values_that_change_in_columns_that_stay(example, migration):
    """The guide shows the value that the example wrote, and the one that the first sync writes."""
    for column, was, now in guide_table("Columns", 1):
        table, name = column.split("`")[0].split(".")
        where = "{}::VARCHAR = '{}'".format(name, was.replace("'", "''"))
        (key, *_) = sdk.query(example, f"SELECT id FROM {table} WHERE {where}")[0]
        rows = f"SELECT {name}::VARCHAR FROM {table} WHERE id = '{key}'"
        assert sdk.query(migration[0], rows) == [(now,)]


def test_tables_that_are_dropped_get_the_declared_types(example, fresh, configuration, tmp_path):
    """Dropped before the first sync, the ten tables become those of a new connection."""
    shutil.copytree(example, tmp_path, dirs_exist_ok=True)
    for name in TABLES:
        sdk.query(tmp_path, f"DROP TABLE {name}; SELECT 1")
    assert sdk.sync(configuration, tmp_path).error is None
    assert types(tmp_path) == types(fresh)
    assert stored_keys(tmp_path, "NOT _fivetran_deleted") == stored_keys(fresh)


def test_a_re_sync_fills_tables_that_were_dropped(configuration, migration, fresh, tmp_path):
    """A table dropped after the first sync comes back empty; without a state it is rewritten."""
    folder = shutil.copytree(migration[0], tmp_path / "copy")
    sdk.query(folder, "DROP TABLE assessment; SELECT 1")
    assert sdk.sync(configuration, folder).error is None
    assert sdk.query(folder, "SELECT count(*) FROM assessment") == [(0,)]
    sdk.state_file(folder).unlink()
    assert sdk.sync(configuration, folder).error is None
    assert stored_keys(folder, "NOT _fivetran_deleted") == stored_keys(fresh)


def test_the_example_runs_on_our_tables(configuration, migration, tmp_path):
    """Types stay, our columns become NULL, rows that it writes return; then migrate again."""
    folder = shutil.copytree(migration[0], tmp_path / "copy")
    widened, deleted = types(folder), stored_keys(folder, "_fivetran_deleted")
    sync_example(folder, after())
    assert (types(folder), sdk.state_of(folder)) == (widened, published_example.STATE)
    assert stored_keys(folder, "_fivetran_deleted") == deleted
    assert sdk.query(folder, "SELECT count(position) FROM course_chapter") == [(0,)]
    sync_example(folder, before())
    assert stored_keys(folder, "_fivetran_deleted") == {name: set() for name in TABLES}
    assert sdk.sync(configuration, folder).error is None
    assert stored_keys(folder, "_fivetran_deleted") == deleted


FAULTS = ("all=401", "courses=403", "courses=503", "courses=html")


@pytest.mark.parametrize("fault", FAULTS)
def test_failures_that_the_example_hid_fail_the_sync(server, recorded, fault):
    """The error is the one that the guide quotes."""
    server.set_faults(fault)
    error = recorded(base_url=server.base_url).error
    assert guide_table("Failures")[FAULTS.index(fault)][2] in str(error)
