"""Real processes are killed; what the next sync writes is compared, and the tables after it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from devkit import fivetran, sdk
from devkit.package import PROJECT
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.cases import cases
from tests.support.fetching import NAMES, TOKEN
from tests.support.warehouse import expected_rows, written_rows
from tests.system.test_end_to_end import configuration

BEFORE, AFTER = (catalog(revision, scale=0.05) for revision in (0, 1))
ENDPOINT_OF_TABLE = {table.name: e.name for e in ENDPOINTS for table in e.tables}

# A sync that kills its own process instead of the n-th upsert into a table.
KILLED_AT_UPSERT = """
import os, signal, sys
from pathlib import Path

import connector
from devkit import sdk

base_url, token, folder, table, number = sys.argv[1:]
real, seen = connector.op, []

class Killing(real):
    @staticmethod
    def upsert(into, row):
        seen.append(into)
        if seen.count(table) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
        real.upsert(into, row)

connector.op = Killing
sys.exit(str(sdk.sync({"bearer_token": token, "base_url": base_url}, Path(folder)).error))
"""


@pytest.fixture
def server():
    """Serve a small catalog."""
    with serving(BEFORE, token=TOKEN) as running:
        yield running


def written_by(server, state):
    """Return the operations on tables that a sync from this state would emit, by endpoint."""
    emitted = sdk.emit(configuration(server), state)
    assert emitted.error is None
    found = {name: [] for name in NAMES}
    for kind, *operation in emitted.operations:
        if kind not in ("checkpoint", "warning"):
            found[ENDPOINT_OF_TABLE[operation[0]]].append((kind, *operation))
    return found


def without(operations, done):
    """Return the operations by endpoint, without those of the endpoints that are done."""
    return {name: [] if name in done else found for name, found in operations.items()}


def kill_at_upsert(server, folder, table, number):
    """Run a sync into the warehouse in `folder` that is killed at an upsert."""
    arguments = [server.base_url, TOKEN, str(folder), table, str(number)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT_UPSERT, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.parametrize("name", [NAMES[0], "projects", NAMES[-1]])
def test_a_kill_while_waiting_for_a_response_costs_nothing(tmp_path, server, name):
    """The next sync writes what was not written yet, as if there had been no kill."""
    project = fivetran.prepare(tmp_path, configuration(server))
    assert fivetran.run(project, ["debug"])[0] == 0
    server.serve(AFTER)
    whole = written_by(server, sdk.state_of(project))
    done = NAMES[: NAMES.index(name)]
    server.hold(name)
    server.requests.clear()
    with fivetran.start(project, ["debug"]) as process:
        reached = f" {done[-1]} written" if done else "Incremental sync"
        assert any(reached in line for line in process.stdout)
        server.requests.wait_until(lambda requests: requests.in_flight == 1)
        process.kill()
        process.communicate(timeout=30)
    server.release(name)
    state = sdk.state_of(project)
    assert written_by(server, state) == without(whole, done)
    assert all(whole.values())
    status, output = fivetran.run(project, ["debug"])
    assert (status, "SYNC SUCCEEDED" in output) == (0, True), output
    assert written_rows(project) == expected_rows(AFTER)


def test_a_kill_between_two_checkpoints_costs_the_touched_items_of_one_catalog(tmp_path, server):
    """They are written or deleted again, all others are left alone; earlier catalogs too."""
    sdk.sync(configuration(server), tmp_path)
    server.serve(AFTER)
    state = sdk.state_of(tmp_path)
    whole = written_by(server, state)
    kill_at_upsert(server, tmp_path, "track", 2)
    assert sdk.state_of(tmp_path)["endpoints"]["tracks"] != state["endpoints"]["tracks"]
    expected = without(whole, NAMES[: NAMES.index("tracks")])
    assert written_by(server, sdk.state_of(tmp_path)) == expected
    kill_at_upsert(server, tmp_path, "track_content", 2)
    assert written_by(server, sdk.state_of(tmp_path)) == expected
    assert sdk.sync(configuration(server), tmp_path).error is None
    assert written_rows(tmp_path) == expected_rows(AFTER)


@cases("is_re_sync", {"an initial sync": [False], "a re-sync": [True]})
def test_a_kill_without_a_snapshot_costs_the_catalog_that_was_being_written(
    tmp_path, server, is_re_sync
):
    """Its tables are truncated and written from scratch; the catalogs before it are left alone."""
    if is_re_sync:
        sdk.sync(configuration(server), tmp_path)
        sdk.state_file(tmp_path).unlink()
    server.serve(AFTER)
    whole = written_by(server, {})
    kill_at_upsert(server, tmp_path, "track_content", 3)
    expected = without(whole, NAMES[: NAMES.index("tracks")])
    assert written_by(server, sdk.state_of(tmp_path)) == expected
    assert sdk.sync(configuration(server), tmp_path).error is None
    assert written_rows(tmp_path) == expected_rows(AFTER)


@pytest.mark.parametrize("kept", [0, 1])
def test_after_a_kill_a_bad_response_still_deletes_nothing(tmp_path, server, kept):
    """An empty or a shrunken catalog is as suspicious as before the kill."""
    sdk.sync(configuration(server), tmp_path)
    courses = BEFORE["courses"]
    server.replace("courses", [{**courses[0], "title": "New"}, *courses[1:]])
    kill_at_upsert(server, tmp_path, "course", 1)
    server.replace("courses", courses[:kept])
    synced = sdk.sync(configuration(server), tmp_path)
    assert (synced.error, "deletes deferred" in synced.log) == (None, True)
    assert sdk.counts(tmp_path)["course"] == len(courses)
