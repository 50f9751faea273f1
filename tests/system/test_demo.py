"""The demo runs on any terminal and ends with what the tables hold."""

from __future__ import annotations

import io
import re
import sys

from devkit import demo, sdk
from endpoints import ENDPOINTS


def test_the_demo_runs_on_a_terminal_that_lacks_characters_of_the_log(tmp_path, monkeypatch):
    """Characters that the encoding lacks are replaced; the counts are those of the warehouse."""
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, "ascii"))
    assert demo.main(tmp_path) == 0
    sys.stdout.flush()
    text = output.getvalue().decode("ascii")
    assert text.count("SYNC SUCCEEDED ? total elapsed") == 2
    warehouse = tmp_path / ".demo" / "connector"
    active, deleted = sdk.counts(warehouse), sdk.counts(warehouse, deleted=True)
    assert re.findall(r"(?m)^(\w+) +([\d,]+) +([\d,]+)$", text) == [
        (table.name, f"{active[table.name]:,}", f"{deleted[table.name]:,}")
        for endpoint in ENDPOINTS
        for table in endpoint.tables
    ]
