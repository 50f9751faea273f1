"""Many syncs in one process leak nothing, and large responses stay within the memory limit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from async_client import Limits
from async_client.response import MAX_BODY_COMMAS
from devkit.package import PROJECT
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads files and memory as Linux shows them"
)

_PRELUDE = """
import gc, json, pathlib, re, sys, threading, tracemalloc
from types import SimpleNamespace
import connector

def ignore(*_):
    pass

op = SimpleNamespace(**dict.fromkeys(("upsert", "delete", "truncate", "warning"), ignore))
op.checkpoint = lambda state: setattr(op, "state", state)
log = SimpleNamespace(info=ignore, warning=ignore, error=ignore)
vars(connector).update(op=op, log=log)
configuration = json.loads(sys.argv[1])
"""

_A_HUNDRED_SYNCS = """
def held():
    gc.collect()
    files = len(list(pathlib.Path("/proc/self/fd").iterdir()))
    return threading.active_count(), files, tracemalloc.get_traced_memory()[0]

op.state = {}
for number in range(100):
    connector.update(configuration, op.state)
    if number == 19:
        before = held()
print(json.dumps([before, held()]))
"""

_ONE_SYNC = """
from async_client import Limits, validate_configuration
error = ""
try:
    connector.sync(validate_configuration(configuration), {}, limits=Limits(wait_caps_seconds=()))
except Exception as failed:
    error = type(failed).__name__
status = pathlib.Path("/proc/self/status").read_text()
print(json.dumps([int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024, error]))
"""


def run(script, server, *options):
    """Run a script after the prelude in its own process; return the JSON that it prints."""
    configuration = json.dumps({"bearer_token": server.token, "base_url": server.base_url})
    finished = subprocess.run(
        [sys.executable, *options, "-c", _PRELUDE + script, configuration],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(finished.stdout)


def test_a_hundred_syncs_leak_no_thread_socket_or_memory():
    """After a warm-up of 20 syncs, 80 more leave these unchanged, memory within 5 %."""
    with serving(catalog(scale=0.05)) as server:
        before, after = run(_A_HUNDRED_SYNCS, server, "-X", "tracemalloc")
    assert after[:2] == before[:2]
    assert after[2] <= before[2] * 1.05


def test_a_catalog_at_the_size_bound_needs_little_more_than_its_bytes():
    """Without a destination the peak memory of a sync is below 150 MB + 1.5 x the body size."""
    item = b'{"id":"course-%d","title":"%s","chapters":[{"id":"chapter-%d"}]}'
    text = b"A long title " * 150
    courses = b'{"data":[%s]}' % b",".join(item % (n, text, n) for n in range(16_200))
    assert 31 * 2**20 < len(courses) < Limits().body_bytes
    with serving({}) as server:
        server.replace("courses", courses)
        peak_bytes, outcome = run(_ONE_SYNC, server)
    assert outcome == ""
    assert peak_bytes < 150e6 + 1.5 * len(courses)


def at_most(start, part, end):
    """Repeat a part until the body has the largest accepted size or number of commas."""
    times = (Limits().body_bytes - len(start) - len(end)) // len(part)
    if commas := part.count(b","):
        times = min(times, (MAX_BODY_COMMAS - (start + end).count(b",")) // commas)
    return start + part * times + end


_PADDED = b'"' + b"x" * 30 + b'",'
HOSTILE = {
    "items that are numbers": at_most(b"[", b"1" + b" " * 320 + b",", b"1]"),
    "a million items": at_most(b"[", b"1,", b"1]"),
    "another member of lists": at_most(b'{"data":[],"x":[', b"[],", b"[]]}"),
    "another member of texts": at_most(b'{"data":[],"x":[', _PADDED, b'""]}'),
    "another member of objects": at_most(b'{"data":[],"x":[', b'{"a":{}},', b"0]}"),
    "one item of lists": at_most(b'[{"id":"1","x":[', b"[],", b"[]]}]"),
    "one item of chapters": at_most(b'[{"id":"1","chapters":[', b"{},", b"{}]}]"),
    "objects that msgspec refuses": at_most(b'[NaN,{"id":"1"},{"x":[', b"{},", b"{}]}]"),
    "not UTF-8": at_most(b'[{"id":"\xe9"},"', "\N{GRINNING FACE}".encode(), b'"]'),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_six_hostile_responses_at_once_stay_below_900_mb(body):
    """Production has 1 GB; a sync of six bodies at the limits fails or succeeds within that."""
    with serving({}) as server:
        for endpoint in ENDPOINTS:
            server.replace(endpoint.name, body)
        peak_bytes, _ = run(_ONE_SYNC, server)
    assert peak_bytes < 900e6
