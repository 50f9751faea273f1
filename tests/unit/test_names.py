"""`column_name` returns the SDK's name for a field's column."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from devkit import sdk
from flatten.names import column_name
from tests.support.cases import cases

MIXED = st.text("aZ09_-. éÉßİıﬁ①３日한\u0301\u0344\u212a\0\n\U0001f600", max_size=12)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(MIXED)
def test_fields_are_renamed_as_the_sdk_does(field):
    assert column_name(field) == sdk.renamed(field)


@cases(
    "field, expected",
    {
        "a plain name is unchanged": ("id", "id"),
        "a capital starts a word": ("imageUrl_jpg", "image_url_jpg"),
        "several capitals are one word": ("infoURL", "info_url"),
        "a digit at the start is a word": ("2fa", "_2_fa"),
        "digits are a word": ("level2course", "level_2_course"),
        "accents are removed": ("Dur\u00e9e e\u0301", "duree_e"),
        "other scripts become one underscore": ("a日本b", "a_b"),
        "spaces and dashes become one underscore": ("a - b", "a_b"),
        "one of Fivetran's own columns": ("_fivetran_Id", "_fivetran_id"),
        "only underscores": ("___", "_"),
        "an empty name": ("", ""),
    },
)
def test_a_field_becomes_this_column(field, expected):
    assert column_name(field) == expected == sdk.renamed(field)
