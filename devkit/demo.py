"""Demo: two `fivetran debug` syncs from the mock server into a DuckDB file.

The first sync is initial, the second follows changes to the catalog. Output has 80 columns.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from devkit import fivetran, sdk
from devkit.package import PROJECT
from mock_api.catalog import catalog
from mock_api.serving import serving

WIDTH = 80

# The SDK's log: time, level, origin and message, then indented lines that continue it.
_LOG_LINE = re.compile(r"(\d\d:\d\d:\d\d)\.\d+ (\w+) +⚡ (\w+) +(.*)")
# Two threads may print at once, so a line may begin in the middle of another.
_BEGINNING = re.compile(r"(?=\d\d:\d\d:\d\d\.\d+ \w+ +⚡)")
_CONTINUED = " " * 35
_INDENT = " " * 10
_STATE = re.compile(r'\{"version": .*\}')
# The SDK's lines that are shown; its others list files and tables in each sync.
_WORTH_READING = ("checkpoint", "SYNC")
_SCHEMA_CHANGES = re.compile(r"(Schema changes +\| \d+) *$")
_HINT = """\

Query the data, here for tracks that still list a retired course
(docs/queries.md has further queries):

  {python} -c "import duckdb
duckdb.connect('{warehouse}').sql('''
    SELECT track.title AS track, course.title AS retired_course
    FROM tester.track_content AS content
    JOIN tester.track ON track.id = content.track_id
    JOIN tester.course ON course.id = content.id
    WHERE course._fivetran_deleted AND NOT content._fivetran_deleted
  ''').show()"
"""


def main(project: Path = PROJECT) -> int:
    """Run the demo in `.demo`; return the exit status of the first sync that fails, else 0."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The SDK's log has characters that not every terminal's encoding has.
        sys.stdout.reconfigure(errors="replace")
    folder = project / ".demo"
    shutil.rmtree(folder, ignore_errors=True)
    with serving(catalog()) as server:
        configuration = {"bearer_token": server.token, "base_url": server.base_url}
        copy = fivetran.prepare(folder, configuration)
        _print_heading(f"First sync from the mock server at {server.base_url}")
        status = _debug(copy)
        if status == 0:
            server.serve(catalog(revision=1))
            _print_heading("Second sync, after items were added, changed and retired")
            status = _debug(copy)
    if status == 0:
        _print_heading("Rows in the warehouse")
        _print_tables(copy, project)
    return status


def readable(lines: Iterable[str]) -> Iterable[str]:
    """Yield the lines of a sync's log that are worth reading, wrapped and without the state."""
    shown = True
    parts = (part for line in lines for part in _BEGINNING.split(line) if part.strip())
    for line in parts:
        text = _STATE.sub("state saved", line.rstrip())
        match = _LOG_LINE.match(text)
        if match:
            time, level, origin, message = match.groups()
            shown = origin != "sdk" or level != "INFO" or message.startswith(_WORTH_READING)
            text = f"{time}  {'' if level == 'INFO' else f'{level}: '}{message}"
        elif text.startswith(_CONTINUED):
            text = _INDENT + text.removeprefix(_CONTINUED)
            text = _SCHEMA_CHANGES.sub(r"\1, the declared tables, in each sync", text)
        else:
            shown = True
        if shown:
            yield from textwrap.wrap(text, WIDTH, subsequent_indent=_INDENT, tabsize=4)


def _debug(copy: Path) -> int:
    """Run one sync and print its log; return its exit status."""
    with fivetran.start(copy, ["debug"]) as process:
        try:
            for line in readable(process.stdout or ()):
                print(line, flush=True)
        finally:
            process.terminate()
        return process.wait()


def _print_tables(copy: Path, project: Path) -> None:
    deleted = sdk.counts(copy, deleted=True)
    print(f"{'table':24}{'active':>8}{'deleted':>9}")
    for table, rows in sdk.counts(copy).items():
        print(f"{table:24}{rows:>8,}{deleted[table]:>9,}")
    python = Path(sys.executable)
    if python.is_relative_to(project):
        python = python.relative_to(project)
    warehouse = (copy / "files" / "warehouse.db").relative_to(project)
    print(_HINT.format(python=python, warehouse=warehouse.as_posix()), end="")


def _print_heading(text: str) -> None:
    print(f"\n== {text} ".ljust(WIDTH, "="), flush=True)


if __name__ == "__main__":
    sys.exit(main())
