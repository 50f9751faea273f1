"""What changed since the last sync: snapshots, the plan of operations and the state. Pure."""

from changes.plan import SYNCS_UNTIL_BELIEVED, Delete, Operation, Outcome, Truncate, Upsert, plan
from changes.snapshot import Known, Snapshot
from changes.state import Progress, resume

__all__ = [
    "SYNCS_UNTIL_BELIEVED",
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
