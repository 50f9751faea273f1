"""Plan what brings an endpoint's tables to its catalog: catalog minus snapshot. Pure.

A catalog is planned before it is written. The plan says which snapshot to save before the first
operation, which operations to emit, and which snapshot to save after the last one. At every moment
the saved snapshot says what the destination may hold, so a sync may be killed anywhere: it costs
what was being written, and nothing that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from changes.operations import Delete, Operation, Outcome, Truncate, Upsert
from changes.snapshot import UNKNOWN_DIGEST, Snapshot, SnapshotEntry, fingerprint
from endpoints import Endpoint
from flatten import Flattened, Flattener, Key, Rejected

# A suspicious change is followed once it is seen in this many syncs in a row. One wrong response
# must not retire courses that are assigned to learners; but a catalog that stays smaller has to be
# believed at some time, or the table would never follow it.
SYNCS_BEFORE_ACCEPTANCE = 3
# The safety threshold, for items and for children: at least this many of the known ones are
# missing, and they are more than this share of them.
MASS_DELETE_MINIMUM = 5
MASS_DELETE_SHARE = Fraction(1, 5)

_COULD_BE_LOST = "a rejected row could be one of the missing ones"
_NOTHING = SnapshotEntry(b"", ())  # stands for the last version of a new item


@dataclass
class Plan:
    """The operations for one catalog, and what the tables may hold before and after them.

    `truncates` is true if there was no snapshot. `upserted` has the places in the response of the
    items to upsert. `in_flight` is the snapshot to save before the first operation, `snapshot` the
    one to save after the last.
    """

    endpoint: Endpoint
    truncates: bool
    outcome: Outcome
    in_flight: Snapshot
    snapshot: Snapshot = field(default_factory=dict)
    upserted: list[int] = field(default_factory=list)
    deletes: list[Delete] = field(default_factory=list)

    @property
    def has_operations(self) -> bool:
        """Whether anything is written or deleted."""
        return bool(self.truncates or self.upserted or self.deletes)

    def operations(self, items: Sequence[object], flattener: Flattener) -> Iterator[Operation]:
        """Yield the operations in the order to emit them in.

        `items` and `flattener` are those that the plan was made of. Deletes come last, so that an
        interrupted sync leaves too much rather than too little: first the children that left a
        changed item, then the items that are no longer in the catalog, each after its children.
        """
        if self.truncates:
            yield from (Truncate(table.name) for table in self.endpoint.tables)
        for place in self.upserted:
            flat = flattener.flatten_item(items[place])
            if flat.row is not None:
                yield Upsert(self.endpoint.table.name, flat.row)
            if self.endpoint.child is not None:
                table = self.endpoint.child.table.name
                yield from (Upsert(table, row) for row in flat.children.values())
        yield from self.deletes


class _Changed(NamedTuple):
    """A new or changed item: its place in the response, its entry and the children it lost."""

    place: int
    entry: SnapshotEntry
    lost: tuple[Key, ...]
    row_count: int
    has_rejected_child: bool


def make_plan(
    endpoint: Endpoint,
    before: Snapshot | None,
    flattened: Iterable[Flattened],
    shortfall: str | None = None,
) -> Plan:
    """Return the plan for the items of a catalog.

    `before` is the snapshot of the last sync, None if what the tables hold is not known: the
    catalog is then the truth, whatever it lacks. `shortfall` describes a total in the response
    that is above the number of its items.

    Every touched item has an unknown digest in `in_flight`, and the children of both versions.
    After a kill, the next sync therefore writes it again, or deletes all that may be there of it.
    """
    known = before or {}
    plan = Plan(endpoint, before is None, Outcome(shortfall=shortfall), in_flight=dict(known))
    changed, known_children = _compare(plan, known, flattened)
    _follow_changes(plan, known, changed, known_children)
    _follow_missing(plan, known)
    plan.outcome.deleted_rows = len(plan.deletes)
    return plan


def _compare(
    plan: Plan, known: Snapshot, flattened: Iterable[Flattened]
) -> tuple[dict[str, _Changed], int]:
    """Put unchanged items into the snapshot; return the others, and how many children are known.

    Only children of items that are still there count, and only where their list can be read.
    """
    outcome, snapshot = plan.outcome, plan.snapshot
    changed: dict[str, _Changed] = {}
    known_children = 0
    for place, flat in enumerate(flattened):
        outcome.items += 1
        if flat.key is not None and (flat.key in snapshot or flat.key in changed):
            reason = "an earlier one has the same id"
            outcome.reject(Rejected(plan.endpoint.table.name, flat.key, reason))
            continue
        for rejected in flat.rejected:
            outcome.reject(rejected)
        outcome.bad_values.update(flat.bad_values)
        outcome.unreadable_lists += flat.children_unreadable
        if flat.key is None:
            outcome.keyless += 1
            continue
        last, digest = known.get(flat.key), fingerprint(flat)
        if last is not None and not flat.children_unreadable:
            known_children += len(last.child_keys)
        if last is not None and last.digest == digest:
            outcome.unchanged += 1
            snapshot[flat.key] = last  # nearly all items end here
            if last.missing_syncs or last.lost_children_syncs:
                plan.in_flight[flat.key] = last._replace(missing_syncs=0)
                lost_syncs = last.lost_children_syncs if flat.children_unreadable else 0
                snapshot[flat.key] = SnapshotEntry(digest, last.child_keys, 0, lost_syncs)
        else:
            changed[flat.key] = _changed(place, flat, digest, last or _NOTHING)
    return changed, known_children


def _changed(place: int, flat: Flattened, digest: bytes, last: SnapshotEntry) -> _Changed:
    if flat.children_unreadable:
        # What the children are is unknown, so those that the table holds are kept.
        entry = SnapshotEntry(digest, last.child_keys, 0, last.lost_children_syncs)
        return _Changed(place, entry, (), 1, has_rejected_child=False)
    entry = SnapshotEntry(digest, tuple(sorted(flat.children)))
    lost = tuple(key for key in last.child_keys if key not in flat.children)
    return _Changed(place, entry, lost, 1 + len(flat.children), flat.children_rejected)


def _follow_changes(
    plan: Plan, known: Snapshot, changed: dict[str, _Changed], known_children: int
) -> None:
    """Upsert new and changed items, unless so many children are missing that this is suspicious.

    An item that lost children then stays as it is, until it comes so for the third sync in a row.
    So does one with a rejected child, as that could be any of those it lost.
    """
    outcome, child = plan.outcome, plan.endpoint.child
    lost_children = sum(len(item.lost) for item in changed.values())
    suspicion = None
    if child is not None and _is_mass(lost_children, known_children):
        suspicion = (
            f"{lost_children:,} of {known_children:,} known rows of {child.table.name} are missing"
        )
    for key, item in changed.items():
        last = known.get(key, _NOTHING)
        lost_syncs = last.lost_children_syncs + 1
        doubt = suspicion or (_COULD_BE_LOST if item.has_rejected_child else None)
        if item.lost and doubt and lost_syncs < SYNCS_BEFORE_ACCEPTANCE:
            plan.in_flight[key] = last._replace(missing_syncs=0)
            plan.snapshot[key] = SnapshotEntry(last.digest, last.child_keys, 0, lost_syncs)
            outcome.deferred_changes += 1
            outcome.child_suspicion = doubt
            continue
        child_keys = tuple(dict.fromkeys((*last.child_keys, *item.entry.child_keys)))
        plan.in_flight[key] = SnapshotEntry(
            UNKNOWN_DIGEST, child_keys, 0, last.lost_children_syncs
        )
        plan.snapshot[key] = item.entry
        plan.upserted.append(item.place)
        plan.deletes += _child_deletes(plan.endpoint, key, item.lost)
        outcome.upserted_rows += item.row_count
        outcome.new += key not in known
        outcome.changed += key in known


def _follow_missing(plan: Plan, known: Snapshot) -> None:
    """Delete the known items that are not in the catalog, or defer that if it is suspicious."""
    endpoint, outcome = plan.endpoint, plan.outcome
    missing = [key for key in known if key not in plan.snapshot]
    suspicion = _suspicion(outcome, len(missing), len(known))
    for key in missing:
        last = known[key]
        missing_syncs = last.missing_syncs + 1
        if suspicion and missing_syncs < SYNCS_BEFORE_ACCEPTANCE:
            plan.snapshot[key] = last._replace(missing_syncs=missing_syncs)
            outcome.deferred_deletes += 1
            outcome.suspicion = suspicion
            continue
        plan.in_flight[key] = last._replace(digest=UNKNOWN_DIGEST)
        plan.deletes += _child_deletes(endpoint, key, last.child_keys)
        plan.deletes.append(Delete(endpoint.table.name, {endpoint.table.primary_key[0]: key}))
        outcome.deleted += 1


def _suspicion(outcome: Outcome, missing: int, known: int) -> str | None:
    """Return why the catalog may be incomplete, so that deletes are deferred; else None.

    A deleted course disappears from every report that joins it, while one that is deleted two
    syncs late harms nobody.
    """
    if outcome.shortfall:
        return outcome.shortfall
    if outcome.keyless:  # it could be any of the missing ones
        return "an item has no readable id"
    if not outcome.items and known:
        return "the catalog is empty"
    if _is_mass(missing, known):
        return f"{missing:,} of {known:,} known items are missing"
    return None


def _is_mass(missing: int, known: int) -> bool:
    return missing >= MASS_DELETE_MINIMUM and missing > known * MASS_DELETE_SHARE


def _child_deletes(endpoint: Endpoint, key: str, child_keys: Iterable[Key]) -> list[Delete]:
    child = endpoint.child
    if child is None:
        return []
    return [
        Delete(child.table.name, {child.foreign_key: key, child.key: child_key})
        for child_key in child_keys
    ]
