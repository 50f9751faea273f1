"""The operations on tables, and the counts of what a plan found, as values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from changes.limits import MAX_REJECTIONS_KEPT
from flatten import Rejected, Row


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
    """What a plan finds and does: counts of items and rows, and problems.

    Of the items, `deferred_deletes` are missing and stay for now, because of `suspicion`;
    `deferred_changes` lost children and stay unchanged for now, because of `child_suspicion`.
    `keyless` counts items without a readable key, `unreadable_lists` those whose child list is
    neither a list nor null. `first_rejected` holds the first few of the `rejected` rows, and
    `bad_values` counts values stored as NULL or in part, by table and column. `shortfall` is about
    a total in the response that is above the number of its items.
    """

    shortfall: str | None = None
    suspicion: str | None = None
    child_suspicion: str | None = None
    items: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    deferred_deletes: int = 0
    deferred_changes: int = 0
    keyless: int = 0
    unreadable_lists: int = 0
    upserted_rows: int = 0
    deleted_rows: int = 0
    rejected: int = 0
    first_rejected: list[Rejected] = field(default_factory=list)
    bad_values: Counter[tuple[str, str]] = field(default_factory=Counter)

    def reject(self, rejected: Rejected) -> None:
        """Count a row that cannot be written."""
        self.rejected += 1
        if len(self.first_rejected) < MAX_REJECTIONS_KEPT:
            self.first_rejected.append(rejected)
