"""Where operations go instead of the SDK: nowhere, or into a recording that can be replayed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from endpoints import ENDPOINTS

Row = Mapping[str, object]
# The name of an operation, then its arguments.
Operation = tuple[object, ...]


class Sink(Protocol):
    """The SDK's operations, as far as a sync of this catalog needs them."""

    def upsert(self, table: str, data: Row, /) -> None:
        """Write a whole row."""

    def delete(self, table: str, keys: Row, /) -> None:
        """Delete a row."""

    def truncate(self, table: str, /) -> None:
        """Delete every row."""

    def checkpoint(self, state: Row, /) -> None:
        """Commit, and keep the state."""

    def warning(self, message: str, /) -> None:
        """Tell the dashboard."""


class Nowhere:
    """Forgets all but the last state, which it leaves where the SDK would."""

    def __init__(self, state_file: Path) -> None:
        self._state_file = state_file

    def upsert(self, table: str, data: Row, /) -> None:
        """Forget a row."""

    def delete(self, table: str, keys: Row, /) -> None:
        """Forget a deletion."""

    def truncate(self, table: str, /) -> None:
        """Forget a truncate."""

    def warning(self, message: str, /) -> None:
        """Forget a warning."""

    def checkpoint(self, state: Row, /) -> None:
        """Keep the state for the next sync."""
        self._state_file.parent.mkdir(parents=True, exist_ok=True)
        self._state_file.write_text(json.dumps(state), encoding="utf-8")


class Recorder(Nowhere):
    """Keeps every operation, in one segment per endpoint.

    A segment ends with its endpoint's checkpoint. The checkpoint that precedes all writing belongs
    to the first.
    """

    def __init__(self, state_file: Path) -> None:
        super().__init__(state_file)
        self._operations: list[Operation] = []
        self._ends: list[int] = []

    def upsert(self, table: str, data: Row, /) -> None:
        """Record a row."""
        self._operations.append(("upsert", table, data))

    def delete(self, table: str, keys: Row, /) -> None:
        """Record a deletion."""
        self._operations.append(("delete", table, keys))

    def truncate(self, table: str, /) -> None:
        """Record a truncate."""
        self._operations.append(("truncate", table))

    def warning(self, message: str, /) -> None:
        """Record a warning."""
        self._operations.append(("warning", message))

    def checkpoint(self, state: Row, /) -> None:
        """Record a checkpoint."""
        super().checkpoint(state)
        self._operations.append(("checkpoint", state))
        self._ends.append(len(self._operations))

    def save(self, path: Path) -> None:
        """Write the recording for `recorded` to read."""
        _, *ends = self._ends
        if len(ends) != len(ENDPOINTS):
            raise ValueError(f"{len(ends)} endpoints were checkpointed, not {len(ENDPOINTS)}")
        starts = [0, *ends]
        segments = {
            endpoint.name: self._operations[start:end]
            for endpoint, start, end in zip(ENDPOINTS, starts, ends, strict=False)
        }
        path.write_bytes(msgspec.msgpack.encode(segments))


def recorded(path: Path) -> dict[str, list[Operation]]:
    """Read a recording: the operations by endpoint, in their order."""
    return msgspec.msgpack.decode(path.read_bytes(), type=dict[str, list[Operation]])
