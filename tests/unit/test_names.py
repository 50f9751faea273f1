"""The column that a field becomes at Fivetran is the one that the SDK's own renaming gives it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devkit import sdk
from flatten.names import column_name

MIXED = st.text(alphabet=st.sampled_from("aZ09_-. éÉßİıﬁ①３日한\u0301\u0344\u212a\0\n\U0001f600"))


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text() | MIXED)
@example("")
@example("imageUrl_jpg")
@example("2fa")
@example("___")
def test_fields_are_renamed_as_the_sdk_does(field):
    """For any text the name is the SDK's."""
    assert column_name(field) == sdk.renamed(field)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("id", "id", id="a plain name stays"),
        pytest.param("imageUrl_jpg", "image_url_jpg", id="a capital begins a word"),
        pytest.param("infoURL", "info_url", id="capitals in a row are one word"),
        pytest.param("timeNeededInHours", "time_needed_in_hours", id="many words"),
        pytest.param("2fa", "_2_fa", id="a digit at the start is a word"),
        pytest.param("level2course", "level_2_course", id="digits are a word"),
        pytest.param("Durée", "duree", id="accents go"),
        pytest.param("Dure\u0301e", "duree", id="accents of their own go too"),
        pytest.param("日本", "_", id="other scripts become one underscore"),
        pytest.param("a日本b", "a_b", id="and so they do inside a name"),
        pytest.param("a - b", "a_b", id="blanks and dashes become one underscore"),
        pytest.param("_fivetran_Id", "_fivetran_id", id="one of Fivetran's own"),
        pytest.param("", "", id="no name is no name"),
    ],
)
def test_a_field_becomes_this_column(field, expected):
    """The name is lower case, ASCII, and has a single underscore between its words."""
    assert column_name(field) == expected == sdk.renamed(field)
