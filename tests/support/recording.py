"""Record operations and log lines instead of using the SDK, and apply them to a warehouse."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from functools import partialmethod
from typing import Any, NamedTuple
from unittest.mock import patch

import connector
from async_client import Catalog, EndpointError, Limits, Settings, TokenRejectedError
from async_client.errors import FinalError
from endpoints import ENDPOINTS

# The kind is first: ("upsert", table, row), ("truncate", table), ("checkpoint", state), ...
Operation = tuple[Any, ...]
Row = dict[str, Any]
Result = Iterable[Any] | Exception | Future[Catalog]

KEYS = {table.name: table.primary_key for endpoint in ENDPOINTS for table in endpoint.tables}


class Interrupted(Exception):
    """The sync is killed at a chosen operation."""


class Recorder:
    """A recorder of operations and log lines; `before` is called with each and may raise."""

    def __init__(self, before: Callable[[Operation], None] = lambda operation: None) -> None:
        self.stream: list[Operation] = []
        self.before = before

    def _record(self, *operation: Any) -> None:
        self.before(operation)
        self.stream.append(tuple(map(copy.copy, operation)))

    upsert = partialmethod(_record, "upsert")
    delete = partialmethod(_record, "delete")
    truncate = partialmethod(_record, "truncate")
    checkpoint = partialmethod(_record, "checkpoint")
    warning = partialmethod(_record, "warning")
    info = partialmethod(_record, "info")
    error = partialmethod(_record, "error")

    def of_kind(self, *kinds: str) -> list[Operation]:
        """Return the recorded operations of these kinds."""
        return [operation for operation in self.stream if operation[0] in kinds]

    def of_level(self, level: str) -> list[str]:
        """Return the texts of one level of the log."""
        return [text for _, text in self.of_kind(level)]

    @property
    def writes(self) -> list[Operation]:
        """The operations that change a table."""
        return self.of_kind("upsert", "delete", "truncate")

    @property
    def states(self) -> list[dict[str, Any]]:
        """The state of each checkpoint."""
        return [operation[1] for operation in self.of_kind("checkpoint")]


class Recorded(NamedTuple):
    """The result of a sync against recorders: its operations, its log, its error if it failed."""

    operations: Recorder
    log: Recorder
    error: Exception | None


class Destination:
    """A model of a warehouse: tables by name, rows by primary key."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Operation, Row]] = {table: {} for table in KEYS}

    def apply(self, operations: Iterable[Operation]) -> None:
        """Apply upserts, deletes and truncates in order."""
        for kind, table, *rest in operations:
            if kind == "truncate":
                self.tables[table].clear()
            elif kind in ("upsert", "delete"):
                key = tuple(rest[0][column] for column in KEYS[table])
                assert None not in key, (table, rest)
                if kind == "upsert":
                    self.tables[table][key] = rest[0]
                else:
                    assert rest[0].keys() == set(KEYS[table])
                    self.tables[table].pop(key, None)


def catalog_of(items: Iterable[Any], shortfall: str | None = None) -> Catalog:
    """Return a catalog with these items."""
    listed = list(items)
    return Catalog(json.dumps(listed).encode(), None, len(listed), shortfall)


def arrived(result: Iterable[Any] | Exception) -> Future[Catalog]:
    """Return the future of a catalog with these items, or of a failure."""
    future: Future[Catalog] = Future()
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(catalog_of(result))
    return future


class Arrived(dict[str, "Future[Catalog]"]):
    """The futures of catalogs, in the place of Catalogs."""

    def take(self, endpoint_name: str) -> Catalog | EndpointError:
        """Return the result of an endpoint, or the rejection of the token."""
        failures = [f.exception() for f in self.values() if f.done() and f.exception()]
        failures += [self[endpoint_name].exception()]
        for failure in failures:
            if isinstance(failure, EndpointError) and isinstance(
                failure.failure, TokenRejectedError
            ):
                return failure
        failure = self[endpoint_name].exception()
        return failure if isinstance(failure, EndpointError) else self.pop(endpoint_name).result()


def fetching_of(results: Mapping[str, Result]) -> Callable[..., Any]:
    """Return a `fetching` with these items, failures or futures; other catalogs are empty."""

    def fetching(
        settings: Settings, _limits: Limits, _on_event: object
    ) -> AbstractContextManager[Arrived]:
        given = {endpoint.name: results.get(endpoint.name, []) for endpoint in settings.endpoints}
        return nullcontext(
            Arrived(
                {name: a if isinstance(a, Future) else arrived(a) for name, a in given.items()}
            )
        )

    return fetching


def run_sync(
    configuration: Mapping[str, str],
    results: Mapping[str, Result] | None = None,
    state: Mapping[str, Any] | None = None,
    before: Callable[[Operation], None] = lambda operation: None,
) -> Recorded:
    """Run `connector.update` against recorders, fetching from the network without `results`."""
    doubles: dict[str, Any] = {"op": Recorder(before), "log": Recorder()}
    if results is not None:
        doubles["fetching"] = fetching_of(results)
    error = None
    with patch.multiple(connector, **doubles):
        try:
            connector.update(configuration, state or {})
        except Exception as caught:  # noqa: BLE001 (the test looks at it)
            error = caught
    return Recorded(doubles["op"], doubles["log"], error)


def failed(endpoint_name: str) -> EndpointError:
    """Return the final failure of an endpoint."""
    return EndpointError(endpoint_name, "http://mock", 6, FinalError("it is down", "Wait"))


def token_rejected(endpoint_name: str) -> EndpointError:
    """Return the failure of an endpoint that rejected the token."""
    return EndpointError(endpoint_name, "http://mock", 1, TokenRejectedError("401", "Renew it"))
