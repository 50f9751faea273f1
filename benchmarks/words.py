"""Markdown: paragraphs, tables, and the words of the README that no number changes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

_WIDTH = 99

STEPS = {
    "split": "split a body into items",
    "decode": "decode an item",
    "flatten": "flatten it",
    "digest": "digest its rows",
    "all": "all of it, and the comparison with the snapshot, as in a sync",
}

METHOD = """
## Method

- The API is the [stand-in](../mock_api/) at the real size, in a process of its own, on the
  loopback interface. Each endpoint sleeps for its latency and then sends its whole body,
  compressed.
- Every sync runs in a fresh process with the SDK's own runner, without the `fivetran` command
  around it, into a DuckDB file: a new one for a first sync, the one that this left for the next.
- **connector**: `connector.update()`. The clock starts with its call and stops when its last
  checkpoint returns. The benchmark listens at the edges (operations, arrivals, the start of each
  replay) and adds nothing to the connector's code.
- **SDK alone**: the operations that the connector emits are recorded beforehand, then given to
  the SDK one after another with nothing else to do, in the same run.
- **bound**: `finish = max(finish, arrival) + alone`, endpoint by endpoint in the order of the
  replay. `arrival` is when a bare client that requests all six at once has the endpoint's whole
  answer, `alone` the time that the SDK alone takes for its operations, both in the same run. The
  arrivals are taken once per run and profile; a revision hardly changes a body's size.
- **sequential**: one `requests` call after another, each followed by an upsert of every row and a
  checkpoint, as example connectors usually do it. It uses the connector's `flatten_item`, so that
  it writes the same rows.
- **threads**: the same, with all six requests in a thread pool before the first row is written.
- After every sync the live rows of each table are counted; variants that differ stop the
  benchmark.
- In one run all variants follow each other, and every ratio is taken within a run. Where answers
  take three seconds the baselines run once: they show nothing new, and take most of the time.
"""


def blocks(*texts: str) -> str:
    """Join paragraphs, tables and headings, leaving out what is empty."""
    return "\n\n".join(text.strip() for text in texts if text)


def prose(text: str) -> str:
    """Fill a paragraph, whose numbers may be of any length."""
    return textwrap.fill(
        " ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Draw a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
