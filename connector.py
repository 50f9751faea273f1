"""DataCamp's catalog for Fivetran: what the SDK calls, and every operation that is emitted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from fivetran_connector_sdk import ConfigurationForm, Connector, Test, form_field
from fivetran_connector_sdk import Logging as log
from fivetran_connector_sdk import Operations as op

import report
from async_client import (
    Catalog,
    EndpointError,
    Event,
    Limits,
    RetryScheduled,
    Settings,
    TokenRefusedError,
    UnreadableItem,
    fetching,
    probe_all,
    validate_configuration,
)
from changes import Delete, Operation, Outcome, Progress, Snapshot, Upsert, plan, resume
from endpoints import ENDPOINTS, Endpoint
from flatten import Flattened, Rejected, UndeclaredColumns, flatten_item

LIMITS = Limits()
PROGRESS_ITEMS = 10_000

# Name, label, description and placeholder of the form's fields that may stay empty.
_OPTIONAL_FIELDS = (
    (
        "base_url",
        "Base URL",
        "Address of the API. Leave it empty for DataCamp's own.",
        "https://lms-catalog-api.datacamp.com",
    ),
    (
        "request_timeout_seconds",
        "Request timeout in seconds",
        "How long the API may stay silent before a request is given up.",
        "30",
    ),
    (
        "skip_endpoints",
        "Endpoints to skip",
        "What your license does not include, separated by commas, from: "
        + ", ".join(endpoint.name for endpoint in ENDPOINTS),
        "custom_tracks",
    ),
)


class SyncError(Exception):
    """The sync is not complete; what was checkpointed stays, and the text says what to do."""


def schema(configuration: Mapping[str, str]) -> list[dict[str, object]]:  # noqa: ARG001
    """Declare the tables with their primary keys and the types of all columns that are known."""
    return [
        {"table": table.name, "primary_key": list(table.primary_key), "columns": table.types}
        for endpoint in ENDPOINTS
        for table in endpoint.tables
    ]


def update(configuration: Mapping[str, str], state: Mapping[str, object]) -> None:
    """Fetch all catalogs at once and write what changed, one catalog after another.

    Raises ValueError for a configuration that cannot work, and SyncError when an endpoint could
    not be read, after the others were written.
    """
    settings = validate_configuration(configuration)
    if settings.sends_token_unencrypted:
        _warn(report.token_in_clear(settings))
    with _exits_as_failures(), fetching(settings, LIMITS, _on_event) as catalogs:
        progress = resume(state, settings.base_url, [endpoint.name for endpoint in ENDPOINTS])
        for note in progress.notes:
            log.warning(note)
        log.info(report.started(settings, len(progress.snapshots)))
        outcomes = _replay(settings, catalogs, progress)
    skipped = {e.name for e in ENDPOINTS}.difference(e.name for e in settings.endpoints)
    log.info(report.summary(outcomes, skipped))
    failures = [outcome for outcome in outcomes.values() if isinstance(outcome, EndpointError)]
    if failures:
        raise SyncError(report.failure(failures, len(settings.endpoints)))


def configuration_form() -> ConfigurationForm:
    """Describe the setup form: four fields and a test that asks every endpoint."""
    form = ConfigurationForm()
    form.add_field(
        form_field.TextField(
            name="bearer_token",
            label="Bearer token",
            field_type=form_field.TextField.password,
            required=True,
            description="The LMS Catalog API token that DataCamp issued for your organisation.",
        )
    )
    for name, label, description, placeholder in _OPTIONAL_FIELDS:
        form.add_field(
            form_field.TextField(
                name=name, label=label, description=description, placeholder=placeholder
            )
        )
    form.add_test(label="Read every catalog", func=connection_test)
    return form


def connection_test(configuration: Mapping[str, str]) -> object:
    """Ask every endpoint that is not skipped once; name those that the token cannot read."""
    try:
        settings = validate_configuration(configuration)
        problem = report.unreadable_endpoints(asyncio.run(probe_all(settings, LIMITS)))
    except ValueError as refused:
        problem = str(refused)
    return Test().failure(problem) if problem else Test().success()


def process_endpoint(endpoint: Endpoint, catalog: Catalog, before: Snapshot | None) -> Outcome:
    """Write one catalog: decode and flatten item by item, emit what differs from `before`."""
    started = time.monotonic()
    outcome = Outcome(shortfall=catalog.shortfall)
    for operation in plan(endpoint, _flattened(endpoint, catalog), before, outcome):
        _emit(operation)
    log.info(report.written(endpoint.name, outcome, time.monotonic() - started))
    for line in report.rejections(endpoint.name, outcome):
        log.warning(line)
    if before is None and not len(catalog):
        log.warning(report.empty(endpoint.name))
    concerns = report.concerns(endpoint.name, outcome)
    if concerns:
        _warn(concerns)
    return outcome


def _replay(
    settings: Settings, catalogs: dict[str, Future[Catalog]], progress: Progress
) -> dict[str, Outcome | EndpointError]:
    """Write the catalogs in their order, each as soon as it and all before it have arrived.

    The state names the endpoint that is being written before anything of it is emitted. Returns
    what became of each endpoint; it ends early when the token is refused.
    """
    outcomes: dict[str, Outcome | EndpointError] = {}
    writing: str | None = None  # the endpoint that the last checkpoint of this sync names
    followers = [*(endpoint.name for endpoint in settings.endpoints[1:]), None]
    for endpoint, follower in zip(settings.endpoints, followers, strict=True):
        failure = _failure(catalogs, endpoint.name)
        if failure is not None:
            log.error(str(failure))
            outcomes[endpoint.name] = failure
        if isinstance(failure, TokenRefusedError):
            if writing is not None:
                _checkpoint(progress, None)
            break
        if failure is None:
            if writing != endpoint.name:
                _checkpoint(progress, endpoint.name)
            before = progress.snapshots.get(endpoint.name)
            outcome = process_endpoint(endpoint, catalogs.pop(endpoint.name).result(), before)
            progress.landed(endpoint.name, outcome.snapshot)
            outcomes[endpoint.name] = outcome
        if failure is None or writing == endpoint.name:
            writing = follower
            _checkpoint(progress, writing)
    return outcomes


def _failure(catalogs: Mapping[str, Future[Catalog]], endpoint_name: str) -> EndpointError | None:
    """Wait for a catalog; gives why there is none, or that the token was refused for another."""
    failure = catalogs[endpoint_name].exception()
    for future in catalogs.values():
        if future.done() and isinstance(future.exception(), TokenRefusedError):
            failure = future.exception()
    if failure is None or isinstance(failure, EndpointError):
        return failure
    raise failure


def _flattened(endpoint: Endpoint, catalog: Catalog) -> Iterator[Flattened]:
    columns: UndeclaredColumns = {}
    for number, item in enumerate(catalog, start=1):
        if isinstance(item, UnreadableItem):
            yield reject_item(endpoint, item.problem)
        else:
            yield flatten_item(endpoint, item, columns)
        if number % PROGRESS_ITEMS == 0:
            log.info(report.progress(endpoint.name, number, len(catalog)))


def reject_item(endpoint: Endpoint, reason: str) -> Flattened:
    """Return the result for an item that cannot be read."""
    return Flattened(None, None, {}, [Rejected(endpoint.table.name, "?", reason)], [])


def _emit(operation: Operation) -> None:
    # No try around these: the first operation that raises fails the sync, caught or not.
    if isinstance(operation, Upsert):
        # Insert the row, or replace the one with its key: columns that it lacks become NULL.
        op.upsert(operation.table, operation.row)
    elif isinstance(operation, Delete):
        # Mark the row with this key as deleted; it stays in the table.
        op.delete(operation.table, operation.key)
    else:
        # Mark every row as deleted that was there before; the upserts that follow revive theirs.
        op.truncate(operation.table)


def _checkpoint(progress: Progress, writing: str | None) -> None:
    # Commit all that was emitted, and the state that the next sync starts from.
    op.checkpoint(progress.state(writing))


def _warn(text: str) -> None:
    log.warning(text)
    # The dashboard shows a sync's first ten of these to people who do not read the log.
    op.warning(text)


def _on_event(event: Event) -> None:
    if isinstance(event, RetryScheduled):
        log.warning(report.retrying(event))
    else:
        log.info(report.arrived(event))


@contextmanager
def _exits_as_failures() -> Iterator[None]:
    """Let nothing but an Exception out: the gRPC SDK takes any other exit for a success."""
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
