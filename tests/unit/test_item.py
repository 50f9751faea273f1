"""One catalog item becomes its row and its children's rows, whatever it holds."""

from __future__ import annotations

import copy
import math
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_client.response import UnreadableItem
from endpoints import ENDPOINTS
from flatten import Flattened, Rejected, flatten_item
from flatten.names import column_name

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
PRACTICES, PROJECTS = BY_NAME["practices"], BY_NAME["projects"]
TRACKS, COURSES = BY_NAME["tracks"], BY_NAME["courses"]
PYTHON_TYPES = {
    "STRING": str,
    "DOUBLE": float,
    "LONG": int,
    "BOOLEAN": bool,
    "UTC_DATETIME": datetime,
}

COURSE = {
    "id": "course-54859",
    "title": "Introduction to R",
    "description": "Master the basics.",
    "url": "https://learn/1",
    "infoUrl": "https://info/1",
    "publicInfoUrl": "https://public/1",
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


def row(table, **values):
    """Make a row as lists of names and values, in which all columns not given are NULL."""
    declared = {**dict.fromkeys(table.types), **values}
    return list(declared.items())


def rows_of(flat):
    """List the item's row and those of its children, each with its columns in order."""
    children = [(key, list(child.items())) for key, child in flat.children.items()]
    return flat.row and list(flat.row.items()), children


def own(endpoint, **fields):
    """Flatten an item without flaw and without children; gives its row with columns in order."""
    flat = flatten_item(endpoint, {"id": "x", **fields})
    assert (flat.key, flat.children, flat.rejected) == ("x", {}, [])
    return list(flat.row.items()), flat.bad_values


def test_a_course_fills_a_row_of_its_own_and_one_per_chapter():
    """A course as DataCamp sends it becomes whole rows with exact types, and nothing is flawed."""
    flat = flatten_item(COURSES, COURSE)
    assert list(flat.row.items()) == [
        ("id", "course-54859"),
        ("title", "Introduction to R"),
        ("description", "Master the basics."),
        ("url", "https://learn/1"),
        ("infoUrl", "https://info/1"),
        ("publicInfoUrl", "https://public/1"),
        ("imageUrl_jpg", "https://i/1.jpg"),
        ("imageUrl_png", "https://i/1.png"),
        ("imageUrl_svg", "https://i/1.svg"),
        ("technology", "R"),
        ("topic_name", "Programming"),
        ("topic_description", None),
        ("timeNeededInHours", 4.0),
        ("instructors", "Ada, Bob"),
        ("includedInLicenses", "Premium, Teams"),
        ("live", True),
        ("updatedAt", datetime(2026, 8, 20, 18, 0, 19, 100_000, tzinfo=timezone.utc)),
    ]
    assert flat == Flattened(
        key="course-54859",
        row=flat.row,
        children={
            "course-chapter-1": {
                "id": "course-chapter-1",
                "course_id": "course-54859",
                "position": 1,
                "title": "Vectors",
                "description": "V",
                "url": "https://l/1/1",
            },
            "course-chapter-2": {
                "id": "course-chapter-2",
                "course_id": "course-54859",
                "position": 2,
                "title": None,
                "description": None,
                "url": None,
                "extra": 7,
            },
        },
        rejected=[],
        bad_values=[],
    )
    assert type(flat.row["timeNeededInHours"]) is float


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_item_of_nothing_but_an_id_has_every_declared_column(endpoint):
    """What the item lacks is NULL, and no child list is no child."""
    flat = flatten_item(endpoint, {"id": "x"})
    assert rows_of(flat) == (row(endpoint.table, id="x"), [])
    assert flat == Flattened("x", flat.row, {}, [], [])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_rules_hold_on_every_endpoint(endpoint):
    """Fields with a rule follow it on each endpoint, also where their columns are not declared."""
    fields = {
        "topic": {"name": "SQL"},
        "imageUrl": {"jpg": "j", "gif": "g"},
        "instructors": [{"fullName": "Ada"}, "Bob"],
        "includedInLicenses": [],
    }
    made = {
        "topic_name": "SQL",
        "imageUrl_jpg": "j",
        "imageUrl_gif": "g",
        "instructors": "Ada, Bob",
        "includedInLicenses": "",
    }
    declared = {name: made[name] for name in made if name in endpoint.table.types}
    others = {name: made[name] for name in sorted(made) if name not in declared}
    expected = row(endpoint.table, id="x", **declared) + list(others.items())
    assert own(endpoint, **fields) == (expected, [])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"topic": None, "imageUrl": None}, {}, id="null objects give no stray column"
        ),
        pytest.param({"topic": "SQL"}, {"topic": "SQL"}, id="a topic that is text stays"),
        pytest.param({"imageUrl": ["a"]}, {"imageUrl": ["a"]}, id="an image that is a list stays"),
        pytest.param(
            {"topic": {"id": 7, "name": "SQL"}},
            {"topic_name": "SQL", "topic_id": 7},
            id="a key of a topic that is not known",
        ),
        pytest.param(
            {"instructors": [{"name": "Ada"}], "includedInLicenses": [{"b": 1, "a": 2}]},
            {
                "instructors": '[{"name": "Ada"}]',
                "includedInLicenses": '[{"a": 2, "b": 1}]',
            },
            id="lists with other shapes become their JSON text",
        ),
        pytest.param({"instructors": "Ada"}, {"instructors": "Ada"}, id="one instructor as text"),
        pytest.param(
            {"instructors": {"fullName": "Ada"}},
            {"instructors": '{"fullName": "Ada"}'},
            id="one instructor as an object",
        ),
        pytest.param(
            {"topic": {"name": "of the object"}, "topic_name": "of its own"},
            {"topic_name": "of its own"},
            id="a field goes before what a rule makes",
        ),
        pytest.param(
            {"topic": {"name": "of the object"}, "topic_name": None},
            {"topic_name": "of the object"},
            id="but not if it is null",
        ),
        pytest.param(
            {"title": 7, "technology": ["R"], "live": "true", "timeNeededInHours": "1.5"},
            {"title": "7", "technology": '["R"]', "live": True, "timeNeededInHours": 1.5},
            id="values are coerced to their columns",
        ),
        pytest.param(
            {"zeta": {"b": [1], "a": None}, "Alpha": 1.5, "beta": "t", "_x": True, "é": None},
            {"Alpha": 1.5, "_x": True, "beta": "t", "zeta": {"a": None, "b": [1]}, "é": None},
            id="unknown fields of any shape, sorted",
        ),
        pytest.param(
            {"big": 2**63, "long": 2**63 - 1},
            {"big": "9223372036854775808", "long": 2**63 - 1},
            id="an integer beyond 64 bits becomes text",
        ),
        pytest.param({"x\0y": "a\0b"}, {"xy": "ab"}, id="NUL goes from names and values"),
        pytest.param({"\ud83d": "\ude00"}, {"\ufffd": "\ufffd"}, id="surrogates are replaced"),
        pytest.param({"": "x"}, {"_": "x"}, id="a field without a name gets one"),
        pytest.param({"chapters": None}, {}, id="the child list is no column"),
    ],
)
def test_fields_become_columns(fields, expected):
    """Each field fills the column it belongs to; undeclared ones follow, sorted by name."""
    declared = {name: value for name, value in expected.items() if name in COURSES.table.types}
    others = [item for item in expected.items() if item[0] not in declared]
    assert own(COURSES, **fields) == (row(COURSES.table, id="x", **declared) + others, [])


