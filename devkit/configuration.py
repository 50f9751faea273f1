"""Read a configuration file, or say which file is wrong, where, and what to do about it.

`python -m devkit.configuration FILE ...` exits with 1 if a file has other values than
placeholders. A hook of pre-commit runs it on the example under version control, because a token
that was committed stays in the history.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from async_client import is_unset
from devkit.package import PROJECT

EXAMPLE = PROJECT / "configuration.json"
LOCAL = PROJECT / "configuration.local.json"  # git ignores it, so it may contain a token


def main(arguments: Sequence[str]) -> int:
    """Check the files; return the exit status."""
    problems = [problem for path in map(Path, arguments) if (problem := _problem(path))]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


def default() -> Path:
    """Return the file to read if none is named: the local one, or the example."""
    return LOCAL if LOCAL.exists() else EXAMPLE


def read(path: Path) -> dict[str, str]:
    """Return the content of a configuration file.

    Raises OSError if it cannot be read, and a ValueError that names the file, the place and the
    fix if it contains anything but a JSON object in UTF-8. A byte order mark is refused because
    Fivetran's commands refuse it too, without naming the file.
    """
    text = _decoded(path, path.read_bytes())
    try:
        configuration = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(_syntax_problem(path, text, error)) from None
    if not isinstance(configuration, dict):
        raise ValueError(f"{path} is not a JSON object: write it as {EXAMPLE.name} is written.")
    return configuration


def _decoded(path: Path, body: bytes) -> str:
    encoding = json.detect_encoding(body)
    if encoding != "utf-8":
        found = "a byte order mark" if encoding == "utf-8-sig" else encoding.upper()
        raise ValueError(
            f"{path}, line 1, column 1: found {found}. Save the file as UTF-8 without a BOM."
        )
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        place = _place(path, body[: error.start].decode(), error.start)
        raise ValueError(f"{place}: not valid UTF-8. Save the file as UTF-8.") from None


def _syntax_problem(path: Path, text: str, error: json.JSONDecodeError) -> str:
    """Return what is wrong, the same on each Python; the text may contain the token."""
    if not text.strip():
        return f"{path} is empty: write it as {EXAMPLE.name} is written."
    # Python 3.13 reports a trailing comma itself, earlier versions what comes after it.
    before = text[: error.pos + 1].rstrip().rstrip("}]").rstrip()
    if before.endswith(",") and text[len(before) :].lstrip()[:1] in ("}", "]"):
        place = _place(path, text, len(before) - 1)
        return f"{place}: remove the comma, nothing follows it."
    return (
        f'{_place(path, text, error.pos)}: {error.msg}. Write each line as "key": "value", '
        f"with a comma after all but the last, as in {EXAMPLE.name}."
    )


def _place(path: Path, text: str, position: int) -> str:
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return f"{path}, line {line}, column {column}"


def _problem(path: Path) -> str | None:
    try:
        configuration = read(path)
    except (OSError, ValueError) as error:
        return str(error)
    values = sum(not is_unset(str(value)) for value in configuration.values())
    if not values:
        return None
    return (
        f"{path} contains a value for {values} of its keys, but is under version control. "
        f"Move the values to {LOCAL.name}, which git ignores, and restore the placeholders: "
        f"git restore --staged --worktree {path}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
