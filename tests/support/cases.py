"""Parametrize a test with a dictionary of cases, whose keys are the ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest


def cases(arguments: str, by_name: Mapping[str, Sequence[object]]) -> pytest.MarkDecorator:
    """Return a decorator that runs a test for each case; `arguments` are separated by commas."""
    parameters = [pytest.param(*values, id=name) for name, values in by_name.items()]
    return pytest.mark.parametrize(arguments, parameters)
