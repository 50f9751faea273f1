"""Taking over a warehouse that the published example filled: what the guide says does happen."""

from __future__ import annotations

import copy
import json
import re
import shutil

import pytest

import connector
from async_client import validate_configuration
from devkit import fivetran, sdk
from endpoints import ENDPOINTS
from flatten import flatten_item
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support import published_example
from tests.support.fivetran_api import Quiet, answering

TOKEN = "t0ken-of-the-migration"
GUIDE = (fivetran.PROJECT / "docs" / "migrating.md").read_text(encoding="utf-8")
TABLES = {table.name: table for endpoint in ENDPOINTS for table in endpoint.tables}
NO_STATE = "Ignoring the saved state: another connector wrote it. Rewriting all tables."


def survived(endpoint, item):
    """Tell whether the example's sync survives an item."""
    children = item[endpoint.child.field] if endpoint.child else []
    return (
        isinstance(children, list)
        and all(isinstance(child, dict) for child in children)
        and all(child.get("position", 0) is not None for child in children)
        and all("position" in child for child in children if endpoint.child.field == "content")
        and all(person["fullName"] is not None for person in item.get("instructors") or ())
    )


def before():
    """Give a catalog whose items the example can write, with some that it shapes as we do not."""
    items = catalog(scale=0.1)
    for endpoint in ENDPOINTS:
        items[endpoint.name] = [i for i in items[endpoint.name] if survived(endpoint, i)]
    for assessment in items["assessments"]:
        assessment["technology"] = None
    items["assessments"][0]["passingScore"] = 0.7
    items["practices"][0]["topic"] = {"name": "Importing & Cleaning Data", "description": None}
    items["projects"][1]["includedInLicenses"] = ["teams", "enterprise"]
    items["custom_tracks"][1]["instructors"] = [{"fullName": "Grace Hopper"}]
    items["courses"][0]["topic"] = None
    items["courses"][1]["includedInLicenses"] = [{"id": 7, "name": "enterprise"}]
    items["courses"][-1]["timeNeededInHours"] = 0.1
    return items


def after():
    """Give the same catalog later: a course, a chapter, a topic and ends of tracks are gone."""
    items = copy.deepcopy(before())
    items["courses"].pop()
    items["courses"][0]["chapters"].pop()
    project = next(item for item in items["projects"] if len(item["topics"]) > 1)
    project["topics"].pop()
    del items["tracks"][0]["content"][-3:]
    items["practices"][1]["title"] = "Changed"
    return items


def keys(items):
    """List the keys of all rows of a catalog, by table."""
    found = {name: set() for name in TABLES}
    for endpoint in ENDPOINTS:
        for item in items[endpoint.name]:
            flat = flatten_item(endpoint, item)
            rows = [flat.row], flat.children.values()
            for table, listed in zip(endpoint.tables, rows, strict=False):  # not all have children
                found[table.name] |= {tuple(row[k] for k in table.primary_key) for row in listed}
    return found


def stored_keys(folder, condition):
    """List the keys of the rows of a warehouse that meet a condition, by table."""
    return {
        table.name: set(
            sdk.query(
                folder,
                f"SELECT {', '.join(table.primary_key)} FROM {table.name} WHERE {condition}",
            )
        )
        for table in TABLES.values()
    }


