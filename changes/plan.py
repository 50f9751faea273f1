"""The operations that bring an endpoint's tables to its catalog: catalog minus snapshot.

Pure: operations are returned as values, in an order that depends on catalog and snapshot alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from changes.snapshot import Snapshot, SnapshotEntry, fingerprint
from endpoints import Endpoint
from flatten import Flattened, Key, Rejected, Row

# From a suspicious catalog an item is deleted once it is missing in this many syncs in a row. One
# wrong response must not retire courses that are assigned to learners; but a catalog that stays
# smaller has to be believed at some time, or the table would never follow it.
MISSING_SYNCS_BEFORE_DELETE = 3
# The safety threshold: a catalog is suspicious if at least this many known items are missing, and
# they are more than a fifth of the known ones.
MASS_DELETE_MINIMUM = 5
MASS_DELETE_FRACTION = 5
REJECTIONS_KEPT = 5


class Truncate(NamedTuple):
    """Mark every row of a table as deleted."""

    table: str


class Upsert(NamedTuple):
    """Insert a row, or replace the one with its primary key."""

    table: str
    row: Row


class Delete(NamedTuple):
    """Mark the row with this primary key as deleted."""

    table: str
    key: Row


Operation = Truncate | Upsert | Delete


@dataclass
class Outcome:
    """What the replay of one catalog found and did: counts of items and rows, and problems.

    `snapshot` is what the endpoint's tables hold after the last operation. `keyless` counts items
    without a readable key, `first_rejected` holds the first few of the `rejected` rows, and
    `bad_values` counts values stored as NULL or in part, by table and column. `shortfall` is about
    a total in the response that is above the number of its items, and `suspicion` is the reason
    for deferred deletes.
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


class Plan:
    """The plan for one catalog: run `operations` to its end, then read `outcome`.

    `before` is the snapshot of the last sync, None if what the tables hold is not known.
    `shortfall` describes a total in the response that is above the number of its items.
    """

    def __init__(
        self, endpoint: Endpoint, before: Snapshot | None, shortfall: str | None = None
    ) -> None:
        self.outcome = Outcome(shortfall=shortfall)
        self._endpoint = endpoint
        self._before = before or {}
        self._truncates = before is None
        self._removed_children: list[tuple[str, Key]] = []

    def operations(self, items: Iterable[Flattened]) -> Iterator[Operation]:
        """Yield the operations for the items of the catalog, in the order to emit them in.

        Without a snapshot the tables are truncated first, then every item is upserted. With one,
        only new and changed items are. Deletes come last, so that a sync that is interrupted
        leaves too much rather than too little: first the children that left a changed item, then
        the items that are no longer in the catalog, each after its children.
        """
        if self._truncates:
            yield from (Truncate(table.name) for table in self._endpoint.tables)
        for flat in items:
            yield from self._upserts(flat)
        for delete in self._deletes():
            self.outcome.deleted_rows += 1
            yield delete

    def _upserts(self, flat: Flattened) -> Iterator[Upsert]:
        outcome = self.outcome
        outcome.items += 1
        if flat.key is not None and flat.key in outcome.snapshot:
            reason = "an earlier one has the same id"
            outcome.reject(Rejected(self._endpoint.table.name, flat.key, reason))
            return
        for rejected in flat.rejected:
            outcome.reject(rejected)
        outcome.bad_values.update(flat.bad_values)
        if flat.key is None or flat.row is None:
            outcome.keyless += 1
        elif self._is_changed(flat.key, flat):
            outcome.upserted_rows += 1 + len(flat.children)
            yield Upsert(self._endpoint.table.name, flat.row)
            if self._endpoint.child is not None:
                table = self._endpoint.child.table.name
                yield from (Upsert(table, row) for row in flat.children.values())

    def _is_changed(self, key: str, flat: Flattened) -> bool:
        """Record the item in the new snapshot; return whether it is new or has changed."""
        outcome, digest, last = self.outcome, fingerprint(flat), self._before.get(key)
        if last is not None and last.digest == digest:
            # The same rows, so the entry of the last sync holds: nearly all items end here.
            outcome.snapshot[key] = last._replace(missing_syncs=0) if last.missing_syncs else last
            outcome.unchanged += 1
            return False
        outcome.snapshot[key] = SnapshotEntry(digest, tuple(sorted(flat.children)))
        if last is None:
            outcome.new += 1
            return True
        outcome.changed += 1
        removed = (child_key for child_key in last.child_keys if child_key not in flat.children)
        self._removed_children.extend((key, child_key) for child_key in removed)
        return True

    def _deletes(self) -> Iterator[Delete]:
        for key, child_key in self._removed_children:
            yield from self._child_deletes(key, [child_key])
        outcome = self.outcome
        missing = [key for key in self._before if key not in outcome.snapshot]
        suspicion = self._suspicion(len(missing))
        for key in missing:
            last = self._before[key]
            missing_syncs = last.missing_syncs + 1
            if suspicion and missing_syncs < MISSING_SYNCS_BEFORE_DELETE:
                outcome.snapshot[key] = last._replace(missing_syncs=missing_syncs)
                outcome.deferred += 1
                outcome.suspicion = suspicion
                continue
            outcome.deleted += 1
            yield from self._child_deletes(key, last.child_keys)
            yield Delete(self._endpoint.table.name, {self._endpoint.table.primary_key[0]: key})

    def _suspicion(self, missing: int) -> str | None:
        """Return why the catalog may be incomplete, so that deletes are deferred; else None.

        A deleted course disappears from every report that joins it, while one that is deleted two
        syncs late harms nobody.
        """
        known = len(self._before)
        if self.outcome.shortfall:
            return self.outcome.shortfall
        if self.outcome.keyless:  # it could be any of the missing ones
            return "an item has no readable id"
        if not self.outcome.items and known:
            return "the catalog is empty"
        if missing >= MASS_DELETE_MINIMUM and missing * MASS_DELETE_FRACTION > known:
            return f"{missing:,} of {known:,} known items are missing"
        return None

    def _child_deletes(self, key: str, child_keys: Iterable[Key]) -> Iterator[Delete]:
        child = self._endpoint.child
        if child is not None:
            for child_key in child_keys:
                yield Delete(child.table.name, {child.foreign_key: key, child.key: child_key})