@pytest.mark.parametrize(
    ("fields", "kept", "bad"),
    [
        pytest.param({"timeNeededInHours": "soon"}, {}, ["timeNeededInHours"], id="no number"),
        pytest.param({"timeNeededInHours": math.inf}, {}, ["timeNeededInHours"], id="infinity"),
        pytest.param({"live": "perhaps"}, {}, ["live"], id="no boolean"),
        pytest.param({"updatedAt": "0000-01-01"}, {}, ["updatedAt"], id="no moment"),
        pytest.param({"title": math.nan}, {}, ["title"], id="no text"),
        pytest.param(
            {"title": [math.nan, 1]}, {"title": "[null, 1]"}, ["title"], id="part of one"
        ),
        pytest.param({"topic": {"name": math.nan}}, {}, ["topic_name"], id="made by a rule"),
        pytest.param({"x": math.nan}, {"x": None}, ["x"], id="undeclared NaN"),
        pytest.param({"x": -math.inf}, {"x": None}, ["x"], id="undeclared infinity"),
        pytest.param({"x": 1e300}, {"x": None}, ["x"], id="an undeclared float beyond 32 bits"),
        pytest.param({"x": [math.nan, 1]}, {"x": [None, 1]}, ["x"], id="NaN in a list"),
        pytest.param({"imageUrl": math.nan}, {"imageUrl": None}, ["imageUrl"], id="no object"),
        pytest.param(
            {"title": "x", "Title": "y"}, {"title": "x"}, ["Title"], id="a column in other case"
        ),
        pytest.param(
            {"imageUrl": {"jpg": "x"}, "image_url_jpg": "y"},
            {"imageUrl_jpg": "x"},
            ["image_url_jpg"],
            id="one that a rule makes already",
        ),
        pytest.param(
            {"a" * 1000: 1, "e\u0301" * 501: 2},
            {"a" * 1000: 1},
            ["(names above 1,000 characters)"],
            id="a name that is too long",
        ),
        pytest.param(
            {"fooBar": 1, "foo_bar": 2, "Foo bar": 3},
            {"Foo bar": 3},
            ["fooBar", "foo_bar"],
            id="of unknown fields with one column the first by name stays",
        ),
        pytest.param({"": 1, "_": 2, "日本": 3}, {"_": 1}, ["_", "日本"], id="nameless ones"),
        pytest.param(
            {"_fivetran_deleted": True, "_Fivetran synced": "x", "_fivetranId": 1},
            {},
            ["_Fivetran synced", "_fivetranId", "_fivetran_deleted"],
            id="Fivetran's own columns",
        ),
    ],
)
def test_what_cannot_be_stored_is_null_and_counted(fields, kept, bad):
    """A value that does not fit becomes NULL or what is left of it, by table and column."""
    declared = {name: value for name, value in kept.items() if name in COURSES.table.types}
    others = [item for item in kept.items() if item[0] not in declared]
    assert own(COURSES, **fields) == (
        row(COURSES.table, id="x", **declared) + others,
        [("course", column) for column in bad],
    )


