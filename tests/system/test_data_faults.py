"""The SDK and DuckDB store whatever a catalog contains: no value makes a sync fail.

Every sync runs the real SDK and writes to a warehouse. Each catalog is synced twice: the first
time every item with a valid key is written, the second time nothing is.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import sys

from devkit.sdk import query, sync
from endpoints import ENDPOINTS
from tests.conftest import CONFIGURATION
from tests.support.recording import updating
from tests.support.warehouse import expected_rows, written_rows

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def run(folder, catalogs):
    """Sync these catalogs only; return the sync and how many rows it wrote."""
    skipped = ",".join(name for name in BY_NAME if name not in catalogs)
    configuration = {**CONFIGURATION, "skip_endpoints": skipped}
    synced = sync(configuration, folder, update=updating(catalogs))
    counts = re.findall(r"(Upserts|Deletes|Truncates) +\| +(\d+)", synced.log)
    return synced, {kind: int(number) for kind, number in counts}


def assert_stored(folder, catalogs):
    """Sync twice; check that the expected rows are written, and nothing the second time."""
    synced, _ = run(folder, catalogs)
    assert synced.error is None
    expected = expected_rows(catalogs)
    assert written_rows(folder, expected) == expected
    again, counts = run(folder, catalogs)
    assert (again.error, counts) == (None, {"Upserts": 0, "Deletes": 0, "Truncates": 0})
    return synced


DEEP = json.loads("[" * 150 + "]" * 150)
ANY_VALUE = [
    *(None, True, False, 0, -7, 0.1, 2**64, 10**400, sys.float_info.max, 5e-324),
    *(math.nan, math.inf, "", "text", "7", "true", "\0", "\ud800", "\"'\r\n\\,;\t|"),
    *("2026-08-20", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    *("9" * 4301, [], [None, True, 1, math.nan, "\0", [], {}, DEEP], DEEP),
    *({}, {"": math.inf, "name": ["x"], "jpg": {"a": "\ud800"}, "\0": 2**64}),
]
FULL = {
    **dict.fromkeys(("title", "description", "technology"), "text"),
    **dict.fromkeys(("url", "infoUrl", "publicInfoUrl"), "https://learn"),
    "imageUrl": {"jpg": "j", "png": "p", "svg": "s"},
    "timeNeededInHours": 1.5,
    "updatedAt": "2026-08-20T18:00:19.100Z",
    "live": True,
    "topic": {"name": "Programming", "description": "About it"},
    "topics": [{"name": "Programming"}, "Statistics"],
    "instructors": [{"fullName": "Ada"}],
    "includedInLicenses": ["Premium"],
    "chapters": [{"id": "chapter-1", "title": "One"}],
    "content": [{"position": 1, "id": "course-1", "type": "course", "title": "One"}],
}
CHILD_FIELDS = ("id", "name", "position", "type", "title", "description", "url", "course_id")


def odd_items(endpoint):
    """Yield items with an odd value in a field, in nested fields, or in their children."""
    for kind, value in enumerate(ANY_VALUE):
        yield {**FULL, "id": value}
        for field in FULL:
            yield {**FULL, "id": f"{field}, {kind}", field: value}
        nested = {"topic": {"name": value}, "imageUrl": {"jpg": value}}
        people = [{"fullName": value}] * 2
        yield {**FULL, "id": f"nested, {kind}", **nested, "instructors": people}
        if endpoint.child is not None:
            children = [
                {"id": inner, "name": inner, "position": place, inner: value}
                for place, inner in enumerate(CHILD_FIELDS)
            ]
            field = endpoint.child.field
            yield {**FULL, "id": f"child, {kind}", field: [value, *children, [value]]}


def test_any_field_may_contain_any_value(tmp_path):
    """Each field of an item and of its children takes each odd value, on every endpoint."""
    assert_stored(tmp_path, {endpoint.name: list(odd_items(endpoint)) for endpoint in ENDPOINTS})


ODD_ITEMS = [None, True, 7, 1.5, math.nan, "text", "", [], [{"id": "x"}], {}, DEEP]
ODD_IDS = [*("a", "A", "a\0", "á", "a\u0301", " ", "a ", "a\n", "\r", '"', "'", "1", "1.0", "\\N")]
ODD_IDS += [*(1, 1.0, 2**64, 10**400, -0.0, 1e300, "true", True, None, "NULL", "null", "\ud800")]
ODD_IDS += ["\ufffd", "\ufeff", "\x01", "x" * 100_000, "x" * 100_000 + "y", "\U0001f600" * 9000]


def test_any_id_is_a_row_or_rejected(tmp_path):
    """Each odd id of an item or child is the key of a row, a duplicate or invalid."""
    children = [{"id": key, "name": key, "title": "T"} for key in ODD_IDS]
    placed = [{"position": place} for place in [*ODD_IDS, 0, -1, 2**63 - 1, 1e18, "1e3"]]
    items = [{"id": key, "title": repr(place)} for place, key in enumerate(ODD_IDS)]
    lists = {"chapters": children, "topics": [*children, "text"], "content": placed}
    items += [{**item, "title": "a duplicate"} for item in items]
    catalog = [*ODD_ITEMS, *items, {"id": "parent", **lists}]
    assert_stored(tmp_path, dict.fromkeys(BY_NAME, catalog))


# Values of undeclared columns, from which the SDK infers a type.
THAI_1 = "\N{THAI DIGIT ONE}"
UNDECLARED = [
    *("t", "F", "True", "fALSE", "yes", "null", "NULL", "\\N", "None", ".", "-", "+", "e", "E5"),
    *("0", "-0", "00", "-007", "+7", "1_000", "0x1f", "9" * 18, "9" * 19, "9" * 4300, "9" * 4301),
    *("-" + "0" * 5000, "1.", ".5", "-.5", "+.5e3", "1.5E-400", "1.0e308", "1.0e309", "1e5"),
    *("NaN", "nan", "-NaN", "Infinity", "-Infinity", "inf", "1" * 400 + ".5", "0." + "0" * 400),
    *("0000-01-01", "0000-02-30", "0001-01-01", "9999-12-31", "1900-02-29", "2024-02-29", "1-1-1"),
    *("0000-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999999-23:59", "2026-08-20T24:00"),
    *("2026-08-20T18:00", "2026-08-20t18:00Z", "2026-08-20T18:00+05:30", "2026-08-20T18:00-99:99"),
    *("2026-08-20 18:00", "2026-08-20 18:00Z", "2026-08-20 18:00:19+00:00", "2026-08-20T18:00:60"),
    *("2026-08-20T18:00:19.1", "2026-08-20T18:00:19.1234567890Z", "2026-08-20T18:00:19+0530"),
    *(THAI_1, f"-{THAI_1}.{THAI_1}", f"{THAI_1}e{THAI_1}", f"202{THAI_1}-08-20", f"{THAI_1} kg"),
    *("\N{SUPERSCRIPT TWO}", "\N{ROMAN NUMERAL FOUR}", "\N{VULGAR FRACTION ONE HALF}", "1,5"),
    *("", " ", "\0", "\ufeff", "\r", "\n", "\r\n", '"', '""', "'", ",", ";", "\t", "|", "\\", "#"),
    *('a","b', "a\rb", 'a"\n"b', "\u2028", "\x1c", "\x85", "\x7f", "\ud800", "[]", "{}", "[1"),
    *(True, False, 0, -1, 2**31, 2**63 - 1, -(2**63), 2**63, 10**400, 0.1, -0.0, 1e-30, 1e-50),
    *(1e38, 3.4028234663852886e38, 3.5e38, 1e308, 5e-324, -1e-45, math.nan, math.inf, -math.inf),
    *([], {}, [None], [[[]]], [math.nan], {"a": {"b": 2**64}}, {"": "\0"}, [1e308], DEEP),
]


# Text that the SDK cannot write with the type that it infers, and what is stored.
REWRITTEN = {
    "number": (f"-{THAI_1}", "-1"),
    "fraction": (f"{THAI_1}.5", "1.5"),
    "day": (f"202{THAI_1}-08-20", "2021-08-20"),
    "minute": ("2026-08-20T18:00Z", "2026-08-20 18:00:00+00"),
    "elsewhere": ("2026-08-20t18:00+05:30", "2026-08-20 12:30:00+00"),
    "tiny": (1e-50, "0.0"),
}


def test_any_undeclared_value_is_stored(tmp_path):
    """A value in a column of its own is written, whatever type the SDK infers."""
    values = {f"c{place}x": value for place, value in enumerate(UNDECLARED)}
    values |= {name: value for name, (value, _) in REWRITTEN.items()}
    assert_stored(tmp_path, {"practices": [{"id": "a", **values}, {"id": "b"}]})
    texts = ", ".join(f"CAST({name} AS VARCHAR)" for name in REWRITTEN)
    stored = tuple(text for _, text in REWRITTEN.values())
    assert query(tmp_path, f"SELECT {texts} FROM practice WHERE id = 'a'") == [stored]


KINDS = [
    *(None, True, "t", 5, "-007", 0.1, 1e-50, 3e38, "1.5e300", "NaN", "Infinity", "text"),
    *("0000-01-01", "2026-08-20T18:00", "2026-08-20T18:00:19.123456789", "2026-08-20T18:00Z"),
    *("9999-12-31T23:59:59-99:99", {"a": [1]}, [math.nan], "\N{THAI DIGIT ONE}"),
]


def test_an_undeclared_column_may_change_its_type(tmp_path):
    """A column takes values of any two types in one sync and in successive ones, then a third."""
    pairs = {f"c{place}x": pair for place, pair in enumerate(itertools.product(KINDS, KINDS))}
    old, new = ({name: pair[place] for name, pair in pairs.items()} for place in (0, 1))
    third = {name: KINDS[place % len(KINDS)] for place, name in enumerate(pairs, start=7)}
    assert run(tmp_path, {"practices": [{"id": "a", **old}]})[0].error is None
    for last in (old, third):
        both = [{"id": "a", **new}, {"id": "b", **last}]
        assert_stored(tmp_path, {"practices": both, "assessments": both})


ODD_NAMES = [
    *("", " ", "_", "__", "\0", "\n", '"', "'", ";", "--", "-", "1a", "a\0b", "\ud800", "é"),
    "日本",
    *("_fivetran_id", "_fivetran_deleted", "_fivetran_synced", "_Fivetran_Synced", "_fivetranX"),
    *("_fivetran_file_path", "fivetran_id", "fivetranSynced", "Id", "ID", "id ", "iD\0", "_id"),
    *("Title", "TITLE", "title\0", "image_url_jpg", "ImageURL_jpg", "imageUrl_JPG", "imageUrl."),
    *("topic-name", "topicName", "Topic", "topic_", "updated_at", "updated-at", "UPDATEDAT"),
    *("rowid", "select", "excluded", "position", "course_id", "x" * 10_000, "x" * 10_000 + "y"),
]


def test_any_field_name_is_a_column_or_left_out(tmp_path):
    """Names that are empty, collide once renamed or are Fivetran's own cause no error.

    Items may have different fields that Fivetran renames to the same column.
    """
    items = [{"id": "a", "fooBar": 1}, {"id": "b", "foo_bar": "x"}, {"id": "c", "Foo Bar": None}]
    catalogs = {"practices": items}
    for name, value in {"courses": "text", "tracks": None, "projects": {"a": 1}}.items():
        odd = dict.fromkeys(ODD_NAMES, value)
        children = [{"id": "c", "name": "n", "position": 1, **odd}]
        alone = [{"id": f"b{place}", field: value} for place, field in enumerate(ODD_NAMES)]
        item = {"id": "a", "title": "T", BY_NAME[name].child.field: children, **odd}
        catalogs[name] = [item, *alone]
    assert_stored(tmp_path, catalogs)
    assert query(tmp_path, "SELECT count(*) FROM course WHERE _fivetran_deleted") == [(0,)]
    rows = query(tmp_path, "SELECT id, foo_bar FROM practice ORDER BY id")
    assert rows == [("a", "1"), ("b", "x"), ("c", None)]


def test_megabytes_of_text_are_stored(tmp_path):
    """Text of more than 2 MB is written to columns of both kinds, keys, names and JSON."""
    huge = "9" * 2_500_000
    child = {"id": huge, "url": huge, "position": huge, "x": [huge]}
    item = {"id": huge, "title": huge, "timeNeededInHours": huge, "live": huge, "x": huge + "x"}
    item |= {"y": huge, "z": {huge: huge}, "updatedAt": huge, "chapters": [child], huge: 1}
    assert_stored(tmp_path, {"courses": [item, {"id": "b"}]})


def test_any_name_can_be_part_of_a_warning(tmp_path):
    """Warnings may contain markup; no id or field name in one makes the sync fail."""
    names = ["<![x]>", "</p><p>", "<a href='x'>", "\n", "&#0;", "x" * 1_000]
    catalogs = {
        endpoint: [{"id": name, name: math.nan}] * 2
        for endpoint, name in zip(BY_NAME, names, strict=True)
    }
    synced = assert_stored(tmp_path, catalogs)
    warned = re.findall(r"WARNING .* (\w+): 1 row rejected; the first is of", synced.log)
    assert set(warned) == set(BY_NAME)


def test_null_or_absent_and_whole_or_float_are_one_value(tmp_path):
    """A serialiser that changes between them causes no write, and the rows stay joined."""
    first = {"id": 7, "level": None, "chapters": [{"id": 3, "level": None}]}
    second = {"id": 7.0, "chapters": [{"id": 3.0}]}
    tracks = [{"id": 1, "content": [{"id": 7.0, "position": 1.0}]}]
    assert run(tmp_path, {"courses": [first], "tracks": tracks})[0].error is None
    again, counts = run(tmp_path, {"courses": [second], "tracks": tracks})
    assert (again.error, counts) == (None, {"Upserts": 0, "Deletes": 0, "Truncates": 0})
    joined = "SELECT course.id FROM course JOIN track_content USING (id)"
    assert query(tmp_path, joined) == [("7",)]
