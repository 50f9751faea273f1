"""The whole connector against the stand-in on a real socket, into DuckDB or recorded."""

from __future__ import annotations

import json
import threading
from datetime import datetime

import pytest

import connector
from devkit import fivetran, sdk
from endpoints import ENDPOINTS
from flatten import flatten_item
from flatten.names import column_name
from mock_api.catalog import catalog
from mock_api.serving import serving

NAMES = [endpoint.name for endpoint in ENDPOINTS]
TOKEN = "s3cret-token-of-the-tests"
SMALL = catalog(scale=0.05)


@pytest.fixture
def server():
    """Serve a small catalog."""
    with serving(SMALL, token=TOKEN) as running:
        yield running


def configuration(server, **others):
    """Configure the connector for a running stand-in."""
    return {"bearer_token": TOKEN, "base_url": server.base_url, **others}


def expected_rows(items):
    """Flatten whole catalogs: the rows of each table, with Fivetran's column names, sorted."""
    tables = {}
    for endpoint in ENDPOINTS:
        flats = [flatten_item(endpoint, item) for item in items[endpoint.name]]
        tables[endpoint.table.name] = [flat.row for flat in flats]
        if endpoint.child is not None:
            tables[endpoint.child.table.name] = [r for f in flats for r in f.children.values()]
    return {table: _comparable(rows) for table, rows in tables.items()}


def written_rows(folder):
    """Give what the warehouse holds, shaped as `expected_rows` is."""
    return {
        table.name: _comparable(sdk.live_rows(folder, table.name))
        for endpoint in ENDPOINTS
        for table in endpoint.tables
    }


def _comparable(rows):
    """Rename columns, leave NULLs out, and write moments and other values in one way."""
    return sorted(
        [
            sorted(
                (column_name(name), _plain(value))
                for name, value in row.items()
                if value is not None
            )
            for row in rows
        ]
    )


def _plain(value):
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    return str(value)


def declared_only(tables):
    """Leave out the columns whose type the SDK infers."""
    known = {
        table.name: {column_name(name) for name in table.types}
        for endpoint in ENDPOINTS
        for table in endpoint.tables
    }
    return {
        table: sorted([pair for pair in row if pair[0] in known[table]] for row in rows)
        for table, rows in tables.items()
    }


def test_a_first_sync_fills_ten_typed_tables(tmp_path):
    """The real-size catalog lands whole: every row of every table with its declared types."""
    items = catalog()
    with serving(items, token=TOKEN) as server:
        synced = sdk.sync(configuration(server), tmp_path)
    assert synced.error is None
    assert declared_only(written_rows(tmp_path)) == declared_only(expected_rows(items))
    counts = sdk.counts(tmp_path)
    assert {e.table.name: counts[e.table.name] for e in ENDPOINTS} == {
        "assessment": 60,
        "practice": 300,
        "project": 260,
        "custom_track": 20,
        "track": 120,
        "course": 764,
    }
    for endpoint in ENDPOINTS:
        for table in endpoint.tables:
            found = sdk.columns(tmp_path, table.name)
            assert [found[column_name(name)] for name in table.types] == [
                {
                    "STRING": "VARCHAR",
                    "DOUBLE": "DOUBLE",
                    "BOOLEAN": "BOOLEAN",
                    "LONG": "BIGINT",
                    "UTC_DATETIME": "TIMESTAMP WITH TIME ZONE",
                }[kind]
                for kind in table.types.values()
            ]


def test_the_state_of_the_real_catalog_is_small(recorded):
    """The snapshots of the real-size catalog stay below 60 KB of JSON."""
    with serving(catalog(), token=TOKEN) as server:
        operations, _, error = recorded(**configuration(server))
    assert error is None
    assert 20_000 < len(json.dumps(operations.states[-1])) < 60_000