def test_a_field_that_does_not_fit_is_counted_whatever_a_rule_makes():
    """Which of the two comes first in the item makes no difference."""
    fields = {"topic": {"name": "SQL"}, "topic_name": math.nan}
    written, bad = own(COURSES, **fields)
    assert bad == [("course", "topic_name")]
    assert own(COURSES, **dict(reversed(fields.items()))) == (written, bad)


@pytest.mark.parametrize(
    ("item_id", "key"),
    [
        pytest.param("course-1", "course-1", id="text"),
        pytest.param(" ", " ", id="a blank"),
        pytest.param("Ä\0\ud83d", "Ä\ufffd", id="text that is cleaned"),
        pytest.param("x" * 100_000, "x" * 100_000, id="long text"),
        pytest.param(7, "7", id="a number is kept as text"),
        pytest.param(0, "0", id="zero"),
        pytest.param(-1.5, "-1.5", id="a fraction"),
        pytest.param(1.0, "1.0", id="a float that is whole"),
        pytest.param(10**30, "1" + "0" * 30, id="a huge number"),
    ],
)
def test_text_and_numbers_are_ids(item_id, key):
    """A key part is non-empty text or a number, and the row has it as text."""
    flat = flatten_item(PRACTICES, {"id": item_id})
    assert flat == Flattened(key, dict(row(PRACTICES.table, id=key)), {}, [], [])


@pytest.mark.parametrize(
    ("item", "shown", "reason"),
    [
        pytest.param({}, "?", "it has no id", id="no id"),
        pytest.param({"id": None, "title": 1}, "?", "it has no id", id="a null id"),
        pytest.param({"Id": "x"}, "?", "it has no id", id="an id in other case"),
        pytest.param({"id": ""}, "''", "its id is ''", id="an empty id"),
        pytest.param({"id": "\0"}, r"'\x00'", r"its id is '\x00'", id="an id of NUL"),
        pytest.param({"id": True}, "True", "its id is a boolean", id="a boolean"),
        pytest.param({"id": ["x"]}, "['x']", "its id is a list", id="a list"),
        pytest.param({"id": {"a": 1}}, "{'a': 1}", "its id is an object", id="an object"),
        pytest.param(
            {"id": "9" * 4301},
            "'" + "9" * 59 + "…",
            "its id is '" + "9" * 59 + "…",
            id="more digits than the SDK reads",
        ),
        pytest.param({"id": math.nan}, "nan", "its id is nan", id="NaN"),
        pytest.param({"id": math.inf}, "inf", "its id is inf", id="infinity"),
        pytest.param(
            {"id": ["y" * 90]}, "['" + "y" * 58 + "…", "its id is a list", id="a long one"
        ),
        pytest.param(None, "?", "it is null", id="null"),
        pytest.param("course-1", "?", "it is text", id="text"),
        pytest.param(7, "?", "it is a number", id="a number"),
        pytest.param(1.5, "?", "it is a number", id="a float"),
        pytest.param(True, "?", "it is a boolean", id="a boolean for an item"),
        pytest.param([{"id": "x"}], "?", "it is a list", id="a list for an item"),
        pytest.param(UnreadableItem(), "?", "it is JSON that cannot be decoded", id="no JSON"),
    ],
)
@pytest.mark.parametrize("endpoint", [PRACTICES, COURSES], ids=lambda endpoint: endpoint.name)
def test_an_item_without_a_key_is_rejected(endpoint, item, shown, reason):
    """It has no rows, no children and no bad values: only the reason why."""
    if isinstance(item, dict):
        item = {**item, "live": "perhaps", "chapters": [{"id": "c"}, 7]}
    rejected = [Rejected(endpoint.table.name, shown, reason)]
    assert flatten_item(endpoint, item) == Flattened(None, None, {}, rejected, [])


