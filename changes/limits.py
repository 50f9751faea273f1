"""The bounds of snapshots and plans."""

from __future__ import annotations

# Fivetran allows a state of 10 MB.
MAX_STATE_BYTES = 9_000_000
# Twice the largest body, so that every snapshot that was written can be read. A state of 10 MB
# could unpack to a thousand times that. The objects made of it can take ten times as much.
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_REJECTIONS_KEPT = 5
