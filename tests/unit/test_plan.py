"""The plan for a catalog: its operations, their order, the two snapshots and the counts."""

from __future__ import annotations

from collections import Counter

from changes import Delete, Outcome, Truncate, Upsert, make_plan
from changes.snapshot import UNKNOWN_DIGEST, SnapshotEntry, fingerprint
from endpoints import ENDPOINTS
from flatten import Flattened, Flattener, Rejected
from tests.support.cases import cases

PRACTICES, PROJECTS, COURSES = (ENDPOINTS[place] for place in (1, 2, 5))
COLUMNS = {table.name: list(table.types) for endpoint in ENDPOINTS for table in endpoint.tables}


def replay(endpoint, items, before=None, shortfall=None):
    """Return all operations of one catalog, and the plan."""
    flattener = Flattener(endpoint)
    plan = make_plan(endpoint, before, map(flattener.flatten_item, items), shortfall)
    operations = list(plan.operations(items, flattener))
    assert plan.has_operations == bool(operations)
    return operations, plan


def snapshot_after(endpoint, items):
    """Return the snapshot of an initial sync."""
    return replay(endpoint, items)[1].snapshot


def upsert(table, **values):
    """Return the upsert of a row; columns without a value are NULL."""
    return Upsert(table, {**dict.fromkeys(COLUMNS[table]), **values})


def chapter(course_id, key, position, **others):
    """Return the upsert of a chapter."""
    return upsert("course_chapter", id=key, course_id=course_id, position=position, **others)


def no_chapter(course_id, key):
    """Return the delete of a chapter."""
    return Delete("course_chapter", {"course_id": course_id, "id": key})


def course(key, *chapter_keys, **others):
    """Return a course with these chapters."""
    return {"id": key, "chapters": [{"id": chapter_key} for chapter_key in chapter_keys], **others}


def entry(item, *child_keys, **counts):
    """Return the entry of a course in a snapshot."""
    digest = fingerprint(Flattener(COURSES).flatten_item(item))
    return SnapshotEntry(digest, child_keys, **counts)


def unknown(*child_keys, **counts):
    """Return the entry of an item that may be in any state."""
    return SnapshotEntry(UNKNOWN_DIGEST, child_keys, **counts)


def test_without_a_snapshot_the_tables_are_truncated_and_everything_is_upserted():
    catalog = [course("b", "b1", "b2", title="B"), course("a")]
    operations, plan = replay(COURSES, catalog)
    assert operations == [
        Truncate("course"),
        Truncate("course_chapter"),
        upsert("course", id="b", title="B"),
        chapter("b", "b1", 1),
        chapter("b", "b2", 2),
        upsert("course", id="a"),
    ]
    assert plan.snapshot == {"b": entry(catalog[0], "b1", "b2"), "a": entry(catalog[1])}
    assert plan.outcome == Outcome(items=2, new=2, upserted_rows=4)


def test_an_unchanged_catalog_needs_no_operation_in_whatever_order_it_comes():
    first = [course("a", title="A", live=True), {"id": "b", "topics": ["x", "y"]}]
    again = [{"topics": ["y", "x"], "id": "b"}, {"live": True, **first[0]}]
    before = snapshot_after(PROJECTS, first)
    operations, plan = replay(PROJECTS, again, before)
    assert (operations, plan.snapshot, plan.in_flight) == ([], before, before)
    assert plan.outcome == Outcome(items=2, unchanged=2)
    assert replay(PROJECTS, [], {})[1].outcome == Outcome()


