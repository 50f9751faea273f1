"""What changed since the last sync: snapshots, the plan of operations and the state. Pure."""

from changes.plan import (
    MISSING_SYNCS_BEFORE_DELETE,
    Delete,
    Operation,
    Outcome,
    Truncate,
    Upsert,
    plan,
)
from changes.snapshot import Known, Snapshot
from changes.state import Progress, resume

__all__ = [
    "MISSING_SYNCS_BEFORE_DELETE",
    "Delete",
    "Known",
    "Operation",
    "Outcome",
    "Progress",
    "Snapshot",
    "Truncate",
    "Upsert",
    "plan",
    "resume",
]
