"""The whole connector against the mock server on a real socket, into DuckDB or recorded."""

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


def configuration(server):
    """Return the configuration for a running mock server."""
    return {"bearer_token": TOKEN, "base_url": server.base_url}


def expected_rows(items):
    """Return the declared columns of the rows of each table, sorted, for whole catalogs."""
    tables = {}
    for endpoint in ENDPOINTS:
        flats = [flatten_item(endpoint, item) for item in items[endpoint.name]]
        rows = [flat.row for flat in flats], [r for f in flats for r in f.children.values()]
        for table, own in zip(endpoint.tables, rows, strict=False):  # not all have children
            tables[table.name] = sorted([_text(row[name]) for name in table.types] for row in own)
    return tables


def written_rows(folder):
    """Return what `expected_rows` returns, from the rows in a warehouse that are not deleted."""
    tables = {}
    for table in (table for endpoint in ENDPOINTS for table in endpoint.tables):
        names = [column_name(name) for name in table.types]
        rows = sdk.live_rows(folder, table.name)
        tables[table.name] = sorted([_text(row[name]) for name in names] for row in rows)
    return tables


def _text(value):
    return value.replace(tzinfo=None).isoformat() if isinstance(value, datetime) else str(value)


def test_an_initial_sync_fills_ten_typed_tables(tmp_path):
    """Every row of the real-size catalog arrives in its table, with the declared types."""
    items = catalog()
    with serving(items, token=TOKEN) as server:
        assert sdk.sync(configuration(server), tmp_path).error is None
    assert written_rows(tmp_path) == expected_rows(items)
    kinds = {
        "STRING": "VARCHAR",
        "DOUBLE": "DOUBLE",
        "BOOLEAN": "BOOLEAN",
        "LONG": "BIGINT",
        "UTC_DATETIME": "TIMESTAMP WITH TIME ZONE",
    }
    for table in (table for endpoint in ENDPOINTS for table in endpoint.tables):
        declared = {column_name(name): kinds[kind] for name, kind in table.types.items()}
        assert declared.items() <= sdk.columns(tmp_path, table.name).items()


def test_the_state_of_the_real_catalog_is_small(recorded):
    """The snapshots of the real-size catalog stay below 60 KB of JSON."""
    with serving(catalog(), token=TOKEN) as server:
        operations, _, error = recorded(**configuration(server))
    assert error is None
    assert 20_000 < len(json.dumps(operations.states[-1])) < 60_000


def test_later_revisions_bring_the_tables_to_the_catalog(tmp_path):
    """After each revision the rows that are not deleted equal the catalog, without a truncate."""
    with serving(catalog(scale=0.2), token=TOKEN) as server:
        assert sdk.sync(configuration(server), tmp_path).error is None
        for revision in (1, 2, 3):
            items = catalog(revision, scale=0.2)
            server.serve(items)
            synced = sdk.sync(configuration(server), tmp_path)
            assert synced.error is None
            assert "table truncated" not in synced.log
            assert written_rows(tmp_path) == expected_rows(items)
    assert sdk.query(tmp_path, "SELECT count(*) FROM course WHERE _fivetran_deleted")[0][0] > 0


@pytest.mark.parametrize(
    "order", [NAMES, NAMES[::-1], NAMES[3:] + NAMES[:3]], ids=["replay", "reversed", "rotated"]
)
def test_arrival_order_never_changes_the_operations(server, recorded, order):
    """All six requests are in flight at once; the operations are those of any other order."""
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
    """The first five endpoints are written before the second half of the courses arrives."""
    server.hold("courses", after_half=True)

    def release(operation):
        if operation[0] == "checkpoint" and operation[1]["writing"] == "courses":
            assert not any("courses fetched" in line for _, line in connector.log.stream)
            server.release("courses")

    operations, _, error = recorded(before=release, **configuration(server))
    assert error is None
    assert operations.states[-1]["writing"] is None


def test_ctrl_c_in_the_replay_leaves_nothing_behind(server, recorded):
    """It cancels what is in flight: no thread and no open request remain."""
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


@pytest.mark.parametrize(
    "faults",
    [(), ("courses=503x2", "tracks=html", "projects=redirect", "practices=reset"), ("all=401",)],
    ids=["a clean sync", "retries and failures", "a rejected token"],
)
def test_the_token_is_in_no_log_line_and_no_state(server, tmp_path, quick, faults):
    """Neither the log nor the state nor the error of a sync holds the token."""
    server.set_faults(*faults)
    synced = sdk.sync(configuration(server), tmp_path)
    assert (synced.error is None) == (not faults)
    assert TOKEN not in f"{synced.log} {synced.state} {synced.error!r}"


def test_fivetran_debug_fails_with_the_sync(server, tmp_path):
    """The real command exits with status 1; its output and its report do not hold the token."""
    project = fivetran.prepare(tmp_path, configuration(server))
    server.set_faults("courses=404")
    status, output = fivetran.run(project, ["debug"])
    assert (status, "SYNC FAILED" in output, "- courses: GET" in output) == (1, True, True)
    reports = [path.read_text(encoding="utf-8") for path in (project / "crash-reports").iterdir()]
    assert [TOKEN in text for text in (output, *reports)] == [False, False]
