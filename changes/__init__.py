"""What changed since the last sync: snapshots, the plan of operations and the state. Pure."""

from changes.plan import (
    MISSING_SYNCS_BEFORE_DELETE,
    Delete,
    Operation,
    Outcome,
    Plan,
    Truncate,
    Upsert,
)
from changes.snapshot import Snapshot, SnapshotEntry
from changes.state import Progress, resume

__all__ = [
    "MISSING_SYNCS_BEFORE_DELETE",
    "Delete",
    "Operation",
    "Outcome",
    "Plan",
    "Progress",
    "Snapshot",
    "SnapshotEntry",
    "Truncate",
    "Upsert",
    "resume",
]
