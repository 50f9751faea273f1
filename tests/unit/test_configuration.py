"""A configuration file is read, or refused with its name, the place and the fix."""

from __future__ import annotations

import json
import re

import pytest

from devkit import configuration
from tests.support.cases import cases
from tests.support.fetching import TOKEN

EXAMPLE = json.loads(configuration.EXAMPLE.read_text(encoding="utf-8"))
OBJECT = json.dumps({"bearer_token": TOKEN})
AS_JSON = (
    'Write each line as "key": "value", with a comma after all but the last, '
    "as in configuration.json."
)
SAVE = "Save the file as UTF-8 without a BOM."


@pytest.fixture
def path(tmp_path):
    """Return where a test writes its configuration."""
    return tmp_path / "configuration.local.json"


def test_a_configuration_is_an_object_in_utf_8(path):
    """Its values are not looked at."""
    path.write_text('{"bearer_token": "é", "base_url": null}', encoding="utf-8")
    assert configuration.read(path) == {"bearer_token": "é", "base_url": None}


@cases(
    "body,problem",
    {
        "BOM": (
            OBJECT.encode("utf-8-sig"),
            f", line 1, column 1: found a byte order mark. {SAVE}",
        ),
        "UTF-16": (OBJECT.encode("utf-16"), f", line 1, column 1: found UTF-16. {SAVE}"),
        "UTF-16 without a BOM": (
            OBJECT.encode("utf-16-le"),
            f", line 1, column 1: found UTF-16-LE. {SAVE}",
        ),
        "Latin-1": (
            '{\n"a": "é"}'.encode("latin-1"),
            ", line 2, column 7: not valid UTF-8. Save the file as UTF-8.",
        ),
        "a trailing comma": (
            b'{\n  "a": "b",\n  "c": "d",\n}\n',
            ", line 3, column 11: remove the comma, nothing follows it.",
        ),
        "a trailing comma in one line": (
            b'{"a": "b", }',
            ", line 1, column 10: remove the comma, nothing follows it.",
        ),
        "no comma": (
            b'{\n  "a": "b"\n  "c": "d"\n}',
            f", line 3, column 3: Expecting ',' delimiter. {AS_JSON}",
        ),
        "an unfinished object": (
            b'{"a": "b",',
            f", line 1, column 11: Expecting property name enclosed in double quotes. {AS_JSON}",
        ),
        "nothing": (b" \n", " is empty: write it as configuration.json is written."),
        "null": (b"null", " is not a JSON object: write it as configuration.json is written."),
        "a list": (b"[]", " is not a JSON object: write it as configuration.json is written."),
    },
)
def test_any_other_file_is_refused(path, body, problem):
    """The error is the same on each Python and contains no value."""
    path.write_bytes(body)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}{problem}')}$"):
        configuration.read(path)


def test_the_local_file_is_the_default_if_it_is_there(path, monkeypatch):
    """Otherwise it is the example, whose placeholders cannot be used."""
    monkeypatch.setattr(configuration, "LOCAL", path)
    assert configuration.default() == configuration.EXAMPLE
    path.touch()
    assert configuration.default() == path


@pytest.mark.parametrize("changed", [{}, {"skip_endpoints": ""}])
def test_an_example_may_be_committed(path, changed):
    """All its values are placeholders or empty."""
    path.write_text(json.dumps(EXAMPLE | changed), encoding="utf-8")
    assert configuration.main([str(path)]) == 0


@pytest.mark.parametrize(
    "changed", [{"bearer_token": TOKEN}, {"base_url": TOKEN}, {TOKEN: "1"}, {"x": 1}]
)
def test_a_value_must_not_be_committed(path, changed, capsys):
    """The message says where it belongs, and shows neither the value nor the key."""
    path.write_text(json.dumps(EXAMPLE | changed), encoding="utf-8")
    assert configuration.main([str(configuration.EXAMPLE), str(path)]) == 1
    assert capsys.readouterr().err == (
        f"{path} contains a value for 1 of its keys, but is under version control. "
        "Move the values to configuration.local.json, which git ignores, and restore the "
        f"placeholders: git restore --staged --worktree {path}\n"
    )


def test_a_file_that_cannot_be_read_must_not_be_committed(path, capsys):
    """It could contain a token."""
    path.write_bytes(OBJECT.encode("utf-16"))
    assert configuration.main([str(path)]) == 1
    assert capsys.readouterr().err == f"{path}, line 1, column 1: found UTF-16. {SAVE}\n"
