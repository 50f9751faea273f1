"""Stand-ins for the SDK's operations and log, and a destination that applies what was recorded."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import contextmanager

from async_client import Catalog, EndpointError, TokenRefusedError
from async_client.errors import FinalError, UnauthorizedError
from endpoints import ENDPOINTS

KEYS = {table.name: table.primary_key for endpoint in ENDPOINTS for table in endpoint.tables}


class Interrupted(Exception):
    """The sync is killed at a chosen operation."""


class Operations:
    """Records operations as tuples; `before` sees each one first and may raise."""

    def __init__(self, before: Callable[[tuple], None] = lambda operation: None) -> None:
        self.stream: list[tuple] = []
        self.before = before

    def upsert(self, table, data):
        self._record(("upsert", table, dict(data)))

    def delete(self, table, keys):
        self._record(("delete", table, dict(keys)))

    def truncate(self, table):
        self._record(("truncate", table))

    def checkpoint(self, state):
        self._record(("checkpoint", copy.deepcopy(state)))

    def warning(self, message):
        self._record(("warning", message))

    def _record(self, operation: tuple) -> None:
        self.before(operation)
        self.stream.append(operation)

    def of_kind(self, *kinds: str) -> list[tuple]:
        """Give the recorded operations of these kinds."""
        return [operation for operation in self.stream if operation[0] in kinds]

    @property
    def writes(self) -> list[tuple]:
        """Give all that changes a table."""
        return self.of_kind("upsert", "delete", "truncate")

    @property
    def states(self) -> list[dict]:
        """Give the state of each checkpoint."""
        return [operation[1] for operation in self.of_kind("checkpoint")]


class Log:
    """Records log lines as (level, text)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, text):
        self.lines.append(("info", text))

    def warning(self, text):
        self.lines.append(("warning", text))

    def error(self, text):
        self.lines.append(("error", text))

    def of_level(self, level: str) -> list[str]:
        """Give the texts of one level."""
        return [text for kind, text in self.lines if kind == level]

    @property
    def text(self) -> str:
        """Give all lines as one text."""
        return "\n".join(text for _, text in self.lines)


class Destination:
    """Tables by name, each row by its primary key: a warehouse after some operations."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple, dict]] = {table: {} for table in KEYS}

    def apply(self, operations: Iterable[tuple]) -> None:
        """Apply upserts, deletes and truncates in their order."""
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
    def _key(table: str, row: dict) -> tuple:
        key = tuple(row[column] for column in KEYS[table])
        assert None not in key, (table, row)
        return key


def answering(answers: dict[str, list | Exception]):
    """Stand in for `fetching`: each endpoint has already arrived with these items, or failed."""

    @contextmanager
    def fetching(settings, limits, on_event):
        futures = {}
        for endpoint in settings.endpoints:
            answer = answers.get(endpoint.name, [])
            future = futures[endpoint.name] = Future()
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(Catalog(list(answer), 0, 0.0, 1))
        yield futures

    return fetching


def failed(endpoint_name: str) -> EndpointError:
    """Make the final failure of an endpoint."""
    return EndpointError(endpoint_name, "http://mock", 6, FinalError("it is down", "Wait"))


def refused(endpoint_name: str) -> TokenRefusedError:
    """Make the failure that a refused token is."""
    return TokenRefusedError(endpoint_name, "http://mock", 1, UnauthorizedError("401", "Renew it"))