def sync_example(configuration, folder, schema=published_example.schema):
    """Run one sync of the example into a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connector, "schema", schema)  # what `sdk.sync` declares
        return sdk.sync(configuration, folder, update=published_example.update)


def configured(server):
    """Configure either connector for a running stand-in."""
    return {"bearer_token": TOKEN, "base_url": server.base_url}


@pytest.fixture(scope="module")
def server():
    """Serve the later catalog."""
    with serving(after(), token=TOKEN) as running:
        yield running


@pytest.fixture(autouse=True)
def _healthy(server):
    """Begin each test with a server that serves the later catalog well."""
    server.set_faults()
    server.serve(after())


@pytest.fixture(scope="module")
def left_behind(server, tmp_path_factory):
    """Give a folder as two syncs of the example left it, and never change it."""
    folder = tmp_path_factory.mktemp("example")
    for items in (before(), after()):
        server.serve(items)
        assert sync_example(configured(server), folder).error is None
    return folder


@pytest.fixture(scope="module")
def migrated(server, left_behind, tmp_path_factory):
    """Give a folder in which our first sync followed the example's, and that sync."""
    folder = tmp_path_factory.mktemp("migrated")
    shutil.copytree(left_behind, folder, dirs_exist_ok=True)
    sdk.query(folder, "CREATE TABLE courses AS FROM course; SELECT 1")
    server.set_faults()
    server.serve(after())
    return folder, sdk.sync(configured(server), folder)


@pytest.fixture(scope="module")
def fresh(server, tmp_path_factory):
    """Give a folder in which our connector synced alone: what a new connection holds."""
    folder = tmp_path_factory.mktemp("fresh")
    server.set_faults()
    server.serve(after())
    assert sdk.sync(configured(server), folder).error is None
    return folder


@pytest.fixture
def taken(left_behind, tmp_path):
    """Copy what the example left, to go on from."""
    shutil.copytree(left_behind, tmp_path, dirs_exist_ok=True)
    return tmp_path


def types(folder):
    """Give the type of every column in a warehouse by ``table.column``."""
    return {
        f"{name}.{column}": kind
        for name in TABLES
        for column, kind in sdk.columns(folder, name).items()
    }


def test_the_example_deletes_nothing_and_forgets_its_state(left_behind):
    """What left the catalog is still there and not deleted; the state names the last endpoint."""
    assert sdk.state_of(left_behind) == published_example.STATE
    assert stored_keys(left_behind, "NOT _fivetran_deleted") == keys(before())
    assert stored_keys(left_behind, "_fivetran_deleted") == {name: set() for name in TABLES}


def test_the_first_sync_writes_everything_anew(migrated):
    """The example's state counts as none: one warning, ten truncates, every row written."""
    _, synced = migrated
    assert synced.error is None
    assert NO_STATE in synced.log
    assert NO_STATE in GUIDE
    assert operations(synced)["Truncates"] == 10
    assert operations(synced)["Upserts"] == sum(map(len, keys(after()).values()))


def test_without_the_examples_state_the_outcome_is_the_same(taken, migrated, server):
    """Should the state be lost on the way, the first sync writes and deletes the same rows."""
    synced = sdk.sync(configured(server), taken, state={})
    assert NO_STATE not in synced.log
    assert operations(synced) == operations(migrated[1])
    assert stored_keys(taken, "_fivetran_deleted") == stored_keys(migrated[0], "_fivetran_deleted")


def operations(synced):
    """Read the SDK's count of operations from the log of a sync."""
    return {name: int(number) for name, number in re.findall(r"(\w+) +\| (\d+)", synced.log)}


def test_the_second_sync_writes_nothing(migrated, server, tmp_path):
    """From then on only changes are written."""
    shutil.copytree(migrated[0], tmp_path, dirs_exist_ok=True)
    synced = sdk.sync(configured(server), tmp_path)
    counted = operations(synced)
    assert (counted["Upserts"], counted["Deletes"], counted["Truncates"]) == (0, 0, 0)


def test_what_left_the_catalog_is_deleted_at_last(migrated):
    """Exactly the rows that the catalog no longer has are marked, and all others are not."""
    folder, _ = migrated
    gone = {name: keys(before())[name] - keys(after())[name] for name in TABLES}
    assert {name for name in gone if gone[name]} == {
        *("course", "course_chapter", "project_topic", "track_content")
    }
    assert stored_keys(folder, "_fivetran_deleted") == gone
    assert stored_keys(folder, "NOT _fivetran_deleted") == keys(after())


