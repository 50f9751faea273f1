"""Many syncs in one process leak nothing, and large responses stay within the memory limit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from async_client.limits import MAX_BODY_BYTES, MAX_ITEMS, MAX_VALUES
from devkit.package import PROJECT
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.fetching import configuration

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


# Six bodies are kept, the first as a catalog whose items are held while the last is judged. Prints
# the peak memory and the CPU seconds of the slower one.
_SIX_JUDGED = """
import json, pathlib, re, sys, time
from datetime import datetime, timezone
from async_client.errors import FetchError
from async_client.response import Response, judge
from endpoints import ENDPOINTS

bodies = [bytearray(pathlib.Path(sys.argv[1]).read_bytes()) for _ in range(6)]
headers = {"Content-Type": "application/json; charset=latin1"}

def judged(body):
    started = time.process_time()
    try:
        response = Response(200, headers, body)
        catalog = judge(ENDPOINTS[-1], "", response, datetime.now(timezone.utc))
    except FetchError:
        catalog = None
    return catalog, time.process_time() - started

first, first_seconds = judged(bodies.pop())
items = first and first.items()
_, last_seconds = judged(bodies.pop())
status = pathlib.Path("/proc/self/status").read_text()
peak_bytes = int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024
print(json.dumps([peak_bytes, max(first_seconds, last_seconds)]))
"""


def run(script, server, *options):
    return run_in_project(_PRELUDE + script, json.dumps(configuration(server)), *options)


def run_in_project(script, argument, *options):
    """Run a script in its own process; return the JSON that it prints."""
    finished = subprocess.run(
        [sys.executable, *options, "-c", script, argument],
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


def test_a_catalog_at_the_size_bound_needs_at_most_five_times_its_bytes():
    item = b'{"id":"course-%d","title":"%s","chapters":[{"id":"chapter-%d"}]}'
    text = b"A long title " * 150
    courses = b'{"data":[%s]}' % b",".join(item % (n, text, n) for n in range(16_200))
    assert 31 * 2**20 < len(courses) < MAX_BODY_BYTES
    with serving({}) as server:
        server.replace("courses", courses)
        peak_bytes, outcome = run(_ONE_SYNC, server)
    assert outcome == ""
    # Its bytes while they grow, a copy to count values, and its objects twice; 150 MB are Python.
    assert peak_bytes < 150e6 + 5 * len(courses)


def values(text):
    return sum(map(text.count, (b",", b"[", b"{")))


def at_most(start, part, end):
    times = (MAX_BODY_BYTES - len(start) - len(end)) // len(part)
    if counted := values(part):
        times = min(times, (MAX_VALUES - values(start + end)) // counted)
    return start + part * times + end


_PADDED = b'"' + b"x" * 30 + b'",'
_ITEMS = b",".join(b'{"id":%d}' % number for number in range(MAX_ITEMS))
_DEEP = b"[" * 490 + b"]" * 490
_SMILEY = "\N{GRINNING FACE}".encode()
_NAMES = (b'"n%d":{},' % number for number in range(490_000))
HOSTILE = {
    "100,000 items": b"[%s]" % _ITEMS,
    "another member of lists": at_most(b'{"data":[],"x":[', b"[],", b"[]]}"),
    "another member of texts": at_most(b'{"data":[],"x":[', _PADDED, b'""]}'),
    "another member of objects": at_most(b'{"data":[],"x":[', b'{"a":{"b":1}},', b"0]}"),
    "other members": b'{"data":[],%s"x":0}' % b"".join(_NAMES),
    "one item of objects": at_most(b'[{"id":"1","x":[', b'{"a":{"b":1}},', b"0]}]"),
    "objects that msgspec refuses": at_most(b'[NaN,{"id":"1"},{"x":[', b'{"a":{"b":1}},', b"0]}]"),
    "nested lists": at_most(b'{"data":[],"meta":[', _DEEP + b",", b"0]}"),
    "nested lists beside a NaN": at_most(b'{"data":[],"meta":[NaN,', _DEEP + b",", b"0]}"),
    "brackets": b"[" * MAX_BODY_BYTES,
    "backslashes beside a NaN": at_most(b'[{"id":"1","x":NaN,"y":"', rb"\\", b'"}]'),
    "4 bytes a character": at_most(b'[{"id":"1","x":"' + _SMILEY, b"x", b'"}]'),
    "4 bytes a character beside a NaN": at_most(
        b'[{"id":"1","y":NaN,"x":"' + _SMILEY, b"x", b'"}]'
    ),
    "not UTF-8": at_most(b'[{"id":"\xe9"},"', _SMILEY, b'"]'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_six_hostile_bodies_are_judged_in_900_mb_and_10_s_each(tmp_path, name):
    """Production has 1 GB. While the items of one are written, another one may be judged."""
    body = tmp_path / "body"
    body.write_bytes(HOSTILE[name])
    peak_bytes, cpu_seconds = run_in_project(_SIX_JUDGED, str(body))
    assert peak_bytes < 900e6
    assert cpu_seconds < 10


@pytest.mark.parametrize("name", ["another member of objects", "4 bytes a character beside a NaN"])
def test_a_sync_of_six_hostile_responses_stays_below_900_mb(name):
    with serving({}) as server:
        for endpoint in ENDPOINTS:
            server.replace(endpoint.name, HOSTILE[name])
        peak_bytes, _ = run(_ONE_SYNC, server)
    assert peak_bytes < 900e6
