"""The state between syncs: what each endpoint left, and which one was being written.

Its shape is ``{"version": 1, "source": base URL, "writing": endpoint or null, "endpoints":
{name: {"snapshot": text}}}``. Pure: a state is read into a `Progress`, which gives new states.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from changes.snapshot import DamagedSnapshotError, Snapshot, decode, encode

VERSION = 1


@dataclass
class Progress:
    """How far the syncs of one source have come.

    `snapshots` has each endpoint whose rows in the destination are known, `interrupted` the one
    whose rows are not, because the last sync ended while it was being written. `notes` says what
    of an earlier state had to be left behind.
    """

    source: str
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    interrupted: str | None = None
    notes: list[str] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict, repr=False)

    def landed(self, endpoint_name: str, snapshot: Snapshot) -> None:
        """Keep what an endpoint left in the destination."""
        if self.snapshots.get(endpoint_name) != snapshot:
            self._texts.pop(endpoint_name, None)
        self.snapshots[endpoint_name] = snapshot

    def state(self, writing: str | None) -> dict[str, object]:
        """Give the state of a checkpoint after which only the endpoint `writing` is written."""
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
    """Read the last sync's state; what cannot be used is left out and noted, never an error."""
    progress = Progress(source)
    if not state:
        return progress
    flaw = _flaw(state, source, names)
    if flaw is not None:
        progress.notes.append(
            f"The state of the last sync is not used: {flaw}. All is written anew."
        )
        return progress
    writing = state["writing"]
    if isinstance(writing, str):
        progress.interrupted = writing
        progress.notes.append(
            f"The last sync ended while it wrote {writing}: its tables will be written anew."
        )
    endpoints = state["endpoints"]
    for name, entry in endpoints.items() if isinstance(endpoints, dict) else ():
        if name not in names:
            progress.notes.append(f"The state holds an unknown endpoint, {name!r}: it is dropped.")
        elif name != progress.interrupted:
            _take(progress, name, entry)
    return progress


def _take(progress: Progress, name: str, entry: object) -> None:
    text = entry.get("snapshot") if isinstance(entry, dict) else None
    try:
        progress.snapshots[name] = decode(name, text)
    except DamagedSnapshotError as error:
        progress.notes.append(
            f"The snapshot of {name} is damaged ({error}): its tables will be written anew."
        )
    else:
        progress._texts[name] = str(text)  # noqa: SLF001


def _flaw(state: Mapping[str, object], source: str, names: Collection[str]) -> str | None:
    version, writing = state.get("version"), state.get("writing")
    if version is None:
        return "it is of another connector"
    if version is True or version != VERSION:
        return f"its version is {version!r}, not {VERSION}"
    if state.get("source") != source:
        return f"it is of {state.get('source')!r}, not of {source!r}"
    if writing is not None and writing not in names:
        return f"it was writing {writing!r}, which is no endpoint"
    if "writing" not in state or not isinstance(state.get("endpoints"), dict):
        return "it is incomplete"
    return None