def test_changes_are_upserted_then_lost_children_then_missing_items_are_deleted():
    catalog = [course("a", "a1", "a2"), course("b", "b1", "b2"), course("c"), course("d", "d1")]
    before = snapshot_after(COURSES, [*catalog, course("e", "e1", "e2")])
    catalog[0]["chapters"][1]["title"] = "New"
    now = [*catalog[:1], course("b", "b2", "b3"), course("c"), course("f", "f1")]
    operations, plan = replay(COURSES, now, before)
    assert operations == [
        upsert("course", id="a"),
        chapter("a", "a1", 1),
        chapter("a", "a2", 2, title="New"),
        upsert("course", id="b"),
        chapter("b", "b2", 1),
        chapter("b", "b3", 2),
        upsert("course", id="f"),
        chapter("f", "f1", 1),
        no_chapter("b", "b1"),
        no_chapter("d", "d1"),
        Delete("course", {"id": "d"}),
        no_chapter("e", "e1"),
        no_chapter("e", "e2"),
        Delete("course", {"id": "e"}),
    ]
    assert plan.snapshot == {
        "a": entry(now[0], "a1", "a2"),
        "b": entry(now[1], "b2", "b3"),
        "c": before["c"],
        "f": entry(now[3], "f1"),
    }
    assert plan.outcome == Outcome(
        items=4, new=1, changed=2, unchanged=1, deleted=2, upserted_rows=8, deleted_rows=6
    )


def test_before_the_first_operation_only_touched_items_are_unknown_with_both_versions_children():
    known = [course("a", "a1"), course("b", "b1", "b2"), course("d", "d1"), course("late")]
    before = snapshot_after(COURSES, known)
    before["a"] = before["a"]._replace(missing_syncs=1, lost_children_syncs=2)
    before["b"] = before["b"]._replace(missing_syncs=2, lost_children_syncs=1)
    before["d"] = before["d"]._replace(missing_syncs=2)
    now = [known[0], course("b", "b2", "b3"), course("f", "f1"), {"id": None}]
    _, plan = replay(COURSES, now, before)
    assert plan.in_flight == {
        "a": before["a"]._replace(missing_syncs=0),
        "b": unknown("b1", "b2", "b3", lost_children_syncs=1),
        "d": unknown("d1", missing_syncs=2),
        "f": unknown("f1"),
        "late": before["late"],
    }
    assert plan.snapshot == {
        "a": entry(now[0], "a1"),
        "b": entry(now[1], "b2", "b3"),
        "f": entry(now[2], "f1"),
        "late": before["late"]._replace(missing_syncs=1),
    }


def test_after_a_kill_unknown_items_are_written_again_or_deleted_with_all_their_children():
    known = [course("a", "a1", "a2"), course("b", "b1"), course("c", "c1")]
    killed = {
        **snapshot_after(COURSES, known),
        "a": unknown("a1", "a2", "a3"),
        "b": unknown("b1", "b2"),
    }
    operations, plan = replay(COURSES, [known[0], known[2]], killed)
    assert operations == [
        upsert("course", id="a"),
        chapter("a", "a1", 1),
        chapter("a", "a2", 2),
        no_chapter("a", "a3"),
        no_chapter("b", "b1"),
        no_chapter("b", "b2"),
        Delete("course", {"id": "b"}),
    ]
    assert plan.snapshot == snapshot_after(COURSES, [known[0], known[2]])


def test_of_items_with_the_same_id_the_first_is_written():
    catalog = [
        course("a", "a1", title="first"),
        course("a\0", "a2", title="second", live="perhaps"),
        course("a", "", title="third"),
    ]
    operations, plan = replay(COURSES, catalog, {})
    assert operations == [upsert("course", id="a", title="first"), chapter("a", "a1", 1)]
    duplicate = Rejected("course", "a", "an earlier one has the same id")
    assert plan.outcome == Outcome(
        items=3, new=1, upserted_rows=2, rejected=2, first_rejected=[duplicate, duplicate]
    )


def test_a_digest_describes_the_written_rows_when_columns_exceed_their_limit():
    """The second pass uses the columns that the first one found, so it leaves out the same."""
    wide = [
        {"id": str(number), **{f"{number}_{column}": 1 for column in range(300)}}
        for number in range(3)
    ]
    operations, plan = replay(PRACTICES, wide, snapshot_after(PRACTICES, wide[:1]))
    assert {o.row["id"]: fingerprint(Flattened(o.row["id"], o.row)) for o in operations} == {
        key: plan.snapshot[key].digest for key in ("1", "2")
    }
    assert plan.outcome.bad_values == Counter(
        {("practice", "(undeclared columns beyond 500)"): 400}
    )


