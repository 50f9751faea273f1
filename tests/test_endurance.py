"""Many syncs in one process leak nothing, and a huge catalog needs memory for its bytes only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.conftest import CONFIGURATION

PROJECT = Path(__file__).resolve().parent.parent
_ON_LINUX = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads files and memory as Linux shows them"
)
TOKEN = CONFIGURATION["bearer_token"]


_PRELUDE = """
import gc, json, pathlib, re, sys, threading, tracemalloc
import connector

class Nothing:
    def upsert(self, table, row): pass
    delete = upsert
    def truncate(self, table): pass
    warning = truncate
    def checkpoint(self, state): self.state = state

class Silence:
    def info(self, text): pass
    warning = error = info

connector.op, connector.log = Nothing(), Silence()
configuration = json.loads(sys.argv[1])
"""

_A_HUNDRED_SYNCS = """
def held():
    gc.collect()
    files = len(list(pathlib.Path("/proc/self/fd").iterdir()))
    return threading.active_count(), files, tracemalloc.get_traced_memory()[0]

connector.op.state = {}
for number in range(100):
    connector.update(configuration, connector.op.state)
    if number == 19:
        before = held()
print(json.dumps([before, held()]))
"""

_ONE_SYNC = """
connector.update(configuration, {})
status = pathlib.Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024)
"""


def run(script, server, *options):
    """Run a script after the prelude, in a process of its own; gives what it prints, as JSON."""
    configuration = json.dumps({"bearer_token": TOKEN, "base_url": server.base_url})
    finished = subprocess.run(
        [sys.executable, *options, "-c", _PRELUDE + script, configuration],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(finished.stdout)


@_ON_LINUX
def test_a_hundred_syncs_leak_no_thread_socket_or_memory():
    """After a warm-up of twenty, eighty more syncs leave all as it was, memory within 5 %."""
    with serving(catalog(scale=0.05), token=TOKEN) as server:
        before, after = run(_A_HUNDRED_SYNCS, server, "-X", "tracemalloc")
    assert after[:2] == before[:2]
    assert after[2] <= before[2] * 1.05


@_ON_LINUX
def test_a_catalog_of_100_mb_needs_little_more_than_its_bytes():
    """With operations going nowhere a sync's peak stays under 150 MB + 1.5 x the body sizes."""
    item = b'{"id":"course-%d","title":"%s","chapters":[{"id":"chapter-%d"}]}'
    text = b"A long title " * 150
    courses = b'{"data":[%s]}' % b",".join(item % (n, text, n) for n in range(50_000))
    assert len(courses) > 100e6
    with serving({}, token=TOKEN) as server:
        server.replace("courses", courses)
        assert run(_ONE_SYNC, server) < 150e6 + 1.5 * len(courses)
