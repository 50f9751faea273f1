"""Parametrise a test by a dictionary of cases, whose names are the ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest


def cases(arguments: str, by_name: Mapping[str, Sequence[object]]) -> pytest.MarkDecorator:
    """Run a test with the arguments, separated by commas, of each case."""
    parameters = [pytest.param(*values, id=name) for name, values in by_name.items()]
    return pytest.mark.parametrize(arguments, parameters)
