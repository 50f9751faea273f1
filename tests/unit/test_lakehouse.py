"""Comparing Iceberg tables with those of `fivetran debug` finds each kind of difference."""

from __future__ import annotations

import pytest

from lakehouse.compare import Column, Compared, Table, compared

COLUMNS = [Column("id", "string", nullable=False), Column("hours", "double", nullable=True)]
ROW, OTHER = {"id": "1", "hours": 1.5}, {"id": "2", "hours": None}
BOTH = Table(COLUMNS, [ROW, OTHER])
SYNCED = Column("_fivetran_synced", "timestamp", nullable=True)


def difference(expected, found):
    """Return what differs between two tables of the same name."""
    (result,) = compared({"course": expected}, {"course": found})
    return result.difference


def test_tables_are_equal_whatever_the_order_of_their_columns_and_rows():
    found = Table(COLUMNS[::-1], [OTHER, ROW])
    assert compared({"course": BOTH}, {"course": found}) == [Compared("course", (2, 2), "")]


def test_a_table_that_one_reader_did_not_find_has_no_count():
    assert compared({"a": BOTH, "b": BOTH}, {"b": BOTH, "c": BOTH}) == [
        Compared("a", (2, None), "the table is missing"),
        Compared("b", (2, 2), ""),
        Compared("c", (None, 2), "the table is unexpected"),
    ]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([ROW], "1 rows are missing and 0 are unexpected"),
        ([ROW, OTHER, OTHER], "0 rows are missing and 1 are unexpected"),
        ([ROW, {"id": "2", "hours": 0.0}], "1 rows are missing and 1 are unexpected"),
    ],
    ids=["a row is missing", "a row is there twice", "a null became 0"],
)
def test_rows_are_compared_value_by_value_and_counted(rows, text):
    assert difference(BOTH, Table(COLUMNS, rows)) == text


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (COLUMNS[1]._replace(kind="float"), "'hours': 'float'"),
        (COLUMNS[1]._replace(nullable=False), "'hours': 'double, required'"),
        (COLUMNS[1]._replace(name="time"), "'time': 'double'"),
    ],
    ids=["type", "not null", "name"],
)
def test_a_column_with_another_name_or_type_is_named(column, shown):
    found = Table([COLUMNS[0], column], [])
    assert difference(BOTH, found) == (
        f"columns are {{'id': 'string, required', {shown}}}, "
        "expected {'id': 'string, required', 'hours': 'double'}"
    )


def test_types_that_iceberg_lacks_equal_those_that_the_sdk_writes_for_them():
    kinds = [("extension<arrow.json>", "string"), ("int16", "int32")]
    for written, read in kinds:
        tables = (Table([Column("a", kind, nullable=True)], []) for kind in (written, read))
        assert difference(*tables) == ""


def test_of_the_time_of_writing_only_the_presence_is_compared():
    one, other, none = (Table([SYNCED], [{SYNCED.name: time}]) for time in (1, 2, None))
    assert difference(one, other) == ""
    assert difference(one, none) == "1 rows are missing and 1 are unexpected"
