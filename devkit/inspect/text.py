"""Format the report as text of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def as_text(endpoints: Sequence[Mapping[str, Any]], failure: str | None) -> str:
    """Return the facts of each endpoint, without empty ones, and whether a sync would fail."""
    verdict = f"A sync would fail:\n{failure}" if failure else "A sync would succeed."
    lines = [_wrapped("", line, 2) for line in verdict.splitlines()]
    return "\n".join([line for facts in endpoints for line in (*_lines(facts), "")] + lines)


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    yield facts["endpoint"]
    for label, section in facts.items():
        if label == "fields":
            for path, field in section.items():
                yield _wrapped("    ", f"{path:25} {', '.join(_parts(field))}", 30)
        elif section and label != "endpoint":
            yield _wrapped("  ", f"{label:12} {', '.join(_parts(section))}", 15)


def _parts(section: object) -> Iterator[str]:
    if not isinstance(section, Mapping):
        yield from section if isinstance(section, list) else [str(section)]
        return
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _parts(value)
        elif value is not None:
            yield f"{name} {value if isinstance(value, str) else f'{value:,}'}"


def _wrapped(indent: str, text: str, columns: int) -> str:
    """Wrap a line; continuation lines are indented by `columns`."""
    return textwrap.fill(
        text, 80, initial_indent=indent, subsequent_indent=" " * columns, break_on_hyphens=False
    )
