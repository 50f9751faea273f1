"""The sections of docs/messages.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from devkit.messages import configuration, data, requests
from devkit.messages.rows import Row

_HEADS = "| message | cause | what to do | urgency |\n|---|---|---|---|"
_SECTIONS: tuple[tuple[str, str, Callable[[], Iterator[Row]]], ...] = (
    (
        "Configuration",
        "Errors end the sync, or the setup test, before any request. Warnings do not.",
        configuration.rows,
    ),
    (
        "Requests",
        "The reason in a line on a failed attempt, and in the error of a catalog.",
        requests.of_requests,
    ),
    (
        "Responses",
        "HTTP 200, but the response is not used. These are reasons like those of requests.",
        requests.of_responses,
    ),
    (
        "Rows and values",
        "Warnings. The catalog is written, but for what they name.",
        data.of_rows,
    ),
    ("Saved state", "Warnings at the beginning of a sync, and one error.", data.of_the_state),
    ("The end of a failed sync", "The last line of the log, and the error.", data.of_the_end),
    (
        "Setup test",
        'What the test "Read every catalog" reports if it fails.',
        data.of_the_setup_test,
    ),
    ("The course of a sync", "Lines at the level INFO.", data.of_a_sync),
)


FIRST_SECTION = _SECTIONS[0][0]


def sections() -> Iterator[str]:
    """Yield the lines of the page below its introduction."""
    for heading, about, rows in _SECTIONS:
        yield f"\n## {heading}\n\n{about}\n\n{_HEADS}"
        for row in rows():
            messages = "<br>".join(map(_code, dict.fromkeys(row.texts)))
            yield f"| {messages} | {row.cause} | {row.advice or 'Nothing.'} | {row.urgency} |"
    yield ""


def _code(text: str) -> str:
    """Return a code span in the cell of a table."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|")