def test_incremental_models_do_not_see_these_deletes(left_behind, migrated):
    """A row that the first sync marks keeps its `_fivetran_synced`: one full refresh is needed."""
    folder, _ = migrated
    stamp = "SELECT id, _fivetran_synced::VARCHAR FROM course WHERE id NOT IN ({})"
    listed = ", ".join(f"'{key}'" for (key,) in keys(after())["course"])
    gone = sdk.query(folder, stamp.format(listed))
    assert len(gone) == 1
    assert gone == sdk.query(left_behind, stamp.format(listed))


def guide_table(heading, place=0):
    """Read a table below a heading of the guide: its rows, cells without backticks."""
    chapter = GUIDE.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    rows = re.findall(r"(?:^\|.*\n)+", chapter, re.MULTILINE)[place].splitlines()[2:]
    return [tuple(cell.strip(" `") for cell in row.strip("|").split(" | ")) for row in rows]


def test_which_columns_stay_widen_or_are_new(left_behind, migrated, fresh):
    """The guide lists every column whose type is not that of a new connection, and some more."""
    told = {column: (was, now) for column, was, now, _ in guide_table("Columns")}
    was, now, new = types(left_behind), types(migrated[0]), types(fresh)
    assert told == {column: (was.get(column, "none"), now[column]) for column in told}
    assert {column for column in now if now[column] != new.get(column)} <= set(told)
    assert {column for column in now if now[column] != was.get(column)} <= set(told)


def test_text_stays_text(server, tmp_path):
    """Where `updated_at` is text, it stays text, in UTC and without fractions that are zero."""
    text = published_example.schema_with_text_moments
    sync_example(configured(server), tmp_path, text)
    moments = "SELECT id, updated_at FROM course ORDER BY id"
    spelled = sdk.query(tmp_path, moments)
    assert any(moment.endswith(".000Z") for _, moment in spelled)
    assert sdk.sync(configured(server), tmp_path).error is None
    kinds = types(tmp_path)
    assert {kinds[f"{endpoint.table.name}.updated_at"] for endpoint in ENDPOINTS} == {"VARCHAR"}
    assert sdk.query(tmp_path, moments) == [
        (key, moment.replace(".000Z", "Z")) for key, moment in spelled
    ]


def test_values_are_those_of_a_new_connection(migrated, fresh):
    """But for the JSON columns that stay, every live row equals that of a new connection."""
    folder, _ = migrated
    for name in TABLES:
        kinds = sdk.columns(folder, name)
        same = [c for c, kind in sdk.columns(fresh, name).items() if kinds[c] == kind]
        rows = f"SELECT {', '.join(same)} FROM {name} WHERE NOT _fivetran_deleted ORDER BY ALL"
        shown = rows.replace("updated_at", "updated_at::VARCHAR")
        assert sdk.query(folder, shown) == sdk.query(fresh, shown)


RESHAPED = {
    ("project", "included_in_licenses"): ('["teams", "enterprise"]', '"teams, enterprise"'),
    ("custom_track", "instructors"): ('[{"fullName": "Grace Hopper"}]', '"Grace Hopper"'),
    ("course", "included_in_licenses"): (
        "{'id': 7, 'name': 'enterprise'}",
        '[{"id": 7, "name": "enterprise"}]',
    ),
}


@pytest.mark.parametrize(("table", "column"), RESHAPED)
def test_values_that_change_in_columns_that_stay(left_behind, migrated, table, column):
    """Lists become text, in a JSON column a JSON string, and objects JSON in place of Python."""
    was, now = RESHAPED[table, column]
    plural = next(e.name for e in ENDPOINTS if e.table.name == table)
    item = before()[plural][1]
    sql = f"SELECT {column}::VARCHAR FROM {table} WHERE id = '{item['id']}'"
    assert sdk.query(left_behind, sql) == [(was,)]
    assert sdk.query(migrated[0], sql) == [(now,)]
    assert (was, now) in [told[1:] for told in guide_table("Columns", 1)]


