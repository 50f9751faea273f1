"""DataCamp's catalog for Fivetran: the functions that the SDK calls, and all operations."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from fivetran_connector_sdk import ConfigurationForm, Connector, Test, form_field
from fivetran_connector_sdk import Logging as log
from fivetran_connector_sdk import Operations as op

import report
from async_client import (
    Catalog,
    CatalogFetched,
    Catalogs,
    EndpointError,
    Event,
    Limits,
    RetryScheduled,
    TokenRejectedError,
    fetching,
    probe_all,
    validate_configuration,
)
from changes import Delete, Operation, Outcome, Plan, Progress, Snapshot, Upsert, resume
from endpoints import ENDPOINTS, Endpoint
from flatten import Flattened, UndeclaredColumns, flatten_item

LIMITS = Limits()
PROGRESS_ITEMS = 10_000

# Name, label, description and placeholder of the form's fields that may stay empty.
_OPTIONAL_FIELDS = (
    (
        "base_url",
        "Base URL",
        "URL of the API. Leave it empty for DataCamp's own.",
        "https://lms-catalog-api.datacamp.com",
    ),
    (
        "request_timeout_seconds",
        "Request timeout in seconds",
        "How long a request may receive no data before it times out.",
        "30",
    ),
    (
        "skip_endpoints",
        "Endpoints to skip",
        "Catalogs that your license does not include, separated by commas, of: "
        + ", ".join(endpoint.name for endpoint in ENDPOINTS),
        "custom_tracks",
    ),
)


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

    Raises ValueError for a configuration that cannot work. Raises SyncError if an endpoint could
    not be fetched, after the others were written.
    """
    settings = validate_configuration(configuration)
    if settings.sends_token_unencrypted:
        _warn(report.unencrypted(settings.base_url))
    names = [endpoint.name for endpoint in settings.endpoints]
    outcomes: dict[str, Outcome | EndpointError] = {}

    def on_event(event: Event) -> None:
        if isinstance(event, RetryScheduled):
            log.warning(report.retrying(event))
        elif isinstance(event, CatalogFetched):
            next_name = next((name for name in names if name not in outcomes), None)
            waiting_for = next_name if next_name != event.endpoint_name else None
            log.info(report.fetched(event, waiting_for))

    with _exits_as_failures(), fetching(settings, LIMITS, on_event) as catalogs:
        progress = resume(state, settings.base_url, [endpoint.name for endpoint in ENDPOINTS])
        for note in progress.notes:
            log.warning(note)
        log.info(report.started(settings.base_url, names, progress.snapshots))
        for endpoint, result in _replay(settings.endpoints, catalogs, progress):
            outcomes[endpoint.name] = result
    log.info(report.summary(outcomes, [e.name for e in ENDPOINTS if e.name not in names]))
    failures = [result for result in outcomes.values() if isinstance(result, EndpointError)]
    if failures:
        raise SyncError(report.failure(failures, len(names)))


def configuration_form() -> ConfigurationForm:
    """Return the setup form: four fields, and a test that requests every endpoint."""
    form = ConfigurationForm()
    form.add_field(
        form_field.TextField(
            name="bearer_token",
            label="Bearer token",
            field_type=form_field.TextField.password,
            required=True,
            description="The LMS Catalog API token that DataCamp issued to your organization.",
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
    """Request every endpoint that is not skipped; name those that the token cannot read."""
    try:
        settings = validate_configuration(configuration)
        problem = report.unreadable_endpoints(asyncio.run(probe_all(settings, LIMITS)))
    except ValueError as error:
        problem = str(error)
    return Test().failure(problem) if problem else Test().success()


def process_endpoint(endpoint: Endpoint, catalog: Catalog, before: Snapshot | None) -> Outcome:
    """Write one catalog: decode and flatten it item by item, emit what differs from `before`.

    Without a snapshot (`before` is None) its tables are truncated and written from scratch.
    """
    started = time.monotonic()
    plan = Plan(endpoint, before, catalog.shortfall)
    for operation in plan.operations(_flattened(endpoint, catalog)):
        _emit(operation)
    outcome = plan.outcome
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
    endpoints: Sequence[Endpoint], catalogs: Catalogs, progress: Progress
) -> Iterator[tuple[Endpoint, Outcome | EndpointError]]:
    """Write the catalogs in the order of `endpoints`, whatever order they arrive in.

    Yields each endpoint with its outcome; ends early if the token is rejected.

    The order of checkpoints is what makes an interrupted sync safe. The state of the last one
    always names the endpoint that is written after it, so that the next sync knows whose tables
    may hold half a catalog and rewrites just those. Hence one checkpoint before the first write,
    one after each endpoint from then on, and none if nothing was written.
    """
    has_written = False
    followers = [*(endpoint.name for endpoint in endpoints[1:]), None]
    for endpoint, follower in zip(endpoints, followers, strict=True):
        fetched = catalogs.take(endpoint.name)
        result: Outcome | EndpointError
        if isinstance(fetched, Catalog):
            if not has_written:
                _checkpoint(progress, endpoint.name)
                has_written = True
            before = progress.snapshots.get(endpoint.name)
            result = process_endpoint(endpoint, fetched, before)
            progress.record_snapshot(endpoint.name, result.snapshot)
        else:
            log.error(str(fetched))
            result = fetched
        del fetched  # its body may take 32 MiB
        rejected = isinstance(result, EndpointError) and isinstance(
            result.failure, TokenRejectedError
        )
        if has_written:
            _checkpoint(progress, None if rejected else follower)
        yield endpoint, result
        if rejected:
            return


def _flattened(endpoint: Endpoint, catalog: Catalog) -> Iterator[Flattened]:
    columns: UndeclaredColumns = {}
    for number, item in enumerate(catalog.items(), start=1):
        yield flatten_item(endpoint, item, columns)
        if number % PROGRESS_ITEMS == 0:
            log.info(report.progress(endpoint.name, number, len(catalog)))


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


def _checkpoint(progress: Progress, writing: str | None) -> None:
    # Commit the operations so far, together with the state that the next sync starts from.
    op.checkpoint(progress.state(writing))


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
