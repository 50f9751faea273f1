"""Real `fivetran debug` processes, killed at six points; one more run corrects the tables."""

from __future__ import annotations

import signal

import pytest

from devkit import fivetran, sdk
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.fetching import TOKEN
from tests.support.warehouse import expected_rows, written_rows
from tests.system.test_end_to_end import configuration

# The log line at which a process is killed, and after how many occurrences.
PLACES = {
    "after the first request": ("fetching 6 catalogs", 1),
    "after the first checkpoint": ("checkpoint recorded", 1),
    "after one of two tables was truncated": ("table truncated: tester.project", 1),
    "before a checkpoint": ("tracks written", 1),
    "between two endpoints": ("checkpoint recorded", 4),
    "after the last checkpoint": ("Sync finished", 1),
}


def run_until(project, signal_number, place):
    """Run a sync and kill it at the point; return whether it was killed."""
    text, times = place
    with fivetran.start(project, ["debug"]) as process:
        for line in process.stdout:
            times -= text in line
            if times == 0:
                process.send_signal(signal_number)
                break
        process.communicate(timeout=30)
    return process.returncode == -signal_number


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_the_run_after_a_kill_corrects_the_tables(tmp_path, place):
    """The initial sync is killed and the next one terminated; the third corrects the tables."""
    with serving(catalog(scale=0.05), token=TOKEN) as server:
        project = fivetran.prepare(tmp_path, configuration(server))
        assert run_until(project, signal.SIGKILL, place)
        items = catalog(revision=1, scale=0.05)
        server.serve(items)
        run_until(project, signal.SIGTERM, place)  # unless it no longer reaches the point
        status, output = fivetran.run(project, ["debug"])
    assert (status, "SYNC SUCCEEDED" in output) == (0, True), output
    assert written_rows(project) == expected_rows(items)
    assert sdk.state_of(project)["writing"] is None
