"""The plan for a catalog: its operations, their order, and the counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from changes import MISSING_SYNCS_BEFORE_DELETE, Delete, Outcome, Plan, Truncate, Upsert
from changes.snapshot import fingerprint
from endpoints import ENDPOINTS
from flatten import Rejected, flatten_item

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
PRACTICES, PROJECTS = BY_NAME["practices"], BY_NAME["projects"]
TRACKS, COURSES = BY_NAME["tracks"], BY_NAME["courses"]
TYPES = {table.name: table.types for endpoint in ENDPOINTS for table in endpoint.tables}


def replay(endpoint, items, before=None, shortfall=None):
    """Return all operations of one catalog, and the outcome."""
    plan = Plan(endpoint, before, shortfall)
    return list(plan.operations(flatten_item(endpoint, item) for item in items)), plan.outcome


def snapshot_after(endpoint, items):
    """Return the snapshot of an initial sync."""
    return replay(endpoint, items)[1].snapshot


def upsert(table, **values):
    """Return the upsert of a row; columns without a value are NULL."""
    return Upsert(table, {**dict.fromkeys(TYPES[table]), **values})


def chapter(course_id, key, position, **others):
    """Return the upsert of a chapter."""
    return upsert("course_chapter", id=key, course_id=course_id, position=position, **others)


def no_chapter(course_id, key):
    """Return the delete of a chapter."""
    return Delete("course_chapter", {"course_id": course_id, "id": key})


def course(key, *chapter_keys, **others):
    """Return a course with these chapters."""
    return {"id": key, "chapters": [{"id": chapter_key} for chapter_key in chapter_keys], **others}


def counts(outcome):
    """Return an outcome without its snapshot."""
    return replace(outcome, snapshot={})


# A catalog without a snapshot


def test_a_first_sync_truncates_and_writes_all():
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
        item["id"]: fingerprint(flatten_item(COURSES, item)) for item in catalog
    }
    assert counts(outcome) == Outcome(items=2, new=2, upserted_rows=4)


def test_operations_come_one_at_a_time():
    """The first operations are yielded before the second item is read."""
    seen = []

    def items():
        for number in range(3):
            seen.append(number)
            yield flatten_item(PRACTICES, {"id": str(number)})

    operations = Plan(PRACTICES, None).operations(items())
    next(operations)
    next(operations)
    assert seen == [0]


# A catalog with a snapshot


def test_an_unchanged_catalog_needs_no_operation():
    """Nothing is emitted, even if items, topics or members of objects come in another order."""
    first = [course("a", title="A", live=True), {"id": "b", "topics": ["x", "y"]}]
    again = [{"topics": ["y", "x"], "id": "b"}, {"live": True, **first[0]}]
    before = snapshot_after(PROJECTS, first)
    operations, outcome = replay(PROJECTS, again, before)
    assert (operations, outcome.snapshot) == ([], before)
    assert counts(outcome) == Outcome(items=2, unchanged=2)


def test_an_empty_catalog_that_stays_empty_needs_no_operation():
    """An empty snapshot is a snapshot: nothing is truncated."""
    assert replay(COURSES, [], {}) == ([], Outcome())


def test_a_changed_item_is_written_whole():
    """All rows of a changed item are upserted, whichever of them changed."""
    before = snapshot_after(COURSES, [course("a", "a1", "a2"), course("b")])
    changed = course("a", "a1", "a2")
    changed["chapters"][1]["title"] = "New"
    operations, outcome = replay(COURSES, [changed, course("b")], before)
    assert operations == [
        upsert("course", id="a"),
        chapter("a", "a1", 1),
        chapter("a", "a2", 2, title="New"),
    ]
    assert counts(outcome) == Outcome(items=2, changed=1, unchanged=1, upserted_rows=3)


def test_removed_children_are_deleted_after_all_upserts():
    """All upserts come first, then the deletes of children that left a changed item."""
    before = snapshot_after(COURSES, [course("a", "a1", "a2", "a3"), course("b", "b1")])
    operations, outcome = replay(
        COURSES, [course("a", "a3"), course("b", "b1", title="B")], before
    )
    assert operations == [
        upsert("course", id="a"),
        chapter("a", "a3", 1),
        upsert("course", id="b", title="B"),
        chapter("b", "b1", 1),
        no_chapter("a", "a1"),
        no_chapter("a", "a2"),
    ]
    assert counts(outcome) == Outcome(items=2, changed=2, upserted_rows=4, deleted_rows=2)


def test_missing_items_are_deleted_after_their_children():
    """The removed children of other items are deleted first."""
    before = snapshot_after(
        COURSES, [course("a", "a1"), course("b", "b1", "b2"), course("c", "c1")]
    )
    operations, outcome = replay(COURSES, [course("c")], before)
    assert operations == [
        upsert("course", id="c"),
        no_chapter("c", "c1"),
        no_chapter("a", "a1"),
        Delete("course", {"id": "a"}),
        no_chapter("b", "b1"),
        no_chapter("b", "b2"),
        Delete("course", {"id": "b"}),
    ]
    assert set(outcome.snapshot) == {"c"}
    assert counts(outcome) == Outcome(
        items=1, changed=1, deleted=2, upserted_rows=1, deleted_rows=6
    )


@pytest.mark.parametrize("before", [None, {}], ids=["first sync", "later sync"])
def test_of_items_with_one_id_the_first_is_written(before):
    """A later one is rejected; neither its rows nor its own problems count."""
    catalog = [
        course("a", "a1", title="first"),
        course("a\0", "a2", title="second", live="perhaps"),
        course("a", "", title="third"),
    ]
    operations, outcome = replay(COURSES, catalog, before)
    assert [operation for operation in operations if isinstance(operation, Upsert)] == [
        upsert("course", id="a", title="first"),
        chapter("a", "a1", 1),
    ]
    duplicate = Rejected("course", "a", "an earlier one has the same id")
    assert counts(outcome) == Outcome(
        items=3, new=1, upserted_rows=2, rejected=2, first_rejected=[duplicate, duplicate]
    )


def test_problems_are_counted_even_if_nothing_changed():
    """Bad values and rejected rows are counted in every sync, and the first five are kept."""
    catalog = [course(str(number), "", "c", live="perhaps") for number in range(7)]
    before = snapshot_after(COURSES, catalog)
    operations, outcome = replay(COURSES, catalog, before)
    assert operations == []
    assert counts(outcome) == Outcome(
        items=7,
        unchanged=7,
        rejected=7,
        first_rejected=[
            Rejected("course_chapter", f"{number}, id ''", "its id is ''") for number in range(5)
        ],
        bad_values=Counter({("course", "live"): 7}),
    )


# Suspicious catalogs


def practices(*numbers):
    """Return a catalog of practices."""
    return [{"id": f"{number:03}"} for number in numbers]


def snapshot_of(size):
    """Return a snapshot of `size` practices."""
    return snapshot_after(PRACTICES, practices(*range(size)))


def deletes(*numbers):
    """Return the deletes of practices."""
    return [Delete("practice", {"id": f"{number:03}"}) for number in numbers]


@pytest.mark.parametrize(
    ("known_items", "missing", "believed"),
    [
        pytest.param(4, 3, True, id="three of four"),
        pytest.param(4, 4, False, id="four, which are all"),
        pytest.param(24, 5, False, id="five of twenty-four, over a fifth"),
        pytest.param(25, 5, True, id="five of twenty-five, exactly a fifth"),
        pytest.param(18, 4, True, id="four of eighteen, one less than five"),
    ],
)
def test_five_missing_and_over_a_fifth_make_a_catalog_suspicious(known_items, missing, believed):
    """Missing items are deleted at once unless they are all, or five and over a fifth."""
    before = snapshot_of(known_items)
    catalog = practices(*range(missing, known_items))
    operations, outcome = replay(PRACTICES, catalog, before)
    assert operations == (deletes(*range(missing)) if believed else [])
    assert (outcome.deleted, outcome.deferred) == ((missing, 0) if believed else (0, missing))
    assert outcome.snapshot == {
        key: entry._replace(missing_syncs=int(int(key) < missing))
        for key, entry in before.items()
        if not believed or int(key) >= missing
    }


@pytest.mark.parametrize(
    "item",
    [{}, {"id": None}, {"id": True}, {"id": ""}, None, "001", [{"id": "001"}]],
    ids=["no id", "null", "boolean", "empty", "no item", "text", "list"],
)
def test_an_item_without_a_key_makes_a_catalog_suspicious(item):
    """It could be any of the missing items, so none is deleted."""
    operations, outcome = replay(PRACTICES, [*practices(0), item], snapshot_of(2))
    assert operations == []
    assert {key: entry.missing_syncs for key, entry in outcome.snapshot.items()} == {
        "000": 0,
        "001": 1,
    }
    assert (outcome.keyless, outcome.rejected, outcome.deferred) == (1, 1, 1)


@pytest.mark.parametrize(
    "item",
    [{"id": "000"}, course("000", "", None), course("000", "a", "a")],
    ids=["duplicate", "rejected children", "duplicate children"],
)
def test_other_problems_do_not_defer_deletes(item):
    """Duplicates and rejected children do not make a catalog suspicious."""
    before = snapshot_after(COURSES, [course("000"), course("001")])
    operations, _ = replay(COURSES, [item, course("000")], before)
    assert operations[-1:] == [Delete("course", {"id": "001"})]


def replay_all(before, catalogs):
    """Replay one catalog after another; return the operations of each and the last snapshot."""
    deleted = []
    for catalog in catalogs:
        operations, outcome = replay(PRACTICES, catalog, before)
        deleted.append(operations)
        before = outcome.snapshot
    return deleted, before


def test_an_item_missing_for_the_third_time_in_a_row_is_deleted():
    """Two suspicious syncs defer the delete, the third emits it; upserts never wait."""
    assert MISSING_SYNCS_BEFORE_DELETE == 3
    catalogs = [[], [], [{"id": "new"}], practices(99)]
    deleted, snapshot = replay_all(snapshot_of(12), catalogs)
    assert deleted == [
        [],
        [],
        [upsert("practice", id="new"), *deletes(*range(12))],
        [upsert("practice", id="099"), Delete("practice", {"id": "new"})],
    ]
    assert set(snapshot) == {"099"}


def test_coming_back_resets_the_count():
    """Only consecutive syncs count, separately for each item."""
    nameless = {"id": None}
    catalogs = [
        [nameless],
        [nameless],
        [nameless, *practices(1)],
        [nameless],
        [nameless],
        [nameless],
    ]
    deleted, snapshot = replay_all(snapshot_of(3), catalogs)
    assert deleted == [[], [], deletes(0, 2), [], [], deletes(1)]
    assert snapshot == {}


def test_items_deferred_count_as_known_and_missing():
    """Items whose delete is deferred stay known, so they count in the next sync's threshold."""
    before = snapshot_of(20)
    deleted, snapshot = replay_all(before, [practices(*range(9)), practices(*range(9))])
    assert deleted == [[], []]
    assert {key: entry.missing_syncs for key, entry in snapshot.items()} == {
        f"{number:03}": 0 if number < 9 else 2 for number in range(20)
    }