def chapter(key, position, **others):
    """Make the row of a chapter of the course `x`."""
    values = {"id": key, "course_id": "x", "position": position, **others}
    return key, row(COURSES.child.table, **values)


def topic(name, **others):
    """Make the row of a topic of the project `x`."""
    return name, row(PROJECTS.child.table, project_id="x", name=name, **others)


def content(position, **others):
    """Make the row of a content item of the track `x`."""
    return position, row(TRACKS.child.table, track_id="x", position=position, **others)


def no(table, shown, reason):
    """Make a rejected child."""
    return Rejected(table, shown, reason)


@pytest.mark.parametrize(
    ("endpoint", "value", "children", "rejected"),
    [
        pytest.param(COURSES, None, [], [], id="null is no chapter"),
        pytest.param(COURSES, [], [], [], id="an empty list is no chapter"),
        pytest.param(COURSES, {"id": "a"}, [chapter("a", 1)], [], id="an object is one chapter"),
        pytest.param(
            COURSES,
            "Vectors",
            [],
            [no("course_chapter", "x", "it is text")],
            id="text is one rejected chapter",
        ),
        pytest.param(
            COURSES,
            False,
            [],
            [no("course_chapter", "x", "it is a boolean")],
            id="false is one rejected chapter",
        ),
        pytest.param(
            COURSES,
            [{"id": "a"}, None, "b", 7, [{"id": "c"}], {"id": "d"}],
            [chapter("a", 1), chapter("d", 6)],
            [
                no("course_chapter", "x", "it is null"),
                no("course_chapter", "x", "it is text"),
                no("course_chapter", "x", "it is a number"),
                no("course_chapter", "x", "it is a list"),
            ],
            id="odd chapters are rejected one by one, and count in positions",
        ),
        pytest.param(
            COURSES,
            [{"id": "b", "position": "7"}, {"id": "a", "position": None}, {"id": 3, "title": 4}],
            [chapter("b", 7), chapter("a", 2), chapter("3", 3, title="4")],
            [],
            id="a chapter's position stays if it has one",
        ),
        pytest.param(
            COURSES,
            [{"id": "a", "course_id": "other", "url": "u"}],
            [chapter("a", 1, url="u")],
            [],
            id="the foreign key wins over a field of its name",
        ),
        pytest.param(
            COURSES,
            [{"id": "a", "title": "first"}, {"id": "a\0", "title": "second"}, {"id": "A"}],
            [chapter("a", 1, title="first"), chapter("A", 3)],
            [no("course_chapter", r"x, id 'a\x00'", "an earlier one has the same id")],
            id="of chapters with one id the first wins, and case tells them apart",
        ),
        pytest.param(
            COURSES,
            [{"id": 1, "title": "first"}, {"id": "1"}, {"title": "none"}, {"id": True}],
            [chapter("1", 1, title="first")],
            [
                no("course_chapter", "x, id '1'", "an earlier one has the same id"),
                no("course_chapter", "x, id ?", "it has no id"),
                no("course_chapter", "x, id True", "its id is a boolean"),
            ],
            id="a number and its text are one id",
        ),
        pytest.param(
            COURSES,
            [{"id": "a", "topic": {"name": "SQL"}, "zeta": [1], "alpha": {"b": 1}}],
            [chapter("a", 1, alpha={"b": 1}, topic_name="SQL", zeta=[1])],
            [],
            id="rules hold and unknown fields are kept in children too",
        ),
        pytest.param(PROJECTS, "SQL", [topic("SQL")], [], id="a text is one topic"),
        pytest.param(PROJECTS, {"name": "SQL"}, [topic("SQL")], [], id="an object is one topic"),
        pytest.param(
            PROJECTS,
            ["SQL", {"name": "R", "level": 2}, {"name": 3}, "sql"],
            [topic("SQL"), topic("R", level=2), topic("3"), topic("sql")],
            [],
            id="texts and objects are topics",
        ),
        pytest.param(
            PROJECTS,
            ["SQL", {"name": "SQL", "level": 2}, "", {}, {"name": []}, None],
            [topic("SQL")],
            [
                no("project_topic", "x, name 'SQL'", "an earlier one has the same name"),
                no("project_topic", "x, name ''", "its name is ''"),
                no("project_topic", "x, name ?", "it has no name"),
                no("project_topic", "x, name []", "its name is a list"),
                no("project_topic", "x", "it is null"),
            ],
            id="topics without a name of their own",
        ),
        pytest.param(
            TRACKS,
            [{"position": 0, "id": "a"}, {"position": "1", "id": "b"}, {"position": 7.0}],
            [content(0, id="a"), content(1, id="b"), content(7)],
            [],
            id="a list in which all have a position",
        ),
        pytest.param(
            TRACKS,
            [{"position": 5, "id": "a"}, {"id": "b"}, {"position": "no"}],
            [content(1, id="a"), content(2, id="b"), content(3)],
            [],
            id="one lacks its position, so all are numbered by place",
        ),
        pytest.param(
            TRACKS,
            [{"position": None, "id": 7, "type": "course", "title": "T"}, "odd", {"position": 1}],
            [content(1, id="7", type="course", title="T"), content(2)],
            [no("track_content", "x", "it is text")],
            id="a null position is none, and an odd one takes no place",
        ),
        pytest.param(
            TRACKS,
            [
                {"position": 1, "id": "a"},
                {"position": "no"},
                {"position": 1.5},
                {"position": True},
                {"position": 2**63},
                {"position": 1.0, "id": "b"},
            ],
            [content(1, id="a"), *(content(n) for n in (2, 3, 4, 5)), content(6, id="b")],
            [],
            id="positions that are no whole numbers or repeat are numbered by place",
        ),
    ],
)
def test_a_list_becomes_child_rows(endpoint, value, children, rejected):
    """Each child has all columns of its table and is found by its key; the rejected say why."""
    flat = flatten_item(endpoint, {"id": "x", endpoint.child.field: value})
    assert rows_of(flat) == (row(endpoint.table, id="x"), children)
    assert (flat.rejected, flat.bad_values) == (rejected, [])


