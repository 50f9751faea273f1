"""Fields and child lists with a shape of their own become plain fields and plain objects."""

from __future__ import annotations

import copy

import pytest

from endpoints import ENDPOINTS
from flatten.rules import (
    CHILD_RULES,
    FIELD_RULES,
    joined,
    named,
    numbered_all_or_none,
    numbered_where_missing,
    prefixed,
)


def test_four_fields_have_rules():
    """Rules go by field name: two objects are spread, two lists are joined."""
    assert dict(FIELD_RULES) == {
        "topic": prefixed,
        "imageUrl": prefixed,
        "includedInLicenses": joined,
        "instructors": joined,
    }


def test_every_child_list_has_a_rule():
    """Topics may be text, chapters keep their positions, content is numbered together."""
    assert dict(CHILD_RULES) == {
        "topics": named,
        "chapters": numbered_where_missing,
        "content": numbered_all_or_none,
    }
    assert {e.child.field for e in ENDPOINTS if e.child} == CHILD_RULES.keys()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, {}, id="null gives no field at all"),
        pytest.param({}, {}, id="an empty object gives no field"),
        pytest.param(
            {"name": "SQL", "description": None},
            {"topic_name": "SQL", "topic_description": None},
            id="an object gives a field for each key",
        ),
        pytest.param(
            {"": 1, "deep": {"a": [1]}},
            {"topic_": 1, "topic_deep": {"a": [1]}},
            id="only the first level is spread",
        ),
        pytest.param("SQL", {"topic": "SQL"}, id="text stays under its own name"),
        pytest.param([{"name": "SQL"}], {"topic": [{"name": "SQL"}]}, id="so does a list"),
        pytest.param(0, {"topic": 0}, id="and a number"),
        pytest.param(False, {"topic": False}, id="and a boolean"),
    ],
)
def test_an_object_is_spread_over_fields(value, expected):
    """An object becomes `<field>_<key>` fields; what is no object stays as it is."""
    assert prefixed("topic", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param([], "", id="an empty list gives empty text"),
        pytest.param(["A"], "A", id="one text is that text"),
        pytest.param(["B", "A", "B"], "B, A, B", id="texts are joined in their order"),
        pytest.param(["A", None, "B"], "A, B", id="nulls are skipped"),
        pytest.param([None], "", id="only nulls give empty text"),
        pytest.param(["", "A"], ", A", id="empty text is text"),
        pytest.param(
            [{"fullName": "Ada"}, {"fullName": "Bob", "id": 7}], "Ada, Bob", id="full names"
        ),
        pytest.param([{"fullName": None}, {"fullName": "Bob"}], "Bob", id="a null full name"),
        pytest.param(["A", {"fullName": "Bob"}], "A, Bob", id="texts and full names"),
    ],
)
def test_a_list_of_names_is_joined(value, expected):
    """Texts and full names become one text, with a comma and a blank between them."""
    assert joined("instructors", value) == {"instructors": expected}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([{"name": "A"}], id="objects without a full name"),
        pytest.param(["A", {}], id="an empty object among texts"),
        pytest.param([1], id="numbers"),
        pytest.param([{"fullName": 1}], id="a full name that is no text"),
        pytest.param([["A"]], id="lists"),
        pytest.param([True], id="booleans"),
        pytest.param("A", id="text"),
        pytest.param({"fullName": "A"}, id="an object"),
        pytest.param(None, id="null"),
        pytest.param(7, id="a number"),
    ],
)
def test_anything_else_is_left_as_it_is(value):
    """A value that is no list of names stays under its own name, so that nothing is lost."""
    assert joined("instructors", value) == {"instructors": value}


