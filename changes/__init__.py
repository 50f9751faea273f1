"""What changed since the last sync: snapshots, the plan of operations and the state. Pure."""

from changes.operations import Delete, Operation, Outcome, Truncate, Upsert
from changes.plan import SYNCS_BEFORE_ACCEPTANCE, Plan, make_plan
from changes.snapshot import Snapshot, SnapshotEntry
from changes.state import State, StateTooLargeError, resume

__all__ = [
    "SYNCS_BEFORE_ACCEPTANCE",
    "Delete",
    "Operation",
    "Outcome",
    "Plan",
    "Snapshot",
    "SnapshotEntry",
    "State",
    "StateTooLargeError",
    "Truncate",
    "Upsert",
    "make_plan",
    "resume",
]
