"""Real ``fivetran debug`` processes, killed at ten moments; one more run mends the tables."""

from __future__ import annotations

import json
import signal

import pytest

from devkit import fivetran, sdk
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.system.test_end_to_end import (
    TOKEN,
    configuration,
    declared_only,
    expected_rows,
    written_rows,
)

# What the log says at the moment, and how many times it has to say so.
MOMENTS = {
    "before it is called": ("calling schema()", 1),
    "requests sent": ("fetching 6 catalogs", 1),
    "first arrival": ("assessments fetched", 1),
    "first checkpoint": ("checkpoint recorded", 1),
    "one table truncated": ("table truncated: tester.project", 1),
    "both tables truncated": ("table truncated: tester.project_topic", 1),
    "written, not committed": ("tracks written", 1),
    "between two endpoints": ("checkpoint recorded", 4),
    "last endpoint written": ("courses written", 1),
    "after the last checkpoint": ("Sync finished", 1),
}


def run_until(project, signal_number, moment):
    """Run a sync and kill it at the moment; gives whether it came to that."""
    text, times = moment
    with fivetran.start(project, ["debug"]) as process:
        for line in process.stdout:
            times -= text in line
            if times == 0:
                process.send_signal(signal_number)
                break
        process.communicate(timeout=30)
    return process.returncode == -signal_number


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_killed_and_terminated_the_next_run_finishes(tmp_path, moment):
    """A first sync is killed, the next one terminated there; then the tables equal the catalog."""
    with serving(catalog(scale=0.05), token=TOKEN) as server:
        project = fivetran.prepare(tmp_path, configuration(server))
        assert run_until(project, signal.SIGKILL, moment)
        items = catalog(revision=1, scale=0.05)
        server.serve(items)
        run_until(project, signal.SIGTERM, moment)  # what landed before is not truncated again
        with fivetran.start(project, ["debug"]) as process:
            output, _ = process.communicate(timeout=60)
    assert (process.returncode, "SYNC SUCCEEDED" in output) == (0, True), output
    assert declared_only(written_rows(project)) == declared_only(expected_rows(items))
    assert json.loads((project / "files" / "state.json").read_text())["writing"] is None
    assert sdk.state_of(project)["version"] == 1
