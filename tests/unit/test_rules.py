"""Rules turn nested fields into plain fields and child lists into child objects."""

from __future__ import annotations

import copy

import pytest

from flatten.rules import (
    CHILD_RULES,
    joined,
    named,
    numbered_all_or_none,
    numbered_where_missing,
    prefixed,
)
from tests.support.cases import cases


@cases(
    "rule, value, expected",
    {
        "null becomes no field": (prefixed, None, {}),
        "only the first level of an object is spread": (
            prefixed,
            {"": None, "deep": {"a": [1]}},
            {"f_": None, "f_deep": {"a": [1]}},
        ),
        "text is no object": (prefixed, "SQL", {"f": "SQL"}),
        "a list is no object": (prefixed, [{"name": "SQL"}], {"f": [{"name": "SQL"}]}),
        "an empty list of names": (joined, [], {"f": ""}),
        "texts keep their order": (joined, ["B", "A", "B"], {"f": "B, A, B"}),
        "nulls are skipped, empty texts are not": (joined, ["A", None, "", "B"], {"f": "A, , B"}),
        "texts and full names": (
            joined,
            [{"fullName": "Ada"}, {"fullName": None}, "Bob", {"fullName": "C", "id": 7}],
            {"f": "Ada, Bob, C"},
        ),
    },
)
def test_field_rules_replace_the_field(rule, value, expected):
    """An object becomes `<field>_<key>` fields, and a list of names one text."""
    before = copy.deepcopy(value)
    assert rule("f", value) == expected
    assert value == before


NO_NAMES = ["A", {"fullName": "A"}, None, [{"name": "A"}], ["A", {}], [{"fullName": 1}], [True]]


@pytest.mark.parametrize("value", NO_NAMES, ids=repr)
def test_a_value_that_is_no_list_of_names_is_unchanged(value):
    """It keeps its own name, so that no data is lost."""
    assert joined("instructors", value) == {"instructors": value}


def position(*values):
    """Return objects with these positions."""
    return [{"position": value} for value in values]


@pytest.mark.parametrize("rule", CHILD_RULES.values(), ids=lambda rule: rule.__name__)
@cases(
    "value, expected",
    {
        "null has no elements": (None, []),
        "an empty list has no elements": ([], []),
        "a number is one element, to be rejected": (7, [7]),
        "other types stay, to be rejected": ([None, True, []], [None, True, []]),
        "an object is a list of one": ({"position": 3}, [{"position": 3}]),
        "distinct positions stay": (position(0, 5, "7"), position(0, 5, "7")),
        "also beside other types": ([7, *position(9)], [7, *position(9)]),
    },
)
def test_every_child_rule_lists_the_elements(rule, value, expected):
    """All rules accept any value."""
    assert rule(value) == expected


@cases(
    "rule, value, expected",
    {
        "topics that are text become objects with a name": (
            named,
            ["SQL", {"name": "R", "id": 1}, ""],
            [{"name": "SQL"}, {"name": "R", "id": 1}, {"name": ""}],
        ),
        "chapters without a position get their place, counting all elements": (
            numbered_where_missing,
            [7, {"id": "a"}, *position(None, 0, "x")],
            [7, {"id": "a", "position": 2}, *position(3, 0, "x")],
        ),
        "contents are numbered without counting elements that are no objects": (
            numbered_all_or_none,
            ["x", {"id": "a"}, None, {"id": "b", "position": 2**63}],
            ["x", {"id": "a", "position": 1}, None, {"id": "b", "position": 2}],
        ),
    },
)
def test_child_rules_complete_the_elements(rule, value, expected):
    """Topics get a name and chapters and contents a position; the input is not modified."""
    before = copy.deepcopy(value)
    assert rule(value) == expected
    assert value == before


@pytest.mark.parametrize("positions", [(1, 2, "1", 2.0), (0, 1.5), (5, None, 1)], ids=repr)
def test_contents_are_numbered_unless_all_have_a_distinct_position(positions):
    """A repeated, fractional or missing position leads to new ones for the whole list."""
    numbers = range(1, len(positions) + 1)
    assert numbered_all_or_none(position(*positions)) == position(*numbers)