def test_stale_columns_are_null_in_live_rows(left_behind, migrated):
    """A topic that the example kept as an object moves to columns of its own."""
    folder, _ = migrated
    name = "Importing & Cleaning Data"
    assert sdk.query(left_behind, "SELECT topic->>'name' FROM practice WHERE topic NOT NULL") == [
        (name,)
    ]
    assert sdk.query(folder, "SELECT count(*) FROM practice WHERE topic NOT NULL") == [(0,)]
    assert sdk.query(folder, "SELECT topic_name FROM practice WHERE topic_name NOT NULL") == [
        (name,)
    ]


def test_a_null_topic_left_no_column(left_behind):
    """A column that never held a value was not made: the example's null topics left no trace."""
    assert before()["courses"][0]["topic"] is None
    assert "topic" not in sdk.columns(left_behind, "course")


def test_deleted_rows_keep_rounded_hours(migrated):
    """The 32 bits of the example's numbers show in rows that are not written again."""
    folder, _ = migrated
    gone = sdk.query(folder, "SELECT time_needed_in_hours FROM course WHERE _fivetran_deleted")
    assert gone == [(0.10000000149011612,)]


def test_tables_of_other_names_are_left_alone(left_behind, migrated):
    """An older revision of the example used plural names; what is in them stays as it is."""
    rows = "SELECT * EXCLUDE (updated_at, _fivetran_synced) FROM {} ORDER BY id"
    folder, _ = migrated
    assert sdk.query(folder, rows.format("courses")) == sdk.query(
        left_behind, rows.format("course")
    )


@pytest.mark.parametrize("when", ["before our first sync", "with a re-sync"])
def test_dropped_tables_come_back_typed(taken, migrated, server, fresh, when):
    """Tables dropped before our first sync, or before a re-sync, get the declared types."""
    if when == "with a re-sync":
        shutil.copytree(migrated[0], taken, dirs_exist_ok=True)
    for name in TABLES:
        sdk.query(taken, f"DROP TABLE {name}; SELECT 1")
    state = {} if when == "with a re-sync" else None
    assert sdk.sync(configured(server), taken, state=state).error is None
    assert types(taken) == types(fresh)
    assert stored_keys(taken, "NOT _fivetran_deleted") == keys(after())


def test_tables_dropped_later_stay_empty_without_a_re_sync(migrated, server, tmp_path):
    """After our first sync the state says what was written: a dropped table comes back empty."""
    shutil.copytree(migrated[0], tmp_path, dirs_exist_ok=True)
    sdk.query(tmp_path, "DROP TABLE assessment; SELECT 1")
    assert sdk.sync(configured(server), tmp_path).error is None
    assert sdk.query(tmp_path, "SELECT count(*) FROM assessment") == [(0,)]


