"""Rules turn nested fields into plain fields and child lists into child objects."""

from __future__ import annotations

import copy

import pytest

from flatten.rules import (
    CHILD_RULES,
    join_names,
    name_texts,
    number_all_or_none,
    number_where_missing,
    prefix_keys,
)
from tests.support.cases import cases


@cases(
    "rule, value, expected",
    {
        "null becomes no field": (prefix_keys, None, {}),
        "only the first level of an object is spread": (
            prefix_keys,
            {"": None, "deep": {"a": [1]}},
            {"f_": None, "f_deep": {"a": [1]}},
        ),
        "text is no object": (prefix_keys, "SQL", {"f": "SQL"}),
        "a list is no object": (prefix_keys, [{"name": "SQL"}], {"f": [{"name": "SQL"}]}),
        "an empty list of names": (join_names, [], {"f": ""}),
        "texts keep their order": (join_names, ["B", "A", "B"], {"f": "B, A, B"}),
        "nulls are skipped, empty texts are not": (
            join_names,
            ["A", None, "", "B"],
            {"f": "A, , B"},
        ),
        "texts and full names": (
            join_names,
            [{"fullName": "Ada"}, {"fullName": None}, "Bob", {"fullName": "C", "id": 7}],
            {"f": "Ada, Bob, C"},
        ),
    },
)
def test_field_rules_replace_the_field(rule, value, expected):
    """An object becomes `<field>_<key>` fields, and a list of names one text."""
    row, before = {"f": value}, copy.deepcopy(value)
    rule(row, "f")
    assert row == expected
    assert value == before


NO_NAMES = ["A", {"fullName": "A"}, None, [{"name": "A"}], ["A", {}], [{"fullName": 1}], [True]]


@pytest.mark.parametrize("value", NO_NAMES, ids=repr)
def test_a_value_that_is_no_list_of_names_is_unchanged(value):
    """It keeps its own name, so that no data is lost."""
    row = {"instructors": value}
    join_names(row, "instructors")
    assert row == {"instructors": value}


def position(*values):
    """Return objects with these positions."""
    return [{"position": value} for value in values]


@pytest.mark.parametrize("rule", CHILD_RULES.values(), ids=lambda rule: rule.__name__)
@cases(
    "value, expected",
    {
        "a number is no list": (7, None),
        "an object is no list": ({"0": {"position": 3}}, None),
        "an empty list has no elements": ([], []),
        "other types stay, to be rejected": ([None, True, []], [None, True, []]),
        "distinct positions stay": (position(0, 5, "7"), position(0, 5, "7")),
        "also beside other types": ([7, *position(9)], [7, *position(9)]),
    },
)
def test_every_child_rule_lists_the_elements(rule, value, expected):
    """All rules accept any value but null."""
    assert rule(value) == expected


@cases(
    "rule, value, expected",
    {
        "topics that are text become objects with a name": (
            name_texts,
            ["SQL", {"name": "R", "id": 1}, ""],
            [{"name": "SQL"}, {"name": "R", "id": 1}, {"name": ""}],
        ),
        "chapters without a position get their place, counting all elements": (
            number_where_missing,
            [7, {"id": "a"}, *position(None, 0, "x")],
            [7, {"id": "a", "position": 2}, *position(3, 0, "x")],
        ),
        "contents are numbered without counting elements that are no objects": (
            number_all_or_none,
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
    assert number_all_or_none(position(*positions)) == position(*numbers)