def test_problems_are_counted_even_if_nothing_changed():
    catalog = [course(str(number), "", "c", live="perhaps") for number in range(7)]
    operations, plan = replay(COURSES, catalog, snapshot_after(COURSES, catalog))
    assert operations == []
    assert plan.outcome == Outcome(
        items=7,
        unchanged=7,
        rejected=7,
        first_rejected=[
            Rejected("course_chapter", f"{number}, id ''", "its id is ''") for number in range(5)
        ],
        bad_values=Counter({("course", "live"): 7}),
    )


# Missing items


def practices(*numbers):
    """Return a catalog of practices."""
    return [{"id": f"{number:04}"} for number in numbers]


def snapshot_of(size):
    """Return a snapshot of `size` practices."""
    return snapshot_after(PRACTICES, practices(*range(size)))


def deletes(*numbers):
    """Return the deletes of practices."""
    return [Delete("practice", key) for key in practices(*numbers)]


@cases(
    "known_items, missing, shortfall, suspicion",
    {
        "three of four": (4, 3, None, None),
        "four, which are all": (4, 4, None, "the catalog is empty"),
        "five, over a fifth": (24, 5, None, "5 of 24 known items are missing"),
        "five, exactly a fifth": (25, 5, None, None),
        "four, over a fifth": (18, 4, None, None),
        "more than a thousand": (1200, 1100, None, "1,100 of 1,200 known items are missing"),
        "one, and a total that is too high": (3, 1, "total is 3", "total is 3"),
    },
)
def test_missing_items_make_a_catalog_suspicious(known_items, missing, shortfall, suspicion):
    """Deletes are deferred if five and over a fifth are missing, or all, or a total is higher."""
    before = snapshot_of(known_items)
    catalog = practices(*range(missing, known_items))
    operations, plan = replay(PRACTICES, catalog, before, shortfall)
    outcome = plan.outcome
    assert operations == ([] if suspicion else deletes(*range(missing)))
    assert (outcome.deleted, outcome.deferred_deletes) == (
        (0, missing) if suspicion else (missing, 0)
    )
    assert outcome.suspicion == suspicion
    assert plan.snapshot == {
        key: known._replace(missing_syncs=int(int(key) < missing))
        for key, known in before.items()
        if suspicion or int(key) >= missing
    }


@cases("item", {"an unusable id": [{"id": ""}], "no object": ["b"]})
def test_an_item_without_a_key_makes_a_catalog_suspicious(item):
    """It could be any of the missing items, so none is deleted; items present are updated."""
    before = snapshot_after(COURSES, [course("a", "a1", "a2"), course("b", "b1")])
    operations, plan = replay(COURSES, [item, course("a", "a2"), course("c")], before)
    assert operations == [
        upsert("course", id="a"),
        chapter("a", "a2", 1),
        upsert("course", id="c"),
        no_chapter("a", "a1"),
    ]
    assert plan.snapshot["b"] == before["b"]._replace(missing_syncs=1)
    assert plan.outcome == Outcome(
        suspicion="an item has no readable id",
        items=3,
        new=1,
        changed=1,
        deferred_deletes=1,
        keyless=1,
        upserted_rows=3,
        deleted_rows=1,
        rejected=1,
        first_rejected=plan.outcome.first_rejected,
    )


def test_neither_a_duplicate_nor_a_rejected_child_defers_the_delete_of_an_item():
    before = snapshot_after(COURSES, [course("a"), course("b")])
    operations, plan = replay(COURSES, [course("a", "", "a1", "a1"), course("a")], before)
    assert operations[-1:] == [Delete("course", {"id": "b"})]
    assert plan.outcome.rejected == 3


KEYLESS = [{"id": None}]


