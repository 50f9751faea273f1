"""The plan for a catalog: its operations, their order, and the counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from changes import Delete, Outcome, Plan, Truncate, Upsert
from changes.snapshot import SnapshotEntry, fingerprint
from endpoints import ENDPOINTS
from flatten import Flattener, Rejected
from tests.support.cases import cases

PRACTICES, PROJECTS, COURSES = (ENDPOINTS[place] for place in (1, 2, 5))
COLUMNS = {table.name: list(table.types) for endpoint in ENDPOINTS for table in endpoint.tables}


def replay(endpoint, items, before=None, shortfall=None):
    """Return all operations of one catalog, and the outcome."""
    plan = Plan(endpoint, before, shortfall)
    return list(
        plan.operations(Flattener(endpoint).flatten_item(item) for item in items)
    ), plan.outcome


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


def test_an_initial_sync_truncates_and_upserts_everything():
    """Without a snapshot the tables are truncated, then all items and children upserted."""
    catalog = [course("b", "b1", "b2", title="B"), course("a")]
    operations, outcome = replay(COURSES, catalog)
    assert operations == [
        Truncate("course"),
        Truncate("course_chapter"),
        upsert("course", id="b", title="B"),
        chapter("b", "b1", 1),
        chapter("b", "b2", 2),
        upsert("course", id="a"),
    ]
    assert outcome.snapshot == {
        "b": SnapshotEntry(fingerprint(Flattener(COURSES).flatten_item(catalog[0])), ("b1", "b2")),
        "a": SnapshotEntry(fingerprint(Flattener(COURSES).flatten_item(catalog[1])), ()),
    }
    assert replace(outcome, snapshot={}) == Outcome(items=2, new=2, upserted_rows=4)


def test_operations_are_yielded_before_the_next_item_is_read():
    """A catalog is never held as rows."""
    items = iter([Flattener(PRACTICES).flatten_item({"id": str(number)}) for number in range(3)])
    operations = Plan(PRACTICES, {}).operations(items)
    assert next(operations) == upsert("practice", id="0")
    assert len(list(items)) == 2


def test_an_unchanged_catalog_needs_no_operation():
    """Nothing is emitted, even if items, topics or members come in another order, or none does."""
    first = [course("a", title="A", live=True), {"id": "b", "topics": ["x", "y"]}]
    again = [{"topics": ["y", "x"], "id": "b"}, {"live": True, **first[0]}]
    before = snapshot_after(PROJECTS, first)
    operations, outcome = replay(PROJECTS, again, before)
    assert (operations, outcome.snapshot) == ([], before)
    assert replace(outcome, snapshot={}) == Outcome(items=2, unchanged=2)
    assert replay(PROJECTS, [], {}) == ([], Outcome())


def test_changes_are_upserted_before_anything_is_deleted():
    """A changed item is written whole; children that left it go first, then missing items.

    A missing item is deleted after its children.
    """
    catalog = [course("a", "a1", "a2"), course("b", "b1", "b2"), course("c"), course("d", "d1")]
    before = snapshot_after(COURSES, [*catalog, course("e", "e1", "e2")])
    catalog[0]["chapters"][1]["title"] = "New"
    operations, outcome = replay(
        COURSES, [*catalog[:1], course("b", "b2"), course("c"), course("f")], before
    )
    assert operations == [
        upsert("course", id="a"),
        chapter("a", "a1", 1),
        chapter("a", "a2", 2, title="New"),
        upsert("course", id="b"),
        chapter("b", "b2", 1),
        upsert("course", id="f"),
        no_chapter("b", "b1"),
        no_chapter("d", "d1"),
        Delete("course", {"id": "d"}),
        no_chapter("e", "e1"),
        no_chapter("e", "e2"),
        Delete("course", {"id": "e"}),
    ]
    assert set(outcome.snapshot) == {"a", "b", "c", "f"}
    assert replace(outcome, snapshot={}) == Outcome(
        items=4, new=1, changed=2, unchanged=1, deleted=2, upserted_rows=6, deleted_rows=6
    )


def test_the_first_of_items_with_the_same_id_is_written():
    """A later one is rejected; neither its rows nor its own problems count."""
    catalog = [
        course("a", "a1", title="first"),
        course("a\0", "a2", title="second", live="perhaps"),
        course("a", "", title="third"),
    ]
    operations, outcome = replay(COURSES, catalog, {})
    assert operations == [upsert("course", id="a", title="first"), chapter("a", "a1", 1)]
    duplicate = Rejected("course", "a", "an earlier one has the same id")
    assert replace(outcome, snapshot={}) == Outcome(
        items=3, new=1, upserted_rows=2, rejected=2, first_rejected=[duplicate, duplicate]
    )


def test_problems_are_counted_even_if_nothing_changed():
    """Bad values and rejected rows are counted in every sync, and the first five are kept."""
    catalog = [course(str(number), "", "c", live="perhaps") for number in range(7)]
    operations, outcome = replay(COURSES, catalog, snapshot_after(COURSES, catalog))
    assert operations == []
    assert replace(outcome, snapshot={}) == Outcome(
        items=7,
        unchanged=7,
        rejected=7,
        first_rejected=[
            Rejected("course_chapter", f"{number}, id ''", "its id is ''") for number in range(5)
        ],
        bad_values=Counter({("course", "live"): 7}),
    )


# Suspicious catalogs, for which deletes are deferred


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
    operations, outcome = replay(PRACTICES, catalog, before, shortfall)
    assert operations == ([] if suspicion else deletes(*range(missing)))
    assert (outcome.deleted, outcome.deferred) == ((0, missing) if suspicion else (missing, 0))
    assert outcome.suspicion == suspicion
    assert outcome.snapshot == {
        key: entry._replace(missing_syncs=int(int(key) < missing))
        for key, entry in before.items()
        if suspicion or int(key) >= missing
    }


@cases("item", {"an unusable id": [{"id": ""}], "no object": ["b"]})
def test_an_item_without_a_key_makes_a_catalog_suspicious(item):
    """It could be any of the missing items, so none is deleted; items present are updated."""
    before = snapshot_after(COURSES, [course("a", "a1", "a2"), course("b", "b1")])
    operations, outcome = replay(COURSES, [item, course("a", "a2"), course("c")], before)
    assert operations == [
        upsert("course", id="a"),
        chapter("a", "a2", 1),
        upsert("course", id="c"),
        no_chapter("a", "a1"),
    ]
    assert outcome.snapshot["b"] == before["b"]._replace(missing_syncs=1)
    assert (outcome.keyless, outcome.rejected, outcome.deferred) == (1, 1, 1)
    assert outcome.suspicion == "an item has no readable id"


def test_other_problems_do_not_defer_deletes():
    """Neither a duplicate nor a rejected child can be the missing item."""
    before = snapshot_after(COURSES, [course("a"), course("b")])
    operations, outcome = replay(COURSES, [course("a", "", "a1", "a1"), course("a")], before)
    assert operations[-1:] == [Delete("course", {"id": "b"})]
    assert outcome.rejected == 3


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
def test_a_deferred_delete_waits_for_two_syncs(known_items, catalogs, deleted, missing_syncs):
    """A missing item is deleted in the third suspicious sync in a row, or the next sound one."""
    snapshot = snapshot_of(known_items)
    for catalog, expected in zip(catalogs, deleted, strict=True):
        operations, outcome = replay(PRACTICES, catalog, snapshot)
        assert [o for o in operations if isinstance(o, Delete)] == deletes(*expected)
        snapshot = outcome.snapshot
    assert {int(key): entry.missing_syncs for key, entry in snapshot.items()} == missing_syncs
