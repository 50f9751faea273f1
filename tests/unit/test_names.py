"""`column_name` returns the name that the SDK itself gives to a field's column."""

from __future__ import annotations

import pytest

# Internal to the SDK, and the only statement of Fivetran's naming that can be run.
from fivetran_connector_sdk_core.renaming import redshift_safe
from hypothesis import given, settings
from hypothesis import strategies as st

from flatten.names import column_name

MIXED = st.text("aZ09_-. éÉßİıﬁ①３日한\u0301\u0344\u212a\0\n\U0001f600", max_size=12)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(MIXED)
def test_fields_are_renamed_as_the_sdk_does(field):
    """For text of any characters the name is the SDK's."""
    assert column_name(field) == redshift_safe(field)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("id", "id", id="a plain name is unchanged"),
        pytest.param("imageUrl_jpg", "image_url_jpg", id="a capital starts a word"),
        pytest.param("infoURL", "info_url", id="several capitals are one word"),
        pytest.param("2fa", "_2_fa", id="a digit at the start is a word"),
        pytest.param("level2course", "level_2_course", id="digits are a word"),
        pytest.param("Dur\u00e9e e\u0301", "duree_e", id="accents are removed"),
        pytest.param("a日本b", "a_b", id="other scripts become one underscore"),
        pytest.param("a - b", "a_b", id="spaces and dashes become one underscore"),
        pytest.param("_fivetran_Id", "_fivetran_id", id="one of Fivetran's own columns"),
        pytest.param("___", "_", id="only underscores"),
        pytest.param("", "", id="an empty name"),
    ],
)
def test_a_field_becomes_this_column(field, expected):
    """The name is lower case, ASCII, and has a single underscore between words."""
    assert column_name(field) == expected == redshift_safe(field)