@cases(
    "known_items, catalogs, deleted, missing_syncs",
    {
        "the third in a row is deleted": (
            12,
            [[], [], practices(99)],
            [[], [], range(12)],
            {99: 0},
        ),
        "each item has its own count, which ends when it returns": (
            3,
            [KEYLESS, KEYLESS, [*KEYLESS, *practices(1)], KEYLESS, KEYLESS, KEYLESS],
            [[], [], [0, 2], [], [], [1]],
            {},
        ),
        "deferred items are still known and missing": (
            20,
            [practices(*range(9))] * 2,
            [[], []],
            {number: 0 if number < 9 else 2 for number in range(20)},
        ),
        "what is still missing when most items are back is deleted": (
            20,
            [[], practices(*range(16))],
            [[], range(16, 20)],
            dict.fromkeys(range(16), 0),
        ),
    },
)
def test_a_missing_item_is_deleted_in_the_third_suspicious_sync_or_the_next_sound_one(
    known_items, catalogs, deleted, missing_syncs
):
    snapshot = snapshot_of(known_items)
    for catalog, expected in zip(catalogs, deleted, strict=True):
        operations, plan = replay(PRACTICES, catalog, snapshot)
        assert [o for o in operations if isinstance(o, Delete)] == deletes(*expected)
        snapshot = plan.snapshot
    assert {int(key): known.missing_syncs for key, known in snapshot.items()} == missing_syncs


# Missing children


def courses(count, *chapter_keys, **others):
    """Return courses with the same chapters."""
    return [course(str(number), *chapter_keys, **others) for number in range(count)]


LOSING_ALL = "36 of 36 known rows of course_chapter are missing"
LOSING_FIVE = "5 of 20 known rows of course_chapter are missing"


@cases(
    "known, now, suspicion",
    {
        "one course of nine loses all": (
            courses(9, *"abcd"),
            [*courses(8, *"abcd"), course("8")],
            None,
        ),
        "every course loses all": (courses(9, *"abcd"), courses(9), LOSING_ALL),
        "every chapter has another key": (courses(9, *"abcd"), courses(9, *"efgh"), LOSING_ALL),
        "four of sixteen": (courses(4, *"abcd"), courses(4, *"abc"), None),
        "five of twenty": (courses(5, *"abcd"), courses(5, *"abc"), LOSING_FIVE),
        "five of twenty-five": (courses(5, *"abcde"), courses(5, *"abcd"), None),
        "those of a missing course do not count": (
            [*courses(5, *"abcd"), course("gone", *"abcdefgh")],
            [*courses(4, *"abcd"), course("4", *"abcd")],
            None,
        ),
    },
)
def test_items_that_lost_children_are_deferred_beyond_the_threshold(known, now, suspicion):
    before = snapshot_after(COURSES, known)
    operations, plan = replay(COURSES, now, before)
    assert plan.outcome.child_suspicion == suspicion
    if suspicion:
        assert (operations, plan.in_flight) == ([], before)
        assert plan.snapshot == {
            key: entry._replace(lost_children_syncs=1) for key, entry in before.items()
        }
        assert plan.outcome == Outcome(
            child_suspicion=suspicion, items=len(now), deferred_changes=len(now)
        )
    else:
        assert plan.snapshot == snapshot_after(COURSES, now)


def test_beyond_the_threshold_items_that_lost_no_children_are_written():
    before = snapshot_after(COURSES, courses(6, *"abcd"))
    now = [*courses(5, title="New"), course("5", *"abcde"), course("6")]
    operations, plan = replay(COURSES, now, before)
    assert {operation[1]["id"] for operation in operations if operation[0] == "course"} == {
        "5",
        "6",
    }
    assert (plan.outcome.changed, plan.outcome.new, plan.outcome.deferred_changes) == (1, 1, 5)