def test_bad_values_of_children_are_counted_by_their_table():
    """A child is written without what does not fit, and a rejected child has no bad values."""
    children = [{"id": "a", "position": "first", "title": math.nan}, {"position": "no"}]
    flat = flatten_item(COURSES, {"id": "x", "live": 7, "chapters": children})
    assert rows_of(flat)[1] == [chapter("a", None)]
    assert flat.bad_values == [
        ("course", "live"),
        ("course_chapter", "position"),
        ("course_chapter", "title"),
    ]


def test_a_child_field_of_another_endpoint_is_a_column():
    """Chapters of a track are no known list, so they are kept as they are."""
    assert own(TRACKS, chapters=[{"id": "a"}]) == (
        row(TRACKS.table, id="x", chapters=[{"id": "a"}]),
        [],
    )


def test_nothing_is_too_deep():
    """Lists in lists that no encoder would take are cut, in rows and in children."""
    deep = []
    for _ in range(50_000):
        deep = [deep]
    flat = flatten_item(COURSES, {"id": "x", "deep": deep, "chapters": [{"id": "a", "url": deep}]})
    assert (flat.key, list(flat.children)) == ("x", ["a"])
    assert flat.bad_values == [("course", "deep"), ("course_chapter", "url")]


KNOWN = "id title live topic topic_name imageUrl imageUrl_jpg updatedAt instructors position name"
NESTED = "jpg fullName chapters topics content course_id timeNeededInHours"
NAMES = st.sampled_from(
    [*KNOWN.split(), *NESTED.split(), "Title", "x", "x\0", "X", "_fivetran_id", "", "名", "\ud800"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "a", "\0", "\ud800", "7", "2026-08-20"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)
ITEMS = st.dictionaries(NAMES, JSON, max_size=10) | JSON
ENDPOINT = st.sampled_from(ENDPOINTS)


def turned(value):
    """Give the same JSON with the members of each object in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(inner) for key, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


@settings(derandomize=True, max_examples=500, deadline=None)
@given(ENDPOINT, ITEMS)
def test_any_item_becomes_rows_that_can_be_written(endpoint, item):
    """Whatever an item holds, its rows have complete keys, all columns, and exact types."""
    before = repr(item)
    flat = flatten_item(endpoint, item)
    assert repr(item) == before
    assert (flat.key is None) == (flat.row is None)
    rows = [] if flat.row is None else [(endpoint.table, flat.row)]
    if endpoint.child is not None:
        rows += [(endpoint.child.table, child) for child in flat.children.values()]
    for table, written in rows:
        names = list(written)
        declared = len(table.types)
        assert names[:declared] == list(table.types)
        assert len({column_name(name) for name in names}) == len(names)
        assert all(written[name] is not None for name in table.primary_key)
        assert "" not in [written[name] for name in table.primary_key]
        for name, kind in table.types.items():
            assert type(written[name]) in (PYTHON_TYPES[kind], type(None))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(ENDPOINT, ITEMS)
def test_the_order_of_members_is_no_part_of_an_item(endpoint, item):
    """The same JSON with its members in another order gives the same rows."""
    first, second = flatten_item(endpoint, item), flatten_item(endpoint, turned(item))
    assert rows_of(second) == rows_of(first)
    assert len(second.rejected) == len(first.rejected)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_the_input_is_never_changed(endpoint):
    """Flattening leaves the item as it was, down to its children."""
    item = {
        **copy.deepcopy(COURSE),
        "topics": ["SQL", {"name": "R"}],
        "content": [{"id": "a"}, {"position": 3}, "odd"],
    }
    before = copy.deepcopy(item)
    flatten_item(endpoint, item)
    assert item == before


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"updated_at": "2026-01-01"}, {"updatedAt": datetime(2026, 1, 1, tzinfo=timezone.utc)}),
        ({"Title": "x"}, {"title": "x"}),
        ({"image_url": {"jpg": "x"}}, {"imageUrl_jpg": "x"}),
        ({"image_url_jpg": "x"}, {"imageUrl_jpg": "x"}),
        ({"imageUrl": {"JPG": "x"}}, {"imageUrl_jpg": "x"}),
        ({"included_in_licenses": ["a", "b"]}, {"includedInLicenses": "a, b"}),
        ({"topicName": "x"}, {"topic_name": "x"}),
    ],
    ids=repr,
)
def test_another_spelling_of_an_expected_field_fills_its_column(fields, expected):
    """A field whose column is an expected one is taken for it where that one is absent."""
    row, bad = own(COURSES, **fields)
    assert {name: value for name, value in row if value is not None} == {"id": "x", **expected}
    assert bad == []


def test_another_spelling_of_the_child_list_gives_child_rows():
    """`Chapters` are the chapters, and their fields may be spelled otherwise too."""
    flat = flatten_item(COURSES, {"id": "x", "Chapters": [{"id": "c", "Title": "T"}]})
    assert [(row["id"], row["course_id"], row["title"]) for row in flat.children.values()] == [
        ("c", "x", "T")
    ]
    assert flat.bad_values == []


@pytest.mark.parametrize("item", [{"ID": "x"}, {"Id": "x"}, {"_id": "x"}])
def test_no_field_is_renamed_into_a_key(item):
    """Whether it is the key cannot be known, and a wrong key would replace rows."""
    assert flatten_item(COURSES, item).key is None
    child = flatten_item(COURSES, {"id": "x", "chapters": [item]})
    assert child.children == {}


def test_undeclared_columns_are_bounded_over_a_response():
    """The first 500 of a table are kept and stay; what is beyond is counted without its names."""
    columns = {}
    first = flatten_item(COURSES, {"id": "1"} | {f"a{n:03}x": n for n in range(400)}, columns)
    second = flatten_item(COURSES, {"id": "2"} | {f"b{n:03}x": n for n in range(400)}, columns)
    third = flatten_item(COURSES, {"id": "3", "a000x": 1, "c": 2}, columns)
    assert first.bad_values == []
    assert second.bad_values == [("course", "(undeclared columns beyond 500)")] * 300
    assert third.row["a000x"] == 1
    assert third.bad_values == [("course", "(undeclared columns beyond 500)")]
    assert len(columns["course"]) == 500
