"""How deep JSON text is nested, and what is cut from it."""

from __future__ import annotations

import pytest

from async_client.nesting import cut, is_deeper

# Three levels, with more brackets than a text of two levels needs.
THREE_LEVELS = b'[[], {"a": []}, {"b": {}}, []]'


@pytest.mark.parametrize(
    ("text", "levels", "deeper"),
    [
        pytest.param(THREE_LEVELS, 3, False, id="as deep as allowed"),
        pytest.param(THREE_LEVELS, 2, True, id="one level deeper"),
        pytest.param(rb'["[[[[\"[[[[", "]]]]]]]]]"]', 1, False, id="brackets in strings"),
    ],
)
def test_levels_are_counted_by_open_brackets(text, levels, deeper):
    """Siblings add no level, and neither do brackets in strings."""
    assert is_deeper(text, levels) is deeper


def test_the_text_below_the_deepest_level_is_replaced():
    """Each value that is nested deeper becomes the marker; the rest stays."""
    assert cut(THREE_LEVELS, 2, b"0") == b'[[], {"a": 0}, {"b": 0}, []]'
