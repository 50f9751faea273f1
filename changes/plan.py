"""Catalog minus snapshot: the operations that bring the destination to a catalog.

Pure: operations come out as values, in an order that depends on catalog and snapshot alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from changes.snapshot import Snapshot, known
from flatten import Flattened, Key, Rejected, Row

if TYPE_CHECKING:
    from endpoints import Endpoint

# Of a suspicious catalog an item is deleted once it is missing for this many syncs in a row. One
# wrong response must not retire what customers assign to learners; a lasting one must be believed
# in the end, or the table would never follow.
MISSING_SYNCS_BEFORE_DELETE = 3
# A catalog is suspicious when this many known items are missing, and more than a fifth of them.
MASS_DELETE_MINIMUM = 5
MASS_DELETE_FRACTION = 5
REJECTIONS_KEPT = 5


class Truncate(NamedTuple):
    """Mark every row of a table as deleted."""

    table: str


class Upsert(NamedTuple):
    """Write a whole row."""

    table: str
    row: Row


class Delete(NamedTuple):
    """Mark the row with this primary key as deleted."""

    table: str
    key: Row


Operation = Truncate | Upsert | Delete


@dataclass
class Outcome:
    """What a replay found and did: counts of items, of rows and of what was wrong.

    `snapshot` is complete once the plan has been run to its end. `first_rejected` holds the first
    few of `rejected`. `shortfall` is set beforehand if a total in the response is greater than
    the number of its items; `suspicion` says why deletes wait, if any does.
    """

    snapshot: Snapshot = field(default_factory=dict)
    shortfall: str | None = None
    suspicion: str | None = None
    items: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    deferred: int = 0
    keyless: int = 0
    upserted_rows: int = 0
    deleted_rows: int = 0
    rejected: int = 0
    first_rejected: list[Rejected] = field(default_factory=list)
    bad_values: Counter[tuple[str, str]] = field(default_factory=Counter)

    def reject(self, rejected: Rejected) -> None:
        """Count a row that cannot be written."""
        self.rejected += 1
        if len(self.first_rejected) < REJECTIONS_KEPT:
            self.first_rejected.append(rejected)


def plan(
    endpoint: Endpoint, items: Iterable[Flattened], before: Snapshot | None, outcome: Outcome
) -> Iterator[Operation]:
    """Yield the operations for one catalog and fill `outcome`.

    Without a snapshot the catalog is the truth: its tables are truncated, then all is written.
    With one, only new and changed items are; after them go the children that left a changed
    item, then the items that are gone.
    """
    if before is None:
        yield from (Truncate(table.name) for table in endpoint.tables)
    departed: list[tuple[str, Key]] = []
    for flat in items:
        yield from _plan_item(endpoint, flat, before or {}, departed, outcome)
    for operation in _plan_deletes(endpoint, before or {}, departed, outcome):
        outcome.deleted_rows += 1
        yield operation


def _plan_item(
    endpoint: Endpoint,
    flat: Flattened,
    before: Snapshot,
    departed: list[tuple[str, Key]],
    outcome: Outcome,
) -> Iterator[Operation]:
    outcome.items += 1
    if flat.key is not None and flat.key in outcome.snapshot:
        duplicate = Rejected(endpoint.table.name, flat.key, "an earlier one has the same id")
        outcome.reject(duplicate)
        return
    for rejected in flat.rejected:
        outcome.reject(rejected)
    outcome.bad_values.update(flat.bad_values)
    if flat.key is None or flat.row is None:
        outcome.keyless += 1
        return
    now, last = known(flat), before.get(flat.key)
    outcome.snapshot[flat.key] = now
    if last is None:
        outcome.new += 1
    elif last.digest == now.digest:
        outcome.unchanged += 1
        return
    else:
        outcome.changed += 1
        departed.extend((flat.key, child) for child in last.children if child not in flat.children)
    outcome.upserted_rows += 1 + len(flat.children)
    yield Upsert(endpoint.table.name, flat.row)
    if endpoint.child is not None:
        yield from (Upsert(endpoint.child.table.name, row) for row in flat.children.values())


def _plan_deletes(
    endpoint: Endpoint, before: Snapshot, departed: list[tuple[str, Key]], outcome: Outcome
) -> Iterator[Delete]:
    for key, child_key in departed:
        yield from _delete_children(endpoint, key, [child_key])
    missing = [key for key in before if key not in outcome.snapshot]
    suspicion = _suspicion(outcome, len(missing), len(before))
    for key in missing:
        last = before[key]
        missing_syncs = last.missing_syncs + 1
        if suspicion and missing_syncs < MISSING_SYNCS_BEFORE_DELETE:
            outcome.snapshot[key] = last._replace(missing_syncs=missing_syncs)
            outcome.deferred += 1
            outcome.suspicion = suspicion
            continue
        outcome.deleted += 1
        yield from _delete_children(endpoint, key, last.children)
        yield Delete(endpoint.table.name, {endpoint.table.primary_key[0]: key})


def _suspicion(outcome: Outcome, missing: int, known_items: int) -> str | None:
    """Return why the missing items may not be gone; None if nothing speaks against it."""
    if outcome.shortfall:
        return outcome.shortfall
    if outcome.keyless:  # it could be any of the missing ones
        return "an item has no readable id"
    if not outcome.items and known_items:
        return "the catalog is empty"
    if missing >= MASS_DELETE_MINIMUM and missing * MASS_DELETE_FRACTION > known_items:
        return f"{missing:,} of {known_items:,} known items are missing"
    return None


def _delete_children(endpoint: Endpoint, key: str, child_keys: Iterable[Key]) -> Iterator[Delete]:
    child = endpoint.child
    if child is not None:
        for child_key in child_keys:
            yield Delete(child.table.name, {child.foreign_key: key, child.key: child_key})
