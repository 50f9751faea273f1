"""Show the connector to a newcomer: two real ``fivetran debug`` runs against the stand-in.

The first fills a DuckDB file, the second finds a catalog in which a few things have changed. All
output fits a terminal of 80 columns.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import duckdb

from devkit import fivetran
from mock_api.catalog import catalog
from mock_api.serving import serving

FOLDER = fivetran.PROJECT / ".demo"
WIDTH = 80

# What the SDK prints: time, level, origin, text. Lines that go on are indented instead.
_LOG_LINE = re.compile(r"(\d\d:\d\d:\d\d)\.\d+ (\w+) +⚡ (\w+) +(.*)")
_STATE = re.compile(r'\{"version": .*"writing": ("\w+"|null).*\}')
_INDENT = " " * 10


def main() -> int:
    """Run the demo; gives the exit status of the first run that fails, else 0."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with serving(catalog()) as server:
        configuration = {"bearer_token": server.token, "base_url": server.base_url}
        copy = fivetran.prepare(FOLDER, configuration)
        _say(f"First sync, of a stand-in for DataCamp's API at {server.base_url}")
        status = _debug(copy)
        if status == 0:
            server.serve(catalog(revision=1))
            _say("Second sync, after some items were added, changed and retired")
            status = _debug(copy)
    if status == 0:
        _show_tables(copy / "files" / "warehouse.db")
    return status


def _debug(copy: Path) -> int:
    """Run one sync; gives its exit status."""
    with fivetran.start(copy, ["debug"]) as process:
        try:
            for line in readable(process.stdout or ()):
                print(line, flush=True)
        finally:
            process.terminate()
        return process.wait()


def readable(lines: Iterable[str]) -> Iterable[str]:
    """Fit the SDK's log to a terminal: no state, no origin, long lines folded."""
    for line in lines:
        text = _STATE.sub(r"state saved, writing \1 next", line.rstrip())
        match = _LOG_LINE.match(text)
        if match:
            time, level, _, message = match.groups()
            head = "" if level == "INFO" else f"{level}: "
            text = f"{time}  {head}{message}"
        else:
            text = _INDENT + text.removeprefix(" " * 35)
        yield from textwrap.wrap(
            text, WIDTH, subsequent_indent=_INDENT, drop_whitespace=True, tabsize=4
        ) or [""]


def _show_tables(warehouse: Path) -> None:
    _say("What the warehouse holds now")
    with closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'tester' ORDER BY table_name"
        ).fetchall()
        print(f"{'table':24}{'rows':>8}{'deleted':>9}")
        for (table,) in tables:
            rows, deleted = connection.execute(
                "SELECT count(*) FILTER (NOT _fivetran_deleted), "
                f"count(*) FILTER (_fivetran_deleted) FROM tester.{table}"
            ).fetchone() or (0, 0)
            print(f"{table:24}{rows:>8,}{deleted:>9,}")
    python = Path(sys.executable)
    if python.is_relative_to(fivetran.PROJECT):
        python = python.relative_to(fivetran.PROJECT)
    print(
        "\nLook at the data, with any other query in place of this one:\n\n"
        f'  {python} -c "import duckdb\n'
        f"duckdb.connect('{warehouse.relative_to(fivetran.PROJECT)}').sql('''\n"
        "    SELECT title, technology, time_needed_in_hours FROM tester.course\n"
        "    WHERE NOT _fivetran_deleted ORDER BY updated_at DESC LIMIT 5\n"
        "  ''').show()\""
    )


def _say(text: str) -> None:
    print(f"\n== {text} ".ljust(WIDTH, "="), flush=True)


if __name__ == "__main__":
    sys.exit(main())
