"""Record operations and log lines instead of using the SDK, and apply them to a warehouse."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partialmethod
from typing import Any, NamedTuple
from unittest.mock import patch

import async_client
import connector
from async_client import (
    Catalog,
    EndpointError,
    Event,
    Limits,
    Settings,
    TokenRejectedError,
    validate_configuration,
)
from async_client.errors import FinalError
from endpoints import ENDPOINTS
from tests.support.fetching import QUICK

# The kind is first: ("upsert", table, row), ("truncate", table), ("checkpoint", state), ...
Operation = tuple[Any, ...]
Row = dict[str, Any]
# The items of a catalog, or the failure of its endpoint.
Result = Iterable[Any] | EndpointError

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


class Catalogs(async_client.Catalogs):
    """The results of fetching, without a network: items or a failure; others are empty."""

    def __init__(
        self, results: Mapping[str, Result], events: Mapping[str, Iterable[Event]] | None = None
    ) -> None:
        """Take the results, and the events that are reported before each."""
        self.results = results
        self.events = events or {}

    def fetch(
        self, _settings: Settings, _limits: Limits, on_event: Callable[[Event], None]
    ) -> AbstractContextManager[Catalogs]:
        """Replace `fetching`."""
        self.on_event = on_event
        return nullcontext(self)

    def take(self, endpoint_name: str) -> Catalog | EndpointError:
        """Return the catalog or the failure of an endpoint."""
        for event in self.events.get(endpoint_name, ()):
            self.on_event(event)
        result = self.results.get(endpoint_name, [])
        return result if isinstance(result, EndpointError) else catalog_of(result)


def updating(
    results: Mapping[str, Result] | Catalogs | None = None,
) -> Callable[[Mapping[str, str], Mapping[str, Any]], None]:
    """Return an `update` with these results, or that retries without waiting without them."""
    how: dict[str, Any] = {}
    if results is not None:
        catalogs = results if isinstance(results, Catalogs) else Catalogs(results)
        how["fetching"] = catalogs.fetch

    def update(configuration: Mapping[str, str], state: Mapping[str, Any]) -> None:
        connector.sync(validate_configuration(configuration), state, limits=QUICK, **how)

    return update


def run_sync(
    configuration: Mapping[str, str],
    results: Mapping[str, Result] | Catalogs | None = None,
    state: Mapping[str, Any] | None = None,
    before: Callable[[Operation], None] = lambda operation: None,
) -> Recorded:
    """Run `connector.sync` against recorders, fetching from the network without `results`."""
    operations, log, error = Recorder(before), Recorder(), None
    with patch.multiple(connector, op=operations, log=log):
        try:
            updating(results)(configuration, state or {})
        except Exception as caught:  # noqa: BLE001 (the test looks at it)
            error = caught
    return Recorded(operations, log, error)


def failed(endpoint_name: str) -> EndpointError:
    """Return the final failure of an endpoint."""
    return EndpointError(endpoint_name, "http://mock", 6, FinalError("it is down", "Wait"))


def token_rejected(endpoint_name: str) -> EndpointError:
    """Return the failure of an endpoint that rejected the token."""
    return EndpointError(endpoint_name, "http://mock", 1, TokenRejectedError("401", "Renew it"))
