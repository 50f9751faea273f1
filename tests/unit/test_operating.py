"""The queries of docs/operating.md, on a log table with the lines of three syncs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

import report
from async_client import EndpointError
from async_client.errors import TransientError
from changes import Outcome
from devkit.package import PROJECT
from endpoints import ENDPOINTS

duckdb = pytest.importorskip("duckdb")

PAGE = (PROJECT / "docs" / "operating.md").read_text(encoding="utf-8")
QUERIES = dict(re.findall(r"```sql\n-- (.+?)\n(.*?)```", PAGE, re.DOTALL))
NAMES = ["tracks", "courses"]
DOWN = EndpointError("courses", "https://a", 6, TransientError("HTTP 503", "Wait"))
START = datetime(2026, 11, 24)  # noqa: DTZ001 (a column without a time zone)


def lines(*failed):
    """Return the level and text of the lines of a sync."""
    results = {name: DOWN if name in failed else Outcome(unchanged=3) for name in NAMES}
    for name, result in results.items():
        is_written = isinstance(result, Outcome)
        text = report.written(name, result, 0.1) if is_written else str(result)
        yield "INFO" if is_written else "ERROR", text
    yield "ERROR" if failed else "INFO", report.finished(results, NAMES)


@pytest.fixture(scope="module")
def log():
    """Return a database with the log of three syncs, one an hour; courses fail from the second on.

    Another connection has lines of the same kind.
    """
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA fivetran_metadata")
    table = "fivetran_metadata.connector_sdk_log"
    columns = "event_time TIMESTAMP, level TEXT, message TEXT, sync_id TEXT, connection_id TEXT"
    connection.execute(f"CREATE TABLE {table} ({columns})")
    for hour, failed in enumerate([(), ("courses",), ("courses",)]):
        for second, (level, text) in enumerate(lines(*failed)):
            when = START + timedelta(hours=hour, seconds=second)
            row = [when, level, text, f"sync_{hour}"]
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, 'ours')", row)
            row[0] += timedelta(days=1)
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, 'theirs')", row)
    return connection


def asked(log, name):
    """Return the rows of a query, times as hours."""
    query = QUERIES[name].replace("<CONNECTION_ID>", "ours")
    rows = log.execute(query).fetchall()
    return [tuple(v.hour if isinstance(v, datetime) else v for v in row) for row in rows]


def test_the_last_line_of_a_sync_tells_one_failed_catalog_from_all(log):
    failed = report.finished({"tracks": Outcome(unchanged=3), "courses": DOWN}, NAMES)
    assert [
        (hour, text == failed) for hour, text in asked(log, "the last syncs, newest first")
    ] == [
        (2, True),
        (1, True),
        (0, False),
    ]


def test_the_age_of_a_table_is_that_of_the_last_line_on_its_catalog(log):
    query = "when each catalog was last compared with its tables"
    assert asked(log, query) == [("courses", 0), ("tracks", 2)]


def test_warnings_and_errors_are_those_of_the_last_sync(log):
    found = asked(log, "what the connector reported in the last sync")
    assert [row[:2] for row in found] == [(2, "ERROR"), (2, "ERROR")]


def test_the_sample_of_last_lines_is_what_syncs_log():
    names = [endpoint.name for endpoint in ENDPOINTS]
    first = dict.fromkeys(names[:5], Outcome(unchanged=152))
    rejected = {names[0]: DOWN}
    every = [{**first, "courses": Outcome(unchanged=764)}, {**first, "courses": DOWN}, rejected]
    sample = re.search(r"```text\n(Sync.*?)\n```", PAGE, re.DOTALL)[1]
    assert sample.splitlines() == [report.finished(results, names) for results in every]
