"""The whole connector against the mock server on a real socket, into DuckDB or recorded."""

from __future__ import annotations

import json
import threading

import pytest

import connector
from devkit import fivetran, sdk
from flatten.names import column_name
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.cases import cases
from tests.support.fetching import NAMES, TOKEN, misbehave, replying
from tests.support.recording import updating
from tests.support.warehouse import TABLES, expected_rows, written_rows

SMALL = catalog(scale=0.05)


@pytest.fixture
def server():
    """Serve a small catalog."""
    with serving(SMALL, token=TOKEN) as running:
        yield running


def configuration(server):
    """Return the configuration for a running mock server."""
    return {"bearer_token": TOKEN, "base_url": server.base_url}


TYPES = {
    "STRING": "VARCHAR",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "LONG": "BIGINT",
    "UTC_DATETIME": "TIMESTAMP WITH TIME ZONE",
}


def test_an_initial_sync_fills_ten_typed_tables(tmp_path):
    """Every row of the real-size catalog is in its table, with the declared types.

    The state with its snapshots stays below 60 KB of JSON.
    """
    items = catalog()
    with serving(items, token=TOKEN) as server:
        synced = sdk.sync(configuration(server), tmp_path)
    assert synced.error is None
    assert 20_000 < len(json.dumps(synced.state)) < 60_000
    assert written_rows(tmp_path) == expected_rows(items)
    for name, table in TABLES.items():
        declared = {column_name(field): TYPES[kind] for field, kind in table.types.items()}
        assert declared.items() <= sdk.columns(tmp_path, name).items()


def test_later_revisions_bring_the_tables_to_the_catalog(tmp_path):
    """After each revision the rows that are not deleted equal the catalog, without a truncate."""
    with serving({}, token=TOKEN) as server:
        for revision in range(4):
            items = catalog(revision, scale=0.2)
            server.serve(items)
            synced = sdk.sync(configuration(server), tmp_path)
            assert synced.error is None
            assert ("table truncated" in synced.log) == (revision == 0)
            assert written_rows(tmp_path) == expected_rows(items)
    assert sdk.counts(tmp_path, deleted=True)["course"] > 0


def test_an_unchanged_sync_makes_six_requests_and_six_checkpoints(recorded):
    with serving(catalog(), token=TOKEN) as server:
        first = recorded(**configuration(server))
        server.requests.clear()
        again = recorded(state=first.operations.states[-1], **configuration(server))
        assert sorted(server.requests.endpoint_names) == sorted(NAMES)
    assert again.operations.stream == [("checkpoint", first.operations.states[-1])] * 6


PAGE = {"data": SMALL["courses"][:20]}


@cases(
    "document, headers",
    {
        "ids under another name": ({"data": [{"courseId": n} for n in range(20)]}, {}),
        "an error instead of items": ({"data": [], "error": {"code": 500}}, {}),
        "an error beside half a list": ({**PAGE, "errors": ["timeout"]}, {}),
        "a page with its limit": ({**PAGE, "total": 39, "limit": 20, "offset": 0}, {}),
        "a page with a cursor": ({**PAGE, "meta": {"after_cursor": "Y3Vyc29yMjA="}}, {}),
        "a page by its headers": (PAGE, {"X-Total-Count": "39", "X-Per-Page": "20"}),
    },
)
def test_a_refused_response_deletes_nothing(server, tmp_path, document, headers):
    """Three syncs fail and name the endpoint; its rows are unchanged, then and afterwards."""
    assert sdk.sync(configuration(server), tmp_path).error is None
    before = sdk.counts(tmp_path)
    misbehave(server, (replying(200, json.dumps(document).encode(), headers), None))
    for _ in range(3):
        synced = sdk.sync(configuration(server), tmp_path, update=updating())
        assert "- courses: GET " in str(synced.error)
        assert TOKEN not in f"{synced.log} {synced.state} {synced.error!r}"
        assert sdk.counts(tmp_path) == before
    server.set_faults()
    assert sdk.sync(configuration(server), tmp_path).error is None
    assert sdk.counts(tmp_path) == before


def test_a_declared_charset_keeps_every_row(server, tmp_path):
    """A catalog in ISO-8859-1 with accents updates its rows, sync after sync."""
    sdk.sync(configuration(server), tmp_path)
    before = sdk.counts(tmp_path)
    accents = [{**course, "title": "Décisions"} for course in SMALL["courses"]]
    body = json.dumps({"data": accents}, ensure_ascii=False).encode("iso-8859-1", "replace")
    declared = {"Content-Type": "application/json; charset=ISO-8859-1"}
    misbehave(server, (replying(200, body, declared), None))
    for _ in range(3):
        assert sdk.sync(configuration(server), tmp_path).error is None
        assert sdk.counts(tmp_path) == before
    titles = sdk.query(tmp_path, "SELECT DISTINCT title FROM course WHERE NOT _fivetran_deleted")
    assert titles == [("Décisions",)]


def test_a_suspicious_catalog_deletes_only_in_the_third_sync_in_a_row(server, tmp_path):
    """Two syncs succeed with warnings and every row; the third deletes what is missing.

    The courses have a larger total; half of the tracks and all custom tracks are missing.
    """
    tracks = [{"id": f"track-{number}"} for number in range(12)]
    custom = [{"id": f"custom-track-{number}"} for number in range(4)]
    server.serve({**SMALL, "tracks": tracks, "custom_tracks": custom})
    sdk.sync(configuration(server), tmp_path)
    server.serve({**SMALL, "tracks": tracks[:6], "custom_tracks": []})
    courses = SMALL["courses"]
    page = {"data": courses[:-2], "meta": {"total": len(courses)}}
    server.replace("courses", json.dumps(page).encode())
    reasons = (
        f"2 deletes deferred because meta.total is {len(courses)}, but",
        "4 deletes deferred because the catalog is empty",
    )
    found = []
    for deferred in (True, True, False):
        synced = sdk.sync(configuration(server), tmp_path)
        assert synced.error is None
        assert [reason in synced.log for reason in reasons] == [deferred] * 2
        counts = sdk.counts(tmp_path)
        found.append([counts[name] for name in ("course", "track", "custom_track")])
    assert found == [[len(courses), 12, 4]] * 2 + [[len(courses) - 2, 6, 0]]


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
        if operation[0] == "checkpoint" and set(operation[1]["endpoints"]) == set(NAMES[:-1]):
            assert not any("courses fetched" in line for _, line in connector.log.stream)
            server.release("courses")

    operations, _, error = recorded(before=release, **configuration(server))
    assert error is None
    assert set(operations.states[-1]["endpoints"]) == set(NAMES)


@cases(
    "faults, line",
    {
        "final failures": (["courses=404", "projects=redirect"], "- courses: GET"),
        "a rejected token": (["all=401"], "DataCamp rejected the token"),
    },
)
def test_fivetran_debug_fails_with_the_sync(server, tmp_path, faults, line):
    """The real command exits with status 1; no output or crash report contains the token."""
    project = fivetran.prepare(tmp_path, configuration(server))
    server.set_faults(*faults)
    status, output = fivetran.run(project, ["debug"])
    assert (status, "SYNC FAILED" in output, line in output) == (1, True, True)
    reports = [path.read_text(encoding="utf-8") for path in (project / "crash-reports").iterdir()]
    assert [TOKEN in text for text in (output, *reports)] == [False, False]
