"""One catalog item becomes its row and its children's rows, whatever it contains."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endpoints import ENDPOINTS
from flatten import Flattened, Flattener, Rejected
from flatten.names import column_name
from tests.support.cases import cases

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
PRACTICES, PROJECTS = BY_NAME["practices"], BY_NAME["projects"]
TRACKS, COURSES = BY_NAME["tracks"], BY_NAME["courses"]
TYPES = {"STRING": str, "DOUBLE": float, "LONG": int, "BOOLEAN": bool, "UTC_DATETIME": datetime}

COURSE = {
    "id": "course-54859",
    "title": "Introduction to R",
    "description": "Master the basics.",
    **{name: f"https://{name}/1" for name in ("url", "infoUrl", "publicInfoUrl")},
    "imageUrl": {"jpg": "https://i/1.jpg", "png": "https://i/1.png", "svg": "https://i/1.svg"},
    "technology": "R",
    "timeNeededInHours": 4,
    "updatedAt": "2026-08-20T18:00:19.100Z",
    "live": True,
    "topic": {"name": "Programming", "description": None},
    "instructors": [{"fullName": "Ada"}, {"fullName": None}, {"fullName": "Bob"}],
    "includedInLicenses": ["Premium", "Teams"],
    "chapters": [
        {"id": "course-chapter-1", "title": "Vectors", "description": "V", "url": "https://l/1/1"},
        {"id": "course-chapter-2", "title": None, "extra": 7},
    ],
}


def flatten_item(endpoint, item):
    """Flatten one item as the first of a response."""
    return Flattener(endpoint).flatten_item(item)


def row(table, **values):
    """Return a row as (column, value) pairs: declared columns, NULL if not given, then others."""
    return list({**dict.fromkeys(table.types), **values}.items())


def children_of(flat):
    """Return the children of an item as keys and rows, with their columns in order."""
    return [(key, list(child.items())) for key, child in flat.children.items()]


def row_of(endpoint, **fields):
    """Flatten an item that is not rejected; return its columns in order, and the bad ones."""
    flat = flatten_item(endpoint, {"id": "x", **fields})
    assert (flat.key, flat.children, flat.rejected) == ("x", {}, [])
    return list(flat.row.items()), [column for _, column in flat.bad_values]


def test_a_course_becomes_its_row_and_one_per_chapter():
    """A course as DataCamp sends it becomes complete rows with exact types."""
    flat = flatten_item(COURSES, COURSE)
    unchanged = ("id", "title", "description", "url", "infoUrl", "publicInfoUrl", "technology")
    first = {"id": "course-chapter-1", "course_id": "course-54859", "position": 1}
    second = {"id": "course-chapter-2", "course_id": "course-54859", "position": 2}
    assert flat == Flattened(
        key="course-54859",
        row={
            **{name: COURSE[name] for name in unchanged},
            **{f"imageUrl_{kind}": address for kind, address in COURSE["imageUrl"].items()},
            "topic_name": "Programming",
            "topic_description": None,
            "timeNeededInHours": 4.0,
            "instructors": "Ada, Bob",
            "includedInLicenses": "Premium, Teams",
            "live": True,
            "updatedAt": datetime(2026, 8, 20, 18, 0, 19, 100_000, tzinfo=timezone.utc),
        },
        children={
            first["id"]: first | {"title": "Vectors", "description": "V", "url": "https://l/1/1"},
            second["id"]: second | {"title": None, "description": None, "url": None, "extra": 7},
        },
    )
    assert list(flat.row) == list(COURSES.table.types)
    assert type(flat.row["timeNeededInHours"]) is float


every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)


@every_endpoint
def test_an_item_with_only_an_id_has_every_declared_column(endpoint):
    """The columns whose fields are missing are NULL, and a missing list has no children."""
    assert row_of(endpoint) == (row(endpoint.table, id="x"), [])


@every_endpoint
def test_field_rules_apply_on_every_endpoint(endpoint):
    """They apply even where their columns are not declared."""
    fields = {
        "topic": {"name": "SQL"},
        "imageUrl": {"jpg": "j", "gif": "g"},
        "instructors": [{"fullName": "Ada"}, "Bob"],
        "includedInLicenses": [],
    }
    columns = {"imageUrl_gif": "g", "imageUrl_jpg": "j", "includedInLicenses": ""}
    columns |= {"instructors": "Ada, Bob", "topic_name": "SQL"}
    assert row_of(endpoint, **fields) == (row(endpoint.table, id="x", **columns), [])


@cases(
    "fields, columns, bad",
    {
        "lists of another shape become JSON text": (
            {"instructors": [{"name": "Ada"}], "includedInLicenses": [{"b": 1, "a": 2}]},
            {"instructors": '[{"name": "Ada"}]', "includedInLicenses": '[{"a": 2, "b": 1}]'},
            [],
        ),
        "declared fields alone": (
            {"instructors": ["Ada", "Bob"]},
            {"instructors": "Ada, Bob"},
            [],
        ),
        "a field takes precedence over one from a rule": (
            {"topic": {"name": "from the object"}, "topic_name": "own"},
            {"topic_name": "own"},
            [],
        ),
        "but not if it is null": (
            {"topic": {"name": "SQL"}, "topic_name": None},
            {"topic_name": "SQL"},
            [],
        ),
        "and also if its value does not fit": (
            {"topic": {"name": "SQL"}, "topic_name": math.nan},
            {"topic_name": None},
            ["topic_name"],
        ),
        "another spelling of a declared field": (
            {"updated_at": "2026-01-01", "topicName": "x"},
            {"updatedAt": datetime(2026, 1, 1, tzinfo=timezone.utc), "topic_name": "x"},
            [],
        ),
        "another spelling of a field with a rule": (
            {"image_url": {"JPG": "x"}, "included_in_licenses": ["a", "b"]},
            {"imageUrl_jpg": "x", "includedInLicenses": "a, b"},
            [],
        ),
        "another spelling of a field that the item has": (
            {"live": True, "LIVE": False, "topic": {"name": "SQL"}, "Topic": "y"},
            {"live": True, "topic_name": "SQL", "Topic": "y"},
            ["LIVE"],
        ),
        "another spelling of a field that is null": (
            {"title": None, "Title": "x", "topic": None, "TOPIC": {"name": "SQL"}},
            {"title": "x", "topic_name": "SQL"},
            [],
        ),
        "of several spellings the first by name is used": (
            {"topicName": "c", "topic-name": "b", "Topic name": "a"},
            {"topic_name": "a"},
            ["topic-name", "topicName"],
        ),
        "another spelling takes precedence over a field from a rule": (
            {"topic": {"name": "from the object"}, "topicName": "own"},
            {"topic_name": "own"},
            [],
        ),
        "another spelling in what a rule returns": (
            {"topic": {"Name": "SQL", "NAME": "R"}},
            {"topic_name": "R"},
            ["topic_Name"],
        ),
        "values are coerced to their columns": (
            {"title": 7, "technology": ["R"], "live": "true", "timeNeededInHours": "1.5"},
            {"title": "7", "technology": '["R"]', "live": True, "timeNeededInHours": 1.5},
            [],
        ),
        "undeclared fields are sorted": (
            {"zeta": {"b": [1], "a": None}, "Alpha": 1.5, "beta": "t", "_x": True, "é": 1},
            {"Alpha": 1.5, "_x": True, "beta": "t", "zeta": {"a": None, "b": [1]}, "é": 1},
            [],
        ),
        "undeclared nulls are left out": (
            {"x": None, "imageUrl": {"gif": None}, "_fivetran_id": None, "a" * 1001: None},
            {},
            [],
        ),
        "undeclared numbers keep their type, and declared texts have no fraction": (
            {"x": 7.0, "title": 7.0},
            {"x": 7.0, "title": "7"},
            [],
        ),
        "the child list of another endpoint": ({"content": [{"id": 1}]},) * 2 + ([],),
        "names and texts are cleaned": (
            {"title": "a\0\ud83d", "x\0y": "a\0b", "": "x", "z\ud83d": "\ude00"},
            {"title": "a\ufffd", "_": "x", "xy": "ab", "z\ufffd": "\ufffd"},
            [],
        ),
        "values that do not fit declared columns": (
            {"timeNeededInHours": "soon", "title": [math.nan, 1], "topic": {"name": math.inf}},
            {"title": "[null, 1]"},
            ["title", "topic_name", "timeNeededInHours"],
        ),
        "values that do not fit undeclared columns": (
            {"x": math.nan, "y": [math.nan, 1], "imageUrl": math.nan},
            {"y": [None, 1]},
            ["imageUrl", "x", "y"],
        ),
        "a field with the column of a declared one": (
            {"title": "x", "Title": "y", "imageUrl": {"jpg": "x", "JPG": "y"}, "ID": "z"},
            {"title": "x", "imageUrl_jpg": "x"},
            ["ID", "Title", "imageUrl_JPG"],
        ),
        "a field with the column of the child list": (
            {"Chapters": 7, "chapters": []},
            {},
            ["Chapters"],
        ),
        "of undeclared fields with one column the first by name is kept": (
            {"fooBar": 1, "foo_bar": 2, "Foo bar": 3},
            {"Foo bar": 3},
            ["fooBar", "foo_bar"],
        ),
        "the first that has a value": (
            {"fooBar": 1, "foo_bar": 2, "Foo bar": None, "Foo_Bar": math.nan},
            {"fooBar": 1},
            ["Foo_Bar", "foo_bar"],
        ),
        "all of column _": ({"": 1, "_": 2, "日本": 3}, {"_": 1}, ["_", "日本"]),
        "names that are too long, and one that is not": (
            {"a" * 1000: 1, "e\u0301" * 501: 2, "title" + "\u0301" * 996: 3},
            {"a" * 1000: 1},
            ["(names longer than 1,000 characters)"] * 2,
        ),
        "Fivetran's own columns": (
            {"_fivetran_deleted": True, "_Fivetran synced": "x", "_fivetranId": 1},
            {},
            ["_Fivetran synced", "_fivetranId", "_fivetran_deleted"],
        ),
    },
)
def test_fields_become_columns(fields, columns, bad):
    """Fields may come in any order; values that cannot be stored are counted."""
    expected = (row(COURSES.table, id="x", **columns), bad)
    assert row_of(COURSES, **fields) == expected
    assert row_of(COURSES, **dict(reversed(fields.items()))) == expected


KEYS = {
    "course-1": "course-1",
    " ": " ",
    "Ä\0\ud83d": "Ä\ufffd",
    0: "0",
    1.0: "1",
    -2.5: "-2.5",
    "k" * 1000: "k" * 1000,
}
KEYS |= {10**30: "1" + "0" * 30}


@pytest.mark.parametrize("item_id", KEYS, ids=ascii)
def test_text_and_numbers_are_ids(item_id):
    """A key is non-empty text or a number, stored as text."""
    key = KEYS[item_id]
    assert flatten_item(PRACTICES, {"id": item_id}) == Flattened(
        key, dict(row(PRACTICES.table, id=key))
    )


@cases(
    "item, shown, reason",
    {
        "no id": ({}, "?", "it has no id"),
        "another spelling of id": ({"ID": "x"}, "?", "it has no id"),
        "a null id": ({"id": None, "title": 1}, "?", "it has no id"),
        "an empty id": ({"id": ""}, "''", "its id is ''"),
        "an id of NUL": ({"id": "\0"}, r"'\x00'", r"its id is '\x00'"),
        "a boolean": ({"id": True}, "True", "its id is a boolean"),
        "4,301 digits": ({"id": "9" * 4301}, f"'{'9' * 59}…", f"its id is '{'9' * 59}…"),
        "1,001 characters": (
            {"id": "k" * 1001},
            f"'{'k' * 59}…",
            "its id is longer than 1,000 characters",
        ),
        "1,001 digits": (
            {"id": 10**1000},
            f"1{'0' * 59}…",
            "its id is longer than 1,000 characters",
        ),
        "NaN": ({"id": math.nan}, "nan", "its id is nan"),
        "a list": ({"id": ["y" * 90]}, f"['{'y' * 58}…", "its id is a list"),
        "null instead of an item": (None, "?", "it is null"),
        "text instead of an item": ("course-1", "?", "it is a string"),
        "a float instead of an item": (1.5, "?", "it is a number"),
        "a boolean instead of an item": (True, "?", "it is a boolean"),
    },
)
def test_an_item_without_a_key_is_rejected(item, shown, reason):
    """It has no rows, no children and no bad values, only a reason."""
    if isinstance(item, dict):
        item = {**item, "live": "perhaps", "chapters": [{"id": "c"}, 7]}
    rejected = [Rejected("course", shown, reason)]
    assert flatten_item(COURSES, item) == Flattened(rejected=rejected)


def child(endpoint, key, **values):
    """Return the key and row of a child of the item `x`."""
    kind = endpoint.child
    return key, row(kind.table, **{kind.foreign_key: "x", kind.key: key}, **values)


@cases(
    "endpoint, value, children, rejected",
    {
        "each element that is no object is rejected": (
            COURSES,
            [{"id": "a"}, None, "b", True, [{"id": "c"}], {"id": "d"}],
            [child(COURSES, "a", position=1), child(COURSES, "d", position=6)],
            [("x", f"it is {kind}") for kind in ("null", "a string", "a boolean", "a list")],
        ),
        "values are coerced, and the parent's id replaces a foreign key": (
            COURSES,
            [{"id": "b", "position": "7"}, {"id": 3, "title": 4, "course_id": "other"}],
            [child(COURSES, "b", position=7), child(COURSES, "3", position=2, title="4")],
            [],
        ),
        "of chapters with the same id the first is kept, and case matters": (
            COURSES,
            [{"id": "a", "title": "first"}, {"id": "a\0"}, {"id": "A"}, {"id": 1}, {"id": "1"}],
            [
                child(COURSES, "a", position=1, title="first"),
                child(COURSES, "A", position=3),
                child(COURSES, "1", position=4),
            ],
            [
                (r"x, id 'a\x00'", "an earlier one has the same id"),
                ("x, id '1'", "an earlier one has the same id"),
            ],
        ),
        "chapters without a valid id": (
            COURSES,
            [{"title": "none"}, {"ID": "a"}, {"id": True}],
            [],
            [("x, id ?", "it has no id")] * 2 + [("x, id True", "its id is a boolean")],
        ),
        "a chapter with an id that is too long": (
            COURSES,
            [{"id": "k" * 1001}],
            [],
            [(f"x, id '{'k' * 59}…", "its id is longer than 1,000 characters")],
        ),
        "undeclared nulls are left out of children": (
            COURSES,
            [{"id": "a", "zeta": None}],
            [child(COURSES, "a", position=1)],
            [],
        ),
        "one text is one topic": (PROJECTS, "SQL", [child(PROJECTS, "SQL")], []),
        "one object with a name is one topic": (
            PROJECTS,
            {"name": 7.0, "level": 2},
            [child(PROJECTS, "7", level=2)],
            [],
        ),
        "rules apply to children, and undeclared fields are kept": (
            COURSES,
            [{"id": "a", "topic": {"name": "SQL"}, "zeta": [1], "alpha": {"b": 1}}],
            [child(COURSES, "a", position=1, alpha={"b": 1}, topic_name="SQL", zeta=[1])],
            [],
        ),
        "texts and objects are topics": (
            PROJECTS,
            ["SQL", {"name": "R", "level": 2}, {"name": 3}],
            [child(PROJECTS, "SQL"), child(PROJECTS, "R", level=2), child(PROJECTS, "3")],
            [],
        ),
        "a topic with the name of another": (
            PROJECTS,
            ["SQL", {"name": "SQL", "level": 2}],
            [child(PROJECTS, "SQL")],
            [("x, name 'SQL'", "an earlier one has the same name")],
        ),
        "the key of contents is their position": (
            TRACKS,
            [{"position": 0, "id": "a"}, {"position": "1", "id": 7}, {"position": 7.0}],
            [child(TRACKS, 0, id="a"), child(TRACKS, 1, id="7"), child(TRACKS, 7)],
            [],
        ),
        "contents with a repeated position are numbered": (
            TRACKS,
            [{"position": 5, "id": "a"}, {"position": 5, "id": "b"}],
            [child(TRACKS, 1, id="a"), child(TRACKS, 2, id="b")],
            [],
        ),
    },
)
def test_a_list_becomes_child_rows(endpoint, value, children, rejected):
    """Each child has all columns of its table, by its key; the others have a reason."""
    flat = flatten_item(endpoint, {"id": "x", endpoint.child.field: value})
    assert list(flat.row.items()) == row(endpoint.table, id="x")
    assert children_of(flat) == children
    assert flat.rejected == [Rejected(endpoint.child.table.name, *each) for each in rejected]
    repeated = [reason.startswith("an earlier one") for _, reason in rejected]
    assert flat.children_rejected == (not all(repeated))
    assert (flat.bad_values, flat.children_unreadable) == ([], False)


UNREADABLE = {
    "a link": "https://datacamp/chapters",
    "a count": 3,
    "a boolean": True,
    "one object": {"id": "a", "position": 1},
    "a page": {"data": [{"id": "a", "position": 1, "name": "a"}], "has_more": True},
    "a list by index": {"0": {"id": "a"}, "1": {"id": "b"}},
}
NO_TOPIC = {"empty text": "", "a name of NUL": {"name": "\0"}, "a boolean": {"name": False}}
NO_TOPIC |= {"NaN": {"name": math.nan}, "too long": "k" * 1001}
NO_LISTS = [(each, *pair) for each in (TRACKS, COURSES) for pair in UNREADABLE.items()]
NO_LISTS += [(PROJECTS, *pair) for pair in UNREADABLE.items() if pair[0] != "a link"]
NO_LISTS += [(PROJECTS, *pair) for pair in NO_TOPIC.items()]


@cases("endpoint, value", {f"{each.name}: {name}": (each, v) for each, name, v in NO_LISTS})
def test_any_other_value_in_place_of_a_child_list_is_unreadable(endpoint, value):
    """The item is written without children; nothing is rejected and no column is made of it."""
    for field in (endpoint.child.field, endpoint.child.field.upper()):
        assert flatten_item(endpoint, {"id": "x", field: value}) == Flattened(
            "x", dict(row(endpoint.table, id="x")), children_unreadable=True
        )


@pytest.mark.parametrize("item", [{}, {"chapters": None}, {"chapters": []}], ids=repr)
def test_a_missing_null_or_empty_list_has_no_children(item):
    """Such a list is readable."""
    expected = Flattened("x", dict(row(COURSES.table, id="x")))
    assert flatten_item(COURSES, {"id": "x", **item}) == expected


def test_bad_values_of_children_are_counted_by_their_table():
    """A child is written without the values that do not fit; a rejected child has none."""
    children = [{"id": "a", "position": "first", "title": math.nan}, {"position": "no"}]
    flat = flatten_item(COURSES, {"id": "x", "live": 7, "chapters": children})
    assert children_of(flat) == [child(COURSES, "a", position=None)]
    of_children = [("course_chapter", "position"), ("course_chapter", "title")]
    assert flat.bad_values == [("course", "live"), *of_children]


FIELDS = "id name position title live updatedAt course_id topic topic_name imageUrl imageUrl_jpg"
OTHERS = "instructors fullName jpg JPG Title updated_at chapters Chapters content x X _fivetran_id"
NAMES = st.sampled_from([*FIELDS.split(), *OTHERS.split(), "x\0", "\ud800", "名", ""])
SCALARS = st.text("7-:T.e é日\N{THAI DIGIT ONE}\0\ud800\U0001f600", max_size=12) | st.sampled_from(
    (None, True, 0, 7, -1, 0.5, 1.0, 1e39, 2**64, math.nan, math.inf, "", "a", "\0", "\ud800", "7")
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
ITEMS = st.builds(
    lambda fields, child_field, children: {**fields, "id": "x", child_field: children},
    st.dictionaries(NAMES, JSON, max_size=6),
    st.sampled_from(["chapters", "topics", "content", "Chapters"]),
    st.lists(st.dictionaries(NAMES, SCALARS, max_size=5), max_size=3),
)


def reordered(value):
    """Return the same JSON with the members of each object in the opposite order."""
    return json.loads(json.dumps(value), object_pairs_hook=lambda pairs: dict(reversed(pairs)))


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.sampled_from(ENDPOINTS), ITEMS | JSON)
def test_any_item_becomes_rows_that_can_be_written(endpoint, item):
    """Rows have complete keys, all columns and exact types; the order of fields is irrelevant."""
    before = repr(item)
    flat = flatten_item(endpoint, item)
    assert repr(item) == before
    assert (flat.key is None) == (flat.row is None)
    rows = [] if flat.row is None else [(endpoint.table, flat.row)]
    rows += [(endpoint.child.table, child) for child in flat.children.values()]
    for table, written in rows:
        names = list(written)
        assert names[: len(table.types)] == list(table.types)
        assert len({column_name(name) for name in names}) == len(names)
        assert all(written[name] not in (None, "") for name in table.primary_key)
        for name, kind in table.types.items():
            assert type(written[name]) in (TYPES[kind], type(None))
        undeclared = {name: written[name] for name in names[len(table.types) :]}
        json.dumps(undeclared, allow_nan=False, ensure_ascii=False).encode()
        assert None not in undeclared.values()
    other = flatten_item(endpoint, reordered(item))
    assert repr((other.row, children_of(other))) == repr((flat.row, children_of(flat)))
    assert len(other.rejected) == len(flat.rejected)
    assert other.children_unreadable == flat.children_unreadable
    assert other.children_rejected == flat.children_rejected


def test_another_spelling_of_the_child_list_becomes_child_rows():
    """`Chapters` are the chapters, whose fields may be spelled differently, too."""
    flat = flatten_item(COURSES, {"id": "x", "Chapters": [{"id": "c", "Title": "T"}]})
    assert children_of(flat) == [child(COURSES, "c", position=1, title="T")]
    assert flat.bad_values == []


BEYOND = [("course", "(undeclared columns beyond 500)")]
WIDE = [
    {"id": "1"} | {f"a{n:03}x": n for n in range(400)} | {f"n{n:03}x": None for n in range(400)},
    {"id": "2", "chapters": [{"id": "c", "c": 3}]} | {f"b{n:03}x": n for n in range(400)},
    {"id": "3", "a000x": 1, "b399x": None, "c": 2},
]


def test_undeclared_columns_of_a_response_are_limited():
    """The first 500 of a table are kept in all items; nulls and other tables do not count."""
    first, second, third = map(Flattener(COURSES).flatten_item, WIDE)
    assert [flat.bad_values for flat in (first, second, third)] == [[], BEYOND * 300, BEYOND]
    assert [len(flat.row) - len(COURSES.table.types) for flat in (first, second, third)] == [
        *(400, 100, 1)
    ]
    assert children_of(second)[0][1][-1] == ("c", 3)
    assert list(third.row.items()) == row(COURSES.table, id="3", a000x=1)


def test_flattening_the_items_of_a_response_again_has_the_same_result():
    """Also once the limit of undeclared columns is reached."""
    flattener = Flattener(COURSES)
    first = [flattener.flatten_item(item) for item in WIDE]
    assert [flattener.flatten_item(item) for item in reversed(WIDE)] == first[::-1]