def test_a_rejected_child_defers_its_item_if_children_are_missing():
    """It could be any of those; an item that lost none is written, and so is one without any."""
    known = [course("a", "a1", "a2"), course("b", "b1"), course("c", "c1", "c2")]
    before = snapshot_after(COURSES, known)
    renamed = [{"id": "a1"}, {"chapterId": "a2"}]
    now = [{"id": "a", "chapters": renamed}, course("b", "b1", "", title="New"), course("c", "c1")]
    operations, plan = replay(COURSES, now, before)
    assert operations == [
        upsert("course", id="b", title="New"),
        chapter("b", "b1", 1),
        upsert("course", id="c"),
        chapter("c", "c1", 1),
        no_chapter("c", "c2"),
    ]
    assert plan.snapshot["a"] == before["a"]._replace(lost_children_syncs=1)
    assert plan.outcome.child_suspicion == "a rejected row could be one of the missing ones"


WHOLE, LOST = courses(5, *"abcd"), courses(5)
MISSING = [{"id": None}]
UNREADABLE = [{"id": str(number), "chapters": "/chapters"} for number in range(5)]


@cases(
    "catalogs, counts",
    {
        "the third in a row is followed": ([LOST, LOST, LOST], [1, 2, 0]),
        "whatever else changes": ([LOST, courses(5, "a"), courses(5, title="New")], [1, 2, 0]),
        "all children back reset it": ([LOST, LOST, WHOLE, LOST], [1, 2, 0, 1]),
        "all back in a changed item too": (
            [LOST, courses(5, *"abcd", title="New"), LOST],
            [1, 0, 1],
        ),
        "being missing neither counts nor resets it": ([LOST, MISSING, LOST], [1, 1, 2]),
        "an unreadable list neither counts nor resets it": (
            [LOST, UNREADABLE, UNREADABLE, LOST],
            [1, 1, 1, 2],
        ),
        "a small loss is followed at once": ([LOST, [*WHOLE[1:], course("0")]], [1, 0]),
    },
)
def test_an_item_is_followed_once_children_are_missing_in_the_third_suspicious_sync(
    catalogs, counts
):
    snapshot = snapshot_after(COURSES, WHOLE)
    for catalog, expected in zip(catalogs, counts, strict=True):
        plan = replay(COURSES, catalog, snapshot)[1]
        snapshot = plan.snapshot
        assert snapshot["0"].lost_children_syncs == expected
    if expected == 0 and plan.outcome.changed:
        assert snapshot["0"] == snapshot_after(COURSES, catalog)["0"]


def test_missing_items_and_lost_children_are_counted_apart():
    snapshot = snapshot_after(COURSES, WHOLE)
    for catalog in (MISSING, LOST, MISSING, LOST):
        operations, plan = replay(COURSES, catalog, snapshot)
        assert operations == []
        snapshot = plan.snapshot
    assert snapshot["0"][2:] == (0, 2)


# Lists that cannot be read


def test_children_of_an_unreadable_list_are_neither_written_nor_deleted():
    """The item's own row is written, once; a list that can be read is compared with the table."""
    before = snapshot_after(COURSES, [course("a", "a1", "a2")])
    link = {"id": "a", "title": "New", "chapters": {"href": "/chapters"}}
    operations, plan = replay(COURSES, [link], before)
    assert operations == [upsert("course", id="a", title="New")]
    assert plan.snapshot["a"].child_keys == ("a1", "a2")
    assert plan.outcome == Outcome(items=1, changed=1, unreadable_lists=1, upserted_rows=1)
    again, unchanged = replay(COURSES, [link], plan.snapshot)
    assert (again, unchanged.snapshot) == ([], plan.snapshot)
    assert unchanged.outcome == Outcome(items=1, unchanged=1, unreadable_lists=1)
    readable, _ = replay(COURSES, [course("a", "a2", title="New")], plan.snapshot)
    assert readable == [
        upsert("course", id="a", title="New"),
        chapter("a", "a2", 1),
        no_chapter("a", "a1"),
    ]


def test_an_item_with_an_unreadable_list_is_deleted_with_the_children_it_had():
    snapshot = replay(COURSES, UNREADABLE, snapshot_after(COURSES, WHOLE))[1].snapshot
    operations, _ = replay(COURSES, UNREADABLE[1:], snapshot)
    assert operations == [
        *(no_chapter("0", key) for key in "abcd"),
        Delete("course", {"id": "0"}),
    ]