def test_later_revisions_bring_the_tables_to_the_catalog(tmp_path):
    """After each revision the live rows equal the catalog, and the rest is marked as deleted."""
    with serving(catalog(scale=0.2), token=TOKEN) as server:
        assert sdk.sync(configuration(server), tmp_path).error is None
        for revision in (1, 2, 3):
            items = catalog(revision, scale=0.2)
            server.serve(items)
            synced = sdk.sync(configuration(server), tmp_path)
            assert synced.error is None
            assert "table truncated" not in synced.log
            assert declared_only(written_rows(tmp_path)) == declared_only(expected_rows(items))
    assert sdk.query(tmp_path, "SELECT count(*) FROM course WHERE _fivetran_deleted")[0][0] > 0


def test_a_sync_of_an_unchanged_catalog_writes_no_row(server, tmp_path):
    """The SDK counts no upsert, delete or truncate in a second sync, and no row is touched."""
    sdk.sync(configuration(server), tmp_path)
    touched = "SELECT CAST(max(_fivetran_synced) AS VARCHAR) FROM course"
    first = sdk.query(tmp_path, touched)
    synced = sdk.sync(configuration(server), tmp_path)
    assert sdk.query(tmp_path, touched) == first
    report = {
        line.split("|")[0].strip(): line.split("|")[1].strip()
        for line in synced.log.splitlines()
        if " | " in line
    }
    assert {name: report[name] for name in ("Upserts", "Deletes", "Truncates", "Checkpoints")} == {
        "Upserts": "0",
        "Deletes": "0",
        "Truncates": "0",
        "Checkpoints": "7",
    }


@pytest.mark.parametrize(
    "order", [NAMES, NAMES[::-1], NAMES[3:] + NAMES[:3]], ids=["replay", "reversed", "rotated"]
)
def test_arrival_order_never_changes_the_operations(server, recorded, order):
    """All six requests are in flight at once, and the stream is that of any other order."""
    plain, _, _ = recorded(**configuration(server))
    for name in NAMES:
        server.hold(name)
    releasing = threading.Thread(target=_release_in, args=(server, order))
    releasing.start()
    operations, log, error = recorded(**configuration(server))
    releasing.join()
    assert error is None
    assert [line.split()[0] for line in log.of_level("info") if " fetched: " in line] == order
    assert operations.stream == plain.stream


def _release_in(server, order):
    server.requests.wait_until(lambda requests: requests.in_flight == 6)
    for place, name in enumerate(order, start=1):
        server.release(name)
        server.requests.wait_until(lambda requests, left=6 - place: requests.in_flight == left)


def test_rows_are_written_while_the_last_catalog_still_downloads(server, recorded):
    """The first five endpoints land while half of the courses' body has yet to arrive."""
    server.hold("courses", after_half=True)

    def release(operation):
        if operation[0] == "checkpoint" and operation[1]["writing"] == "courses":
            assert not any("courses fetched" in line for _, line in connector.log.lines)
            server.release("courses")

    operations, _, error = recorded(before=release, **configuration(server))
    assert error is None
    assert operations.states[-1]["writing"] is None


def test_one_endpoint_failing_for_good_leaves_the_others_fresh(server, tmp_path, quick):
    """A forbidden endpoint fails every sync; the other five follow the catalog all the same."""
    sdk.sync(configuration(server), tmp_path)
    tracks = written_rows(tmp_path)["track"]
    server.set_faults("tracks=403")
    for revision in (1, 2):
        items = catalog(revision, scale=0.05)
        server.serve(items)
        synced = sdk.sync(configuration(server), tmp_path)
        assert "tracks: GET" in str(synced.error)
        assert "add tracks to skip_endpoints" in str(synced.error)
        wanted = {**expected_rows(items)}
        found = written_rows(tmp_path)
        assert found["track"] == tracks
        for table in (
            "assessment",
            "practice",
            "project",
            "project_topic",
            "custom_track",
            "course",
        ):
            assert declared_only({table: found[table]}) == declared_only({table: wanted[table]})
    server.set_faults()
    assert sdk.sync(configuration(server), tmp_path).error is None
    assert declared_only(written_rows(tmp_path)) == declared_only(expected_rows(items))