ODD_LISTS = [
    pytest.param(None, [], id="null is no child"),
    pytest.param([], [], id="an empty list is no child"),
    pytest.param(7, [7], id="a number is one odd child"),
    pytest.param(True, [True], id="a boolean is one odd child"),
    pytest.param([None, 7, True, []], [None, 7, True, []], id="odd children are passed on"),
]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *ODD_LISTS,
        pytest.param("SQL", [{"name": "SQL"}], id="a text is one topic"),
        pytest.param({"name": "SQL"}, [{"name": "SQL"}], id="an object is a list of one"),
        pytest.param(
            ["SQL", {"name": "R", "id": 1}, ""],
            [{"name": "SQL"}, {"name": "R", "id": 1}, {"name": ""}],
            id="texts and objects",
        ),
    ],
)
def test_topics_may_be_texts(value, expected):
    """A topic given as text is an object with that name."""
    assert named(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *ODD_LISTS,
        pytest.param("x", ["x"], id="a text is one odd child"),
        pytest.param({"id": "a"}, [{"id": "a", "position": 1}], id="an object is a list of one"),
        pytest.param(
            [{"id": "a"}, {"id": "b", "position": None}, {"id": "c", "position": 7}],
            [
                {"id": "a", "position": 1},
                {"id": "b", "position": 2},
                {"id": "c", "position": 7},
            ],
            id="a position that is there stays",
        ),
        pytest.param(
            [7, {"id": "a"}, {"id": "b", "position": 0}],
            [7, {"id": "a", "position": 2}, {"id": "b", "position": 0}],
            id="odd children take a place too",
        ),
    ],
)
def test_chapters_are_numbered_where_they_are_not(value, expected):
    """A chapter without a position gets its place in the list, counted from 1."""
    assert numbered_where_missing(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *ODD_LISTS,
        pytest.param("x", ["x"], id="a text is one odd child"),
        pytest.param({"id": "a"}, [{"id": "a", "position": 1}], id="an object is a list of one"),
        pytest.param(
            [{"position": 0}, {"position": 5}, {"position": "7"}],
            [{"position": 0}, {"position": 5}, {"position": "7"}],
            id="a list with all positions stays",
        ),
        pytest.param(
            [{"position": 1}, {"position": 2}, {"position": "1"}, {"position": 2.0}],
            [{"position": 1}, {"position": 2}, {"position": 3}, {"position": 4}],
            id="positions that repeat number all",
        ),
        pytest.param(
            [{"position": 0}, {"position": "x"}],
            [{"position": 1}, {"position": 2}],
            id="a position that is no whole number numbers all",
        ),
        pytest.param(
            [{"position": 5}, {"id": "a"}, {"position": 1}],
            [{"position": 1}, {"id": "a", "position": 2}, {"position": 3}],
            id="one without a position numbers all",
        ),
        pytest.param(
            [{"position": 5}, {"position": None}],
            [{"position": 1}, {"position": 2}],
            id="a null position numbers all",
        ),
        pytest.param(
            ["x", {"id": "a"}, None, {"id": "b", "position": 2}],
            ["x", {"id": "a", "position": 1}, None, {"id": "b", "position": 2}],
            id="odd children take no place",
        ),
        pytest.param(
            ["x", {"position": 9}], ["x", {"position": 9}], id="odd children lack no position"
        ),
    ],
)
def test_content_is_numbered_together(value, expected):
    """Unless all content items have distinct positions, the list is numbered by place, from 1."""
    assert numbered_all_or_none(value) == expected


@pytest.mark.parametrize("rule", [prefixed, joined], ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("value", [{"a": {"b": [1]}}, [{"fullName": "A"}, None], [[1]]])
def test_field_rules_leave_their_input_alone(rule, value):
    """A rule changes nothing in the value it is given."""
    before = copy.deepcopy(value)
    rule("topic", value)
    assert value == before


@pytest.mark.parametrize(
    "rule", [named, numbered_where_missing, numbered_all_or_none], ids=lambda rule: rule.__name__
)
@pytest.mark.parametrize("value", [{"a": 1}, [{"id": "a"}, {"position": 3}, "x", None]])
def test_child_rules_leave_their_input_alone(rule, value):
    """Numbering children numbers copies of them."""
    before = copy.deepcopy(value)
    rule(value)
    assert value == before
