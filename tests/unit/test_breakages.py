"""The list of breakages matches the product; a refactoring cannot disable one unnoticed."""

from __future__ import annotations

import ast

import pytest

from devkit.breakages import BREAKAGES, PROJECT, broken


@pytest.mark.parametrize("breakage", BREAKAGES, ids=[breakage.name for breakage in BREAKAGES])
def test_a_breakage_changes_one_place_into_other_code(breakage):
    """The text of each breakage occurs once in its file, which is other valid code with it."""
    source = (PROJECT / breakage.file).read_text(encoding="utf-8")
    changed = ast.dump(ast.parse(broken(breakage, source)))
    assert changed != ast.dump(ast.parse(source))
    path, _, test = breakage.tests.partition("::")
    assert f"def {test}" in (PROJECT / path).read_text(encoding="utf-8")


def test_there_are_at_least_40_breakages():
    """There are at least 40, each with its own name."""
    assert len({breakage.name for breakage in BREAKAGES}) == len(BREAKAGES) >= 40
