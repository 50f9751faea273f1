"""docs/messages.md explains every message of the connector."""

from __future__ import annotations

import ast
import re

import pytest

from async_client import SETTINGS
from devkit.messages import LINES
from devkit.package import PROJECT, files

PAGE = "\n".join(LINES).lower()
FORM = "\n".join(f"{setting.label}\n{setting.description}" for setting in SETTINGS).lower()
MODULES = [
    path.as_posix()
    for path in files()
    if path.suffix == ".py"
    and path.name not in ("endpoints.py", "signs.py")  # tables, not messages
]
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
# Texts that no user reads: of a bug, and what a server may report in place of an error.
INTERNAL = {"every catalog has been taken", "the value does not fit its column", "no error"}


def texts(tree):
    """Return the texts of a module that contain two words or more; of a template, its parts.

    Docstrings are left out.
    """
    nodes = [*ast.walk(tree)]
    described = [node for node in nodes if isinstance(node, DOCUMENTED)]
    docstrings = {id(node.body[0].value) for node in described if ast.get_docstring(node)}
    constants = [node for node in nodes if isinstance(node, ast.Constant)]
    found = [n.value for n in constants if isinstance(n.value, str) and id(n) not in docstrings]
    parts = {
        part.strip(" .,:;()\n-") for text in found for part in re.split(r"[.:;] |\{\w*\}", text)
    }
    return {part for part in parts if re.search(r"[a-z]{3,} [a-z]{3,}", part)}


@pytest.mark.parametrize("path", MODULES)
def test_every_message_of_the_code_is_explained(path):
    found = texts(ast.parse((PROJECT / path).read_text(encoding="utf-8")))
    assert {text for text in found - INTERNAL if text.lower() not in PAGE + FORM} == set()
