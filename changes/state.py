"""The state between syncs: a snapshot per endpoint, and which endpoint was being written.

Its shape is `{"version": 1, "source": base URL, "writing": endpoint or null, "endpoints": {name:
{"snapshot": text}}}`. Pure: `resume` reads a state into a `Progress`, which returns new states.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from changes.snapshot import DamagedSnapshotError, Snapshot, decode, encode

VERSION = 1


@dataclass
class Progress:
    """How far the syncs of one source have come.

    `snapshots` has the endpoints whose rows in the destination are known. `interrupted` is the
    endpoint that was being written when the last sync ended: what its tables hold is not known.
    `notes` says which parts of the saved state cannot be used, a sentence each.
    """

    source: str
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    interrupted: str | None = None
    notes: list[str] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict, repr=False)

    def record_snapshot(self, endpoint_name: str, snapshot: Snapshot) -> None:
        """Record what the endpoint's tables hold now."""
        if self.snapshots.get(endpoint_name) != snapshot:
            self._texts.pop(endpoint_name, None)
        self.snapshots[endpoint_name] = snapshot

    def state(self, writing: str | None) -> dict[str, object]:
        """Return the state for a checkpoint after which only the endpoint `writing` is written."""
        for name, snapshot in self.snapshots.items():
            if name not in self._texts:
                self._texts[name] = encode(name, snapshot)
        return {
            "version": VERSION,
            "source": self.source,
            "writing": writing,
            "endpoints": {
                name: {"snapshot": self._texts[name]} for name in sorted(self.snapshots)
            },
        }


def resume(state: Mapping[str, object], source: str, names: Collection[str]) -> Progress:
    """Return the progress that a saved state describes; unusable parts are noted, never an error.

    `names` are the endpoints of the connector. An endpoint without a usable snapshot is written
    from scratch.
    """
    progress = Progress(source)
    if not state:
        return progress
    problem = _problem(state, source, names)
    if problem is not None:
        progress.notes.append(f"Ignoring the saved state: {problem}. Rewriting all tables.")
        return progress
    writing = state["writing"]
    if isinstance(writing, str):
        progress.interrupted = writing
        progress.notes.append(
            f"The last sync was interrupted while it wrote {writing}. Rewriting its tables."
        )
    endpoints = state["endpoints"]
    for name, entry in endpoints.items() if isinstance(endpoints, dict) else ():
        if name not in names:
            progress.notes.append(f"Ignoring the saved state of {name!r}: unknown endpoint.")
        elif name != progress.interrupted:
            _read_snapshot(progress, name, entry)
    return progress


def _read_snapshot(progress: Progress, name: str, entry: object) -> None:
    text = entry.get("snapshot") if isinstance(entry, dict) else None
    try:
        progress.snapshots[name] = decode(name, text)
    except DamagedSnapshotError as error:
        progress.notes.append(
            f"Ignoring the damaged snapshot of {name} ({error}). Rewriting its tables."
        )
    else:
        progress._texts[name] = str(text)  # noqa: SLF001


def _problem(state: Mapping[str, object], source: str, names: Collection[str]) -> str | None:
    version, writing = state.get("version"), state.get("writing")
    if version is None:
        return "another connector wrote it"
    if version is True or version != VERSION:
        return f"its version is {version!r}, not {VERSION}"
    if state.get("source") != source:
        return f"its source is {state.get('source')!r}, not {source!r}"
    if writing is not None and writing not in names:
        return f"it names {writing!r} as the endpoint being written, which does not exist"
    if "writing" not in state or not isinstance(state.get("endpoints"), dict):
        return "it is incomplete"
    return None
