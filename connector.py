"""DataCamp's catalog for Fivetran: the functions that the SDK calls, and all operations."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from fivetran_connector_sdk import ConfigurationForm, Connector, Test, form_field
from fivetran_connector_sdk import Logging as log
from fivetran_connector_sdk import Operations as op

import report
from async_client import (
    SETTINGS,
    Catalog,
    CatalogFetched,
    Catalogs,
    Event,
    Limits,
    RetryScheduled,
    Settings,
    fetching,
    normalized_url,
    probe_all,
    validate_configuration,
)
from changes import (
    Delete,
    Operation,
    Outcome,
    State,
    StateTooLargeError,
    Upsert,
    make_plan,
    resume,
)
from endpoints import ENDPOINTS, Endpoint
from flatten import Flattener

Fetching = Callable[[Settings, Limits, Callable[[Event], None]], AbstractContextManager[Catalogs]]

LIMITS = Limits()


class SyncError(Exception):
    """The sync is incomplete; checkpointed rows are kept. The text says what to do."""


def schema(configuration: Mapping[str, str]) -> list[dict[str, object]]:  # noqa: ARG001
    """Return the tables with their primary keys and the types of all known columns."""
    return [
        {"table": table.name, "primary_key": list(table.primary_key), "columns": table.types}
        for endpoint in ENDPOINTS
        for table in endpoint.tables
    ]


def update(configuration: Mapping[str, str], state: Mapping[str, object]) -> None:
    """Fetch all catalogs at once and write what changed, one catalog after another.

    Raise ValueError for a configuration that cannot work, and SyncError if an endpoint failed,
    after the others were written.
    """
    sync(validate_configuration(configuration), state)


def sync(
    settings: Settings,
    state: Mapping[str, object],
    *,
    fetching: Fetching = fetching,
    limits: Limits = LIMITS,
) -> None:
    """Run one sync of `update`; `fetching` and `limits` are for tests and measurements."""
    for note in settings.notes:
        _warn(note)
    if settings.sends_token_unencrypted:
        _warn(report.unencrypted(settings.base_url))
    names = [endpoint.name for endpoint in settings.endpoints]
    results: dict[str, report.Result] = {}
    arrived: set[str] = set()

    def on_event(event: Event) -> None:
        if isinstance(event, RetryScheduled):
            # There can be hundreds of attempts after a rate limit, so only the first is logged.
            if event.max_attempts is not None or event.failed_attempt == 1:
                log.warning(report.retrying(event))
        elif isinstance(event, CatalogFetched):
            arrived.add(event.endpoint_name)
            next_name = next(name for name in names if name not in results)
            log.info(report.fetched(event, None if next_name in arrived else next_name))

    with _exits_as_failures(), fetching(settings, limits, on_event) as catalogs:
        known = _resume(state, settings.base_url)
        log.info(report.started(settings.base_url, names, known.endpoints))
        for endpoint, result in _replay(settings.endpoints, catalogs, known):
            results[endpoint.name] = result
    if any(isinstance(result, Exception) for result in results.values()):
        log.error(report.finished(results, names))
        raise SyncError(report.failure(results, names))
    log.info(report.finished(results, names))


def configuration_form() -> ConfigurationForm:
    """Return the setup form: a field for each setting, and a test that requests every endpoint."""
    form = ConfigurationForm()
    visible, masked = form_field.TextField.plain_text, form_field.TextField.password
    for setting in SETTINGS:
        form.add_field(
            form_field.TextField(
                name=setting.name,
                label=setting.label,
                field_type=masked if setting.is_secret else visible,
                required=setting.default is None,
                description=setting.description,
                placeholder=setting.placeholder,
            )
        )
    form.add_test(label="Read every catalog", func=connection_test)
    return form


def connection_test(configuration: Mapping[str, str]) -> object:
    """Request every endpoint that is not skipped; name those that the token cannot read."""
    try:
        settings = validate_configuration(configuration)
        problem = report.unreadable_endpoints(asyncio.run(probe_all(settings, LIMITS)))
    except ValueError as error:
        problem = str(error)
    return Test().failure(problem) if problem else Test().success()


def process_endpoint(
    endpoint: Endpoint, catalog: Catalog, state: State
) -> tuple[Outcome | StateTooLargeError, State]:
    """Write what differs between a catalog and the snapshot of its endpoint in `state`.

    Return the outcome, and the state that was saved last.

    A sync may be killed at any moment, and what was emitted since the last checkpoint may or may
    not have reached the destination. So the state saved before the first operation already says
    that the touched items are unknown; all others stay known. Tables without a snapshot have none
    until they are written, so they need that checkpoint only to replace a state of other tables.
    """
    started = time.monotonic()
    items, flattener = catalog.items(), Flattener(endpoint)
    before = state.snapshot(endpoint.name)
    flattened = map(flattener.flatten_item, items)
    plan = make_plan(endpoint, before, flattened, catalog.shortfall)
    in_flight = state if before is None else state.record(endpoint.name, plan.in_flight)
    done = state.record(endpoint.name, plan.snapshot)
    if in_flight.is_too_large() or done.is_too_large():
        return StateTooLargeError(endpoint.name), state
    if plan.has_operations and (before is not None or state.is_stale):
        _checkpoint(in_flight)
    for operation in plan.operations(items, flattener):
        _emit(operation)
    _checkpoint(done)
    _report(endpoint.name, plan.outcome, time.monotonic() - started)
    if before is None and not items:
        log.warning(report.empty(endpoint.name))
    return plan.outcome, done


def _resume(saved: Mapping[str, object], source: str) -> State:
    saved_source = saved.get("source")
    if isinstance(saved_source, str):  # version 1.0.0 saved base_url as it was spelled
        saved = {**saved, "source": normalized_url(saved_source)}
    state, notes = resume(saved, source, [endpoint.name for endpoint in ENDPOINTS])
    for note in notes:
        log.warning(note)
    return state


def _replay(
    endpoints: Sequence[Endpoint], catalogs: Catalogs, state: State
) -> Iterator[tuple[Endpoint, report.Result]]:
    """Write the catalogs in the order of `endpoints`, whatever order they arrive in.

    Yield each endpoint with its outcome or error; end early if the token is rejected.
    """
    for endpoint in endpoints:
        result: report.Result | Catalog = catalogs.take(endpoint.name)
        if isinstance(result, Catalog):
            result, state = process_endpoint(endpoint, result, state)
        if isinstance(result, Exception):
            log.error(str(result))
        yield endpoint, result
        if report.is_token_rejected(result):
            return


def _emit(operation: Operation) -> None:
    # No try around these: an operation that raises has failed in the SDK, which fails the sync
    # whether or not the exception is caught. Continuing would record rows as written that are not.
    if isinstance(operation, Upsert):
        # Insert the row, or replace the one with its primary key; missing columns become NULL.
        op.upsert(operation.table, operation.row)
    elif isinstance(operation, Delete):
        # Mark the row with this primary key as deleted; it stays in the table.
        op.delete(operation.table, operation.key)
    else:
        # Mark all rows as deleted; the upserts that follow bring back those of the catalog.
        op.truncate(operation.table)


def _checkpoint(state: State) -> None:
    # Commit the operations so far, together with the state that the next sync starts from.
    op.checkpoint(state.to_json())


def _report(endpoint_name: str, outcome: Outcome, seconds: float) -> None:
    log.info(report.written(endpoint_name, outcome, seconds))
    for line in report.rejections(endpoint_name, outcome):
        log.warning(line)
    concerns = report.concerns(endpoint_name, outcome)
    if concerns:
        _warn(concerns)


def _warn(text: str) -> None:
    log.warning(text)
    # Fivetran's dashboard shows the first ten of a sync, to people who do not read the log.
    op.warning(text)


@contextmanager
def _exits_as_failures() -> Iterator[None]:
    """Turn any other BaseException into SyncError: the gRPC SDK treats such an exit as success."""
    try:
        yield
    except Exception:
        raise
    except BaseException as stop:
        raise SyncError(f"The sync was interrupted ({type(stop).__name__}).") from stop


connector = Connector(update=update, schema=schema, configuration_form=configuration_form)

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    connector.debug(
        project_path=str(folder),
        configuration=json.loads((folder / "configuration.json").read_text(encoding="utf-8")),
    )
