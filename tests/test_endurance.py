"""Many syncs in one process leak nothing, and a huge catalog needs memory for its bytes only."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

import connector
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.conftest import CONFIGURATION
from tests.recording import Log, Operations

PROJECT = Path(__file__).resolve().parent.parent
_ON_LINUX = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads files and memory as Linux shows them"
)
TOKEN = CONFIGURATION["bearer_token"]


@_ON_LINUX
def test_a_hundred_syncs_leak_no_thread_socket_or_memory(monkeypatch):
    """After a warm-up of twenty, eighty more syncs leave all as it was, memory within 5 %."""
    operations, log, state = Operations(), Log(), {}
    monkeypatch.setattr(connector, "op", operations)
    monkeypatch.setattr(connector, "log", log)
    with serving(catalog(scale=0.05), token=TOKEN) as server:
        tracemalloc.start()
        for number in range(100):
            connector.update({**CONFIGURATION, "base_url": server.base_url}, state)
            state = operations.states[-1]
            operations.stream.clear()
            log.lines.clear()
            server.requests.clear()
            if number == 19:
                before = _held()
        after = _held()
        tracemalloc.stop()
    assert after[0] <= before[0]
    # The last sync's connections may still be closing, at both ends; a leak would leave 80.
    assert after[1] <= before[1] + 12
    assert after[2] <= before[2] * 1.05


def _held():
    """Count threads, open files, and bytes of Python's memory."""
    gc.collect()
    files = len(list(Path("/proc/self/fd").iterdir()))
    return threading.active_count(), files, tracemalloc.get_traced_memory()[0]


_SYNC_INTO_NOTHING = """
import json, pathlib, re, sys
import connector

class Nothing:
    def upsert(self, table, row): pass
    delete = upsert
    def truncate(self, table): pass
    checkpoint = warning = truncate

class Silence:
    def info(self, text): pass
    warning = error = info

connector.op, connector.log = Nothing(), Silence()
connector.update(json.loads(sys.argv[1]), {})
status = pathlib.Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024)
"""


@_ON_LINUX
def test_a_catalog_of_100_mb_needs_little_more_than_its_bytes():
    """With operations going nowhere a sync's peak stays under 150 MB + 1.5 x the body sizes."""
    item = b'{"id":"course-%d","title":"%s","chapters":[{"id":"chapter-%d"}]}'
    text = b"A long title " * 150
    courses = b'{"data":[%s]}' % b",".join(item % (n, text, n) for n in range(50_000))
    assert len(courses) > 100e6
    with serving({}, token=TOKEN) as server:
        server.replace("courses", courses)
        finished = subprocess.run(
            [
                sys.executable,
                "-c",
                _SYNC_INTO_NOTHING,
                json.dumps({"bearer_token": TOKEN, "base_url": server.base_url}),
            ],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
    assert int(finished.stdout) < 150e6 + 1.5 * len(courses)
