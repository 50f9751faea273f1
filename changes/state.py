"""The state between syncs: a snapshot per endpoint.

Its shape is `{"version": 1, "source": base URL, "writing": null, "endpoints": {name: {"snapshot":
text}}}`. Version 1.0.0 named in `writing` the endpoint that it was writing. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from changes.limits import MAX_STATE_BYTES
from changes.snapshot import DamagedSnapshotError, Snapshot, decode, encode

VERSION = 1

_REWRITTEN = "Tables are rewritten once their catalog has arrived."


class StateTooLargeError(Exception):
    """A catalog cannot be written, as Fivetran could refuse the state with its snapshot."""

    def __init__(self, endpoint_name: str) -> None:
        super().__init__(
            f"{endpoint_name}: not written, as the state would exceed {MAX_STATE_BYTES:,} bytes. "
            "No catalog is that large: check base_url, or skip endpoints with skip_endpoints."
        )
        self.endpoint_name = endpoint_name


class Recorded(NamedTuple):
    """The snapshot of an endpoint, and how the state contains it."""

    snapshot: Snapshot
    packed: Mapping[str, object]


@dataclass(frozen=True)
class State:
    """What is known about the tables filled from one source.

    `endpoints` has those whose rows are known. `is_stale` is true as long as Fivetran still holds
    an older state whose snapshots no longer hold once anything is written.
    """

    source: str
    endpoints: Mapping[str, Recorded] = field(default_factory=dict)
    is_stale: bool = False

    def snapshot(self, endpoint_name: str) -> Snapshot | None:
        """Return what the endpoint's tables may hold, None if that is not known."""
        recorded = self.endpoints.get(endpoint_name)
        return None if recorded is None else recorded.snapshot

    def record(self, endpoint_name: str, snapshot: Snapshot) -> State:
        """Return the state to save with this snapshot of an endpoint."""
        if self.snapshot(endpoint_name) == snapshot:
            return replace(self, is_stale=False)
        recorded = Recorded(snapshot, encode(endpoint_name, snapshot))
        return State(self.source, {**self.endpoints, endpoint_name: recorded})

    def to_json(self) -> dict[str, object]:
        """Return the state as JSON."""
        return {
            "version": VERSION,
            "source": self.source,
            "writing": None,
            "endpoints": {
                name: dict(self.endpoints[name].packed) for name in sorted(self.endpoints)
            },
        }

    def is_too_large(self) -> bool:
        """Return whether Fivetran could refuse this state."""
        return len(json.dumps(self.to_json())) > MAX_STATE_BYTES


def resume(
    saved: Mapping[str, object], source: str, names: Collection[str]
) -> tuple[State, list[str]]:
    """Return the state to start from, and a sentence on each part of `saved` that is not used.

    `names` are the endpoints of the connector. Nothing in a saved state is an error: an endpoint
    without a usable snapshot is written from scratch.
    """
    if not saved:
        return State(source), []
    problem = _problem(saved, source, names)
    if problem is not None:
        return State(source, is_stale=True), [f"Ignoring the saved state: {problem}. {_REWRITTEN}"]
    notes, interrupted, is_stale = [], saved["writing"], False
    if interrupted is not None:
        notes.append(f"The last sync was interrupted while it wrote {interrupted}. {_REWRITTEN}")
    recorded: dict[str, Recorded] = {}
    endpoints = saved["endpoints"]
    for name, entry in endpoints.items() if isinstance(endpoints, Mapping) else ():
        if name not in names:
            notes.append(f"Ignoring the saved state of {name!r}: unknown endpoint.")
        elif name != interrupted:
            try:
                snapshot = decode(name, entry)
            except DamagedSnapshotError as error:
                notes.append(f"Ignoring the damaged snapshot of {name} ({error}). {_REWRITTEN}")
                is_stale = True
            else:
                recorded[name] = Recorded(snapshot, entry)
    return State(source, recorded, is_stale), notes


def _problem(saved: Mapping[str, object], source: str, names: Collection[str]) -> str | None:
    version, writing = saved.get("version"), saved.get("writing")
    if version is None:
        return "another connector wrote it"
    if version is True or version != VERSION:
        return f"its version is {version!r}, not {VERSION}"
    if saved.get("source") != source:
        return f"its source is {saved.get('source')!r}, not {source!r}"
    if writing is not None and writing not in names:
        return f"it names {writing!r} as the endpoint being written, which does not exist"
    if "writing" not in saved or not isinstance(saved.get("endpoints"), Mapping):
        return "it is incomplete"
    return None
