"""The report as text at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_COLUMNS = 80
_PATH_COLUMNS = 25


def as_text(endpoints: Sequence[Mapping[str, Any]], failure: str | None) -> str:
    """Write the facts of each endpoint, but empty ones, and the error that a sync ends with."""
    blocks = ["\n".join(_lines(facts)) for facts in endpoints]
    verdict = ["A sync would fail:", *failure.splitlines()] if failure else ["A sync would pass."]
    return "\n\n".join([*blocks, "\n".join(_wrapped(line, "", "  ") for line in verdict)])


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    yield facts["endpoint"]
    for label, section in facts.items():
        text = ", ".join(_parts(section))
        if text and label not in ("endpoint", "fields"):
            yield _wrapped(text, f"  {label:13}", " " * 15)
    if facts["fields"]:
        yield f"  {'fields':27} present  null  values (longest text, range)"
    for path, field in facts["fields"].items():
        yield from _field_lines(path, field)


def _parts(section: object) -> Iterator[str]:
    if isinstance(section, Mapping):
        for name, value in section.items():
            if value is not None:
                yield (
                    f"{name} {value:,}" if isinstance(value, (int, float)) else f"{name}: {value}"
                )
    elif isinstance(section, list):
        yield from section
    elif section:
        yield str(section)


def _field_lines(path: str, field: Mapping[str, Any]) -> Iterator[str]:
    present, null = field["present"], field["types"].get("null", 0)
    share = f"{present:,}" if path.endswith("[]") else _share(present, field["parents"])
    if len(path) > _PATH_COLUMNS:
        yield _wrapped(path, "    ", "    ")
        path = ""
    row = f"    {path:{_PATH_COLUMNS}} {share:>7} {_share(null, present):>5}  "
    yield _wrapped(", ".join(_values(field)) or "-", row, " " * len(row))


def _values(field: Mapping[str, Any]) -> Iterator[str]:
    """Yield types, longest text, share of timestamps and range of the values that are not null."""
    types = {name: number for name, number in field["types"].items() if name != "null"}
    for name, number in types.items():
        count = f" {number:,}" if len(types) > 1 else ""
        yield f"{name}{count}" + (f" up to {field['longest_text']:,}" if name == "string" else "")
    if field["timestamps"]:
        yield f"{_share(field['timestamps'], types['string'])} timestamps"
    if field["largest"] is not None:
        yield f"{field['smallest']:,.10g} to {field['largest']:,.10g}"


def _share(number: int, of: int) -> str:
    """Return a percentage; 0% and 100% are exact."""
    if number in (0, of):
        return "100%" if number else "0%"
    return f"{min(max(number / of, 0.001), 0.999):.1%}"


def _wrapped(text: str, first: str, others: str) -> str:
    return textwrap.fill(
        text, _COLUMNS, initial_indent=first, subsequent_indent=others, break_on_hyphens=False
    )