FAILURES = {
    "a refused token": (("all=401",), "DataCamp rejected the token (HTTP 401); the sync stopped."),
    "a catalog that is forbidden": (("courses=403",), "1 of 6 catalogs could not be fetched."),
    "a catalog that is down": (("courses=503",), "1 of 6 catalogs could not be fetched."),
    "a page in place of JSON": (("courses=html",), "1 of 6 catalogs could not be fetched."),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures_turn_from_silent_to_red(taken, server, quick, case):
    """What the example ended green with, nothing written, ends our sync red with a sentence.

    In both the tables of what cannot be read stay as they are.
    """
    faults, sentence = FAILURES[case]
    kept = sdk.live_rows(taken, "course")
    server.set_faults(*faults)
    silent = sync_example(configured(server), taken)
    assert (silent.error, silent.state) == (None, published_example.STATE)
    assert sdk.live_rows(taken, "course") == kept
    red = sdk.sync(configured(server), taken)
    assert sentence in str(red.error)
    assert (case, "green", sentence) in guide_table("Failures")
    assert stored_keys(taken, "NOT _fivetran_deleted")["course"] == keys(before())["course"]


def moved():
    """Serve catalogs of one item below ``/new``, and redirect there from below ``/old``."""

    class Moved(Quiet):
        def respond(self):
            if self.path.startswith("/new/"):
                self.send(200, b'{"data":[{"id":"1"}]}')
            else:
                self.send(301, Location=self.path.replace("/old/", "/new/"))

    return answering(Moved)


def test_redirects_that_the_example_followed_are_refused(tmp_path):
    """A redirect ends our sync red, with the host it points to; the new address then works."""
    with moved() as host:
        old = {"bearer_token": TOKEN, "base_url": f"{host}/old"}
        assert published_example._fetched(old, ENDPOINTS[0].path) == [{"id": "1"}]
        synced = sdk.sync(old, tmp_path)
        assert "6 of 6 catalogs could not be fetched." in str(synced.error)
        assert (
            f"the server answers 301 Moved Permanently and points to {host}; redirects are not "
            "followed, to keep the token here."
        ) in str(synced.error)
        assert sdk.sync({**old, "base_url": f"{host}/new"}, tmp_path).error is None


def test_configurations_of_the_example_that_mean_something_else():
    """An empty or untouched `base_url` is the default now, and an empty token is refused."""
    default = validate_configuration({"bearer_token": TOKEN}).base_url
    for base_url in ("", " ", "<YOUR_OPTIONAL_DATACAMP_BASE_URL>"):
        settings = validate_configuration({"bearer_token": TOKEN, "base_url": base_url})
        assert settings.base_url == default
        lost = {"bearer_token": TOKEN, "base_url": base_url}
        assert published_example._fetched(lost, ENDPOINTS[0].path) == []
    with pytest.raises(ValueError, match="bearer_token is missing"):
        validate_configuration({"bearer_token": ""})


HARMLESS_NOW = {
    "null chapters": ("courses", {"chapters": None}),
    "topics as text": ("projects", {"topics": ["Probability & Statistics"]}),
    "an instructor without a name": ("courses", {"instructors": [{"fullName": None}]}),
    "contents without a position": ("tracks", {"content": [{"id": "course-1"}]}),
}


@pytest.mark.parametrize("case", HARMLESS_NOW)
def test_items_that_stopped_the_example_are_written(server, tmp_path, recorded, case):
    """Items that ended the example's sync with an error are written by ours without complaint."""
    endpoint_name, odd = HARMLESS_NOW[case]
    items = {endpoint_name: [{**after()[endpoint_name][0], **odd}]}
    with serving(items, token=TOKEN) as alone:
        assert sync_example(configured(alone), tmp_path).error is not None
        operations, _, error = recorded(**configured(alone))
    assert (error, operations.of_kind("warning")) == (None, [])
    assert operations.of_kind("upsert")[0][2]["id"] == items[endpoint_name][0]["id"]


def test_going_back_to_the_example(migrated, server, tmp_path):
    """The example runs on our tables and state, NULLs our columns, and revives what it writes.

    The types that widened stay wide. Coming back is the same migration again.
    """
    shutil.copytree(migrated[0], tmp_path, dirs_exist_ok=True)
    kept = types(tmp_path)
    deleted = stored_keys(tmp_path, "_fivetran_deleted")
    synced = sync_example(configured(server), tmp_path)
    assert (synced.error, synced.state) == (None, published_example.STATE)
    assert types(tmp_path) == kept
    assert stored_keys(tmp_path, "_fivetran_deleted") == deleted
    assert sdk.query(tmp_path, "SELECT count(position) FROM course_chapter") == [(0,)]
    server.serve(before())
    sync_example(configured(server), tmp_path)
    assert stored_keys(tmp_path, "_fivetran_deleted") == {name: set() for name in TABLES}
    server.serve(after())
    again = sdk.sync(configured(server), tmp_path)
    assert (again.error, NO_STATE in again.log) == (None, True)
    assert stored_keys(tmp_path, "_fivetran_deleted") == deleted


def test_the_guide_quotes_the_state_of_the_example():
    """The state that the guide shows is the one that the example leaves."""
    assert f"`{json.dumps(published_example.STATE)}`" in GUIDE
