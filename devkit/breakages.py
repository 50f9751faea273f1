"""Check that the tests catch bugs: apply one-line breakages of the product, one at a time.

`python -m devkit.breakages [WORD ...]` runs those whose name or file contains one of the words, or
all. It works in a copy of the files that git does not ignore and never changes the checkout.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE
from typing import NamedTuple

from devkit.package import PROJECT

# Except the test of this list, which fails with every breakage.
UNIT_TESTS = ("tests/unit", "--ignore=tests/unit/test_breakages.py")
TIME_LIMIT_SECONDS = 300
# As in pytest's summary. A module that cannot be imported names no test and does not count.
_FIRST_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+?::.+?)(?: - .*)?$", re.MULTILINE)


class Breakage(NamedTuple):
    """A bug: in `file`, the only occurrence of `before` is replaced by `after`.

    `tests` is the narrowest path of tests that should fail. If they pass, all unit tests are run.
    """

    name: str
    file: str
    before: str
    after: str
    tests: str


# File and tests; then by name, the text before and after.
_BY_FILE: dict[tuple[str, str], dict[str, tuple[str, str]]] = {
    ("connector.py", "tests/unit/test_connector.py"): {
        "no checkpoint before the first write": ("_checkpoint(progress, endpoint.name)", "pass"),
        "no checkpoint after an endpoint": ("(progress, None if rejected else follower)", ""),
        "writing is not reset before a 401 is raised": ("None if rejected else ", ""),
        "one failed endpoint leaves the sync green": ("if failures:", "if len(failures) > 1:"),
        "a cancelled sync is a success": ("except BaseException", "except KeyboardInterrupt"),
    },
    ("report.py", "tests/unit/test_report.py"): {
        "one deferred delete is not reported": ("outcome.deferred:", "outcome.deferred > 1:"),
        "the proposed skip_endpoints drops those skipped already": (" or e.name not in asked", ""),
    },
    ("endpoints.py", "tests/unit/test_endpoints.py"): {
        "chapters of two courses share a primary key": ('("id", "course_id")', '("id",)'),
    },
    ("async_client/background.py", "tests/unit/test_background.py"): {
        "leaving does not wait until the connections are closed": ("thread.join()", "pass"),
    },
    ("async_client/client.py", "tests/unit/test_client.py"): {
        "environment proxies are ignored": ("proxy=", "proxy=None and "),
    },
    ("async_client/client.py", "tests/unit/test_background.py"): {
        "a 401 does not cancel the other requests": (
            "if await task:",
            "if await task and not tasks:",
        ),
    },
    ("async_client/client.py", "tests/system/test_faults.py"): {
        "TLS certificates are not verified": ("if secure else True", "if not secure else False"),
        "a silent server is waited for": ("sock_read=silence_seconds", "sock_read=None"),
        "redirects are followed": ("allow_redirects=False", "allow_redirects=True"),
        "a token that a redirect encodes is shown": ("in unquote(", "in str("),
        "a body is not bounded": ("if len(body) > limits.body_bytes:", "if not body:"),
    },
    ("async_client/evidence.py", "tests/unit/test_evidence.py"): {
        "an equal total is a shortfall": ('[(item_count, "")]', '[(item_count - 1, "")]'),
        "an error beside the list is ignored": ('"error": _is_error', '"error": lambda _: False'),
    },
    ("async_client/signs.py", "tests/unit/test_evidence.py"): {
        "a member hasMore is misspelt": ('"hasmore ', '"has_more '),
    },
    ("async_client/requested_wait.py", "tests/unit/test_requested_wait.py"): {
        "Retry-After dates count from the local clock": ("sent = _date(", "sent = now or _date("),
    },
    ("async_client/response.py", "tests/unit/test_response.py"): {
        "a list without readable keys is a catalog": ("    _check_keys(endpoint, items)\n", ""),
        "one of several lists is guessed": ("if len(found) != 1:", "if not found:"),
        "any number of values is decoded": ("if values > MAX_VALUES:", "if values < 0:"),
    },
    ("async_client/status.py", "tests/unit/test_status.py"): {
        "HTTP 501 is retried": ("- {501, 505}", "- {505}"),
        "HTTP 401 costs one endpoint only": ("401: _unauthorized", "401: _not_found"),
    },
    ("async_client/retry.py", "tests/unit/test_retry.py"): {
        "jitter shortens Retry-After": ("seconds = max(", "seconds = min("),
        "a wait outlasts the time left": ("if seconds >= left:", "if left < 0:"),
    },
    ("async_client/settings.py", "tests/unit/test_settings.py"): {
        "the token is in a repr": ("field(repr=False)", "field(repr=True)"),
        "a password in base_url is accepted": ('if "@" in', 'if " " in'),
    },
    ("changes/plan.py", "tests/unit/test_plan.py"): {
        "duplicates are not rejected": ("and flat.key in outcome.snapshot:", "and False:"),
        "a deferred item leaves the snapshot": (
            "outcome.snapshot[key] = last._replace(missing_syncs=missing",
            "_ = last._replace(missing_syncs=missing",
        ),
        "missing_syncs is not reset": (" if last.missing_syncs else last", " if False else last"),
        "five missing items are no mass delete": (">= MASS_DELETE", "> MASS_DELETE"),
        "an item without a key defers nothing": ("outcome.keyless += 1", "pass"),
        "deletes come before the upserts": (
            "        for flat in items:",
            "        yield from self._deletes()\n        for flat in items:",
        ),
        "the children of a deleted item stay": ("(key, last.child_keys)", "(key, ())"),
    },
    ("changes/snapshot.py", "tests/unit/test_snapshot.py"): {
        "the order of children is a change": ("sorted(map(", "list(map("),
    },
    ("changes/state.py", "tests/unit/test_state.py"): {
        "an interrupted endpoint keeps its snapshot": ("name != progress.interrupted", "True"),
        "a state of another source is used": ('state.get("source") != source', "False"),
        "a changed snapshot is stored as before": ("self._texts.pop(endpoint_name, None)", "pass"),
    },
    ("flatten/row.py", "tests/unit/test_item.py"): {
        "the foreign key in a child wins": ("**fields, **fixed}", "**fixed, **fields}"),
    },
    ("flatten/rules.py", "tests/unit/test_rules.py"): {
        "chapters count from 0": ("(value, start=1)", "(value)"),
    },
    ("flatten/values.py", "tests/unit/test_values.py"): {
        "a lone surrogate stays": ("text = _SURROGATE.sub(", "_SURROGATE.sub("),
        "the offset of a timestamp is ignored": ("{offset or '+00'}:", "+00:"),
    },
}
BREAKAGES = tuple(
    Breakage(name, file, before, after, tests)
    for (file, tests), breakages in _BY_FILE.items()
    for name, (before, after) in breakages.items()
)


def broken(breakage: Breakage, source: str) -> str:
    """Return `source` with the bug; raise ValueError unless `before` occurs exactly once."""
    if source.count(breakage.before) != 1:
        raise ValueError(f"{breakage.before!r} occurs {source.count(breakage.before)} times")
    return source.replace(breakage.before, breakage.after)


def main(words: Sequence[str]) -> int:
    """Apply the breakages that match, print a line for each; return the exit status."""
    chosen = [b for b in BREAKAGES if not words or any(w in f"{b.name} {b.file}" for w in words)]
    if not chosen:
        sys.stdout.write("no breakage matches\n")
        return 1
    for breakage in chosen:
        broken(breakage, (PROJECT / breakage.file).read_text(encoding="utf-8"))
    # Python reuses a compiled module if size and second of change match, as with some breakages.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    with tempfile.TemporaryDirectory(prefix="breakages-") as name:
        folder = Path(name)
        _copy_project(folder)
        failure = _first_failure(folder, sorted({breakage.tests for breakage in chosen}))
        if failure:
            sys.stdout.write(f"{failure} fails without any breakage\n")
            return 1
        survived = sum([not _is_caught(folder, breakage) for breakage in chosen])
    sys.stdout.write(f"{survived} of {len(chosen)} breakages survived\n")
    return 1 if survived else 0


def _copy_project(folder: Path) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)  # noqa: S603
    for path in filter(None, listed.stdout.split("\0")):
        if (PROJECT / path).is_file():  # not deleted since
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / path, folder / path)


def _is_caught(folder: Path, breakage: Breakage) -> bool:
    file = folder / breakage.file
    source = file.read_text(encoding="utf-8")
    file.write_text(broken(breakage, source), encoding="utf-8")
    failure = _first_failure(folder, [breakage.tests]) or _first_failure(folder, UNIT_TESTS)
    file.write_text(source, encoding="utf-8")
    sys.stdout.write(f"{breakage.name}: {f'caught by {failure}' if failure else 'SURVIVED'}\n")
    sys.stdout.flush()
    return failure is not None


def _first_failure(folder: Path, tests: Sequence[str]) -> str | None:
    """Return the first test that fails; None if all pass, or if none can be run in time."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    with contextlib.suppress(subprocess.TimeoutExpired):
        ended = subprocess.run(  # noqa: S603
            command, cwd=folder, check=False, stdout=PIPE, text=True, timeout=TIME_LIMIT_SECONDS
        )
        if match := _FIRST_FAILURE.search(ended.stdout):
            return match[1]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