def test_a_catalog_beyond_suspicion_deletes_what_was_deferred():
    """Once most items are back, those that are still missing are deleted."""
    deleted, snapshot = replay_all(snapshot_of(20), [[], practices(*range(16))])
    assert deleted == [[], deletes(*range(16, 20))]
    assert set(snapshot) == {f"{number:03}" for number in range(16)}


def test_a_total_above_the_number_of_items_defers_deletes():
    """A response that reports more items than it has deletes nothing, even if few are missing."""
    shortfall = "meta.total is 3, but the response has 2 items"
    operations, outcome = replay(PRACTICES, practices(0, 1), snapshot_of(3), shortfall)
    assert operations == []
    assert (outcome.deferred, outcome.suspicion) == (1, shortfall)
    assert outcome.snapshot["002"].missing_syncs == 1


@pytest.mark.parametrize(
    ("catalog", "known_items", "suspicion"),
    [
        ([], 1, "the catalog is empty"),
        ([None, *practices(0)], 2, "an item has no readable id"),
        (practices(*range(5)), 1000, "995 of 1,000 known items are missing"),
    ],
)
def test_the_reason_for_a_deferred_delete_is_recorded(catalog, known_items, suspicion):
    """The outcome names what makes the catalog suspicious, with the numbers."""
    _, outcome = replay(PRACTICES, catalog, snapshot_of(known_items))
    assert outcome.suspicion == suspicion


def test_a_suspicious_catalog_still_upserts_and_deletes_children():
    """Only deletes of missing items are deferred; items that are present are updated."""
    before = snapshot_after(COURSES, [course("a", "a1", "a2"), course("b", "b1")])
    operations, outcome = replay(COURSES, [{"id": None}, course("a", "a2"), course("c")], before)
    assert operations == [
        upsert("course", id="a"),
        chapter("a", "a2", 1),
        upsert("course", id="c"),
        no_chapter("a", "a1"),
    ]
    assert outcome.snapshot["b"] == before["b"]._replace(missing_syncs=1)