def test_ctrl_c_in_the_replay_leaves_nothing_behind(server, recorded):
    """An interruption cancels what is in flight: no thread and no open request remain."""
    server.hold("courses")
    threads = set(threading.enumerate())

    def interrupt(operation):
        if operation[0] == "upsert":
            raise KeyboardInterrupt

    _, _, error = recorded(before=interrupt, **configuration(server))
    assert isinstance(error, connector.SyncError)
    assert set(threading.enumerate()) == threads
    server.requests.wait_until(lambda requests: requests.in_flight == 0)
    server.release("courses")


def test_a_refused_token_fails_the_sync_before_anything_is_written(server, tmp_path):
    """A wrong token ends the sync at once, with what to do and without the token itself."""
    synced = sdk.sync({**configuration(server), "bearer_token": "wr0ng-token"}, tmp_path)
    assert "DataCamp rejected the token (HTTP 401); the sync stopped." in str(synced.error)
    assert "Check bearer_token" in str(synced.error)
    assert "wr0ng-token" not in synced.log + repr(synced.error)
    assert synced.state == {}


def test_the_token_is_in_no_log_line_and_no_state(server, tmp_path, quick):
    """Neither a clean sync nor one with retries and failures shows the token."""
    for faults in ((), ("courses=503x2", "tracks=html", "projects=redirect", "practices=reset")):
        server.set_faults(*faults)
        synced = sdk.sync(configuration(server), tmp_path)
        assert TOKEN not in synced.log
        assert TOKEN not in str(synced.state)
        assert (synced.error is None) == (not faults)


def connection_test(server, **others):
    """Run the setup form's test; gives its failure text, None for success."""
    return connector.connection_test(configuration(server, **others)).failure


def test_the_connection_test_names_what_the_token_cannot_read(server):
    """All endpoints are asked once; those that fail are named, with skip_endpoints as way out."""
    assert connection_test(server) is None
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)
    server.set_faults("tracks=403", "custom_tracks=403")
    assert connection_test(server) == (
        "The token cannot read custom_tracks, tracks: the server answers 403 Forbidden. Ask "
        "DataCamp to include them, or set skip_endpoints to: custom_tracks, tracks. "
        f"{connector.report.INSPECT}"
    )
    assert connection_test(server, skip_endpoints="custom_tracks, tracks") is None
    assert connection_test(server, bearer_token="other") == (
        "DataCamp rejected the token: the server answers 401 Unauthorized. Check bearer_token: it "
        f"is wrong, expired or revoked; DataCamp issues a new one. {connector.report.INSPECT}"
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Copy the connector to where the real command can run it."""
    return fivetran.prepare(tmp_path_factory.mktemp("project"), {})


def run_debug(project, server, **others):
    """Run ``fivetran debug``; gives its exit status and output."""
    (project / "configuration.json").write_text(json.dumps(configuration(server, **others)))
    with fivetran.start(project, ["debug"]) as process:
        output, _ = process.communicate(timeout=60)
    return process.returncode, output


def test_fivetran_debug_succeeds_and_then_fails_loudly(project, server):
    """The real command ends well with ten tables, and with status 1 when an endpoint fails."""
    status, output = run_debug(project, server)
    assert (status, "SYNC SUCCEEDED" in output) == (0, True)
    assert set(sdk.counts(project)) == {t.name for e in ENDPOINTS for t in e.tables}
    assert min(sdk.counts(project).values()) > 0
    server.set_faults("courses=404")
    status, output = run_debug(project, server)
    assert (status, "SYNC FAILED" in output) == (1, True)
    assert "- courses: GET" in output
    assert TOKEN not in output
    for report in (project / "crash-reports").iterdir():
        assert TOKEN not in report.read_text(encoding="utf-8")
