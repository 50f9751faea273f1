"""Record operations and log lines instead of using the SDK, and apply them to a warehouse."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from functools import partialmethod
from typing import Any, NamedTuple

from async_client import Catalog, EndpointError, Limits, Settings, TokenRefusedError
from async_client.errors import FinalError, UnauthorizedError
from endpoints import ENDPOINTS

# The kind is first: ("upsert", table, row), ("truncate", table), ("checkpoint", state), ...
Operation = tuple[Any, ...]
Row = dict[str, Any]
Fetching = Callable[
    [Settings, Limits, Any], AbstractContextManager[Mapping[str, "Future[Catalog]"]]
]

KEYS = {table.name: table.primary_key for endpoint in ENDPOINTS for table in endpoint.tables}


class Interrupted(Exception):
    """The sync is killed at a chosen operation."""


class Operations:
    """A recorder of operations as tuples; `before` is called with each operation and may raise."""

    def __init__(self, before: Callable[[Operation], None] = lambda operation: None) -> None:
        self.stream: list[Operation] = []
        self.before = before

    def upsert(self, table: str, data: Mapping[str, Any]) -> None:
        self._record("upsert", table, dict(data))

    def delete(self, table: str, keys: Mapping[str, Any]) -> None:
        self._record("delete", table, dict(keys))

    def truncate(self, table: str) -> None:
        self._record("truncate", table)

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        self._record("checkpoint", copy.deepcopy(state))

    def warning(self, message: str) -> None:
        self._record("warning", message)

    def _record(self, *operation: Any) -> None:
        self.before(operation)
        self.stream.append(operation)

    def of_kind(self, *kinds: str) -> list[Operation]:
        """Return the recorded operations of these kinds."""
        return [operation for operation in self.stream if operation[0] in kinds]

    @property
    def writes(self) -> list[Operation]:
        """The operations that change a table."""
        return self.of_kind("upsert", "delete", "truncate")

    @property
    def states(self) -> list[dict[str, Any]]:
        """The state of each checkpoint."""
        return [operation[1] for operation in self.of_kind("checkpoint")]


class Log:
    """A recorder of log lines as (level, text)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def _record(self, level: str, text: str) -> None:
        self.lines.append((level, text))

    info = partialmethod(_record, "info")
    warning = partialmethod(_record, "warning")
    error = partialmethod(_record, "error")

    def of_level(self, level: str) -> list[str]:
        """Return the texts of one level."""
        return [text for kind, text in self.lines if kind == level]


class Recorded(NamedTuple):
    """The result of a sync against recorders: its operations, its log, its error if it failed."""

    operations: Operations
    log: Log
    error: Exception | None


class Destination:
    """A model of a warehouse: tables by name, rows by primary key."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Operation, Row]] = {table: {} for table in KEYS}

    def apply(self, operations: Iterable[Operation]) -> None:
        """Apply upserts, deletes and truncates in order."""
        for operation in operations:
            kind, *rest = operation
            if kind == "upsert":
                table, row = rest
                self.tables[table][self._key(table, row)] = row
            elif kind == "delete":
                table, keys = rest
                assert set(keys) == set(KEYS[table]), operation
                self.tables[table].pop(self._key(table, keys), None)
            elif kind == "truncate":
                self.tables[rest[0]].clear()

    @staticmethod
    def _key(table: str, row: Row) -> Operation:
        key = tuple(row[column] for column in KEYS[table])
        assert None not in key, (table, row)
        return key


def answering(answers: Mapping[str, list[Any] | Exception]) -> Fetching:
    """Return a `fetching` in which each endpoint has arrived with these items, or has failed."""

    @contextmanager
    def fetching(
        settings: Settings, _limits: Limits, _on_event: object
    ) -> Iterator[Mapping[str, Future[Catalog]]]:
        futures: dict[str, Future[Catalog]] = {}
        for endpoint in settings.endpoints:
            answer = answers.get(endpoint.name, [])
            future = futures[endpoint.name] = Future()
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(Catalog(list(answer)))
        yield futures

    return fetching


def failed(endpoint_name: str) -> EndpointError:
    """Return the final failure of an endpoint."""
    return EndpointError(endpoint_name, "http://mock", 6, FinalError("it is down", "Wait"))


def refused(endpoint_name: str) -> TokenRefusedError:
    """Return the failure of an endpoint that rejected the token."""
    return TokenRefusedError(endpoint_name, "http://mock", 1, UnauthorizedError("401", "Renew it"))
