"""What a sync tells its operator: log lines, warnings, the summary and the final error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from async_client import CatalogFetched, EndpointError, RetryScheduled, Settings, TokenRefusedError
from async_client.errors import NoSuchCatalogError
from changes import MISSING_SYNCS_BEFORE_DELETE, Outcome
from endpoints import ENDPOINTS

# One line of the summary fits beside the SDK's prefix of 35 columns on a terminal of 80.
_SUMMARY_ROW = "{:13}{:>5}{:>8}{:>6}{:>8}{:>5}"
_COLUMNS_NAMED = 5
_LONGEST_NAME = 120
# `op.warning` takes markup, and the SDK raises on some that is broken: no id must pass for it.
_NO_MARKUP = str.maketrans("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")


def started(settings: Settings, known_endpoints: int) -> str:
    """Say what is about to be fetched from where, and how much is known of the last sync."""
    number = len(settings.endpoints)
    return (
        f"Fetching {number} catalogs from {settings.base_url} at once; "
        f"{known_endpoints} of them known from the last sync."
    )


def token_in_clear(settings: Settings) -> str:
    """Warn of a base_url that is not encrypted."""
    return (
        f"base_url is {settings.base_url}: http is not encrypted, so others on the network "
        "can read the token. Use https."
    )


def retrying(retry: RetryScheduled) -> str:
    """Tell of one failed try."""
    return (
        f"{retry.endpoint_name}: try {retry.failed_attempt} of {retry.max_attempts} failed, "
        f"{retry.reason}; next try in {retry.wait_seconds:.1f} s"
    )


def arrived(arrival: CatalogFetched) -> str:
    """Tell of one catalog that is downloaded."""
    tries = "" if arrival.attempts == 1 else f", {arrival.attempts} tries"
    return (
        f"{arrival.endpoint_name} arrived: {_count(arrival.item_count, 'item')}, "
        f"{_size(arrival.byte_count)}, {arrival.seconds:.2f} s{tries}"
    )


def progress(endpoint_name: str, done_items: int, all_items: int) -> str:
    """Tell how far a large catalog is."""
    return f"{endpoint_name}: {done_items:,} of {all_items:,} items"


def written(endpoint_name: str, outcome: Outcome, seconds: float) -> str:
    """Tell what the replay of one catalog did."""
    return (
        f"{endpoint_name} written: {outcome.new:,} new, {outcome.changed:,} changed, "
        f"{outcome.unchanged:,} unchanged, {outcome.deleted:,} deleted, "
        f"{outcome.deferred:,} deferred; {outcome.upserted_rows:,} upserts, "
        f"{outcome.deleted_rows:,} deletes, {outcome.rejected:,} rejected, {seconds:.2f} s"
    )


def empty(endpoint_name: str) -> str:
    """Warn of an empty catalog that empties its tables."""
    return f"{endpoint_name}: the catalog is empty, and so are its tables now."


def rejections(endpoint_name: str, outcome: Outcome) -> list[str]:
    """Tell of the first few rejected rows, one line each."""
    return [
        f"{endpoint_name}: a row of {rejected.table} is rejected, id {_shown(rejected.id)}: "
        f"{rejected.reason}"
        for rejected in outcome.first_rejected
    ]


def concerns(endpoint_name: str, outcome: Outcome) -> str:
    """Sum up what a person should look at, a sentence each; empty if there is nothing."""
    sentences = []
    if outcome.rejected:
        first = outcome.first_rejected[0]
        sentences.append(
            f"{_count(outcome.rejected, 'row')} rejected, the first of {first.table} "
            f"with id {_shown(first.id)}: {first.reason}."
        )
    if outcome.bad_values:
        sentences.append(
            f"{_count(outcome.bad_values.total(), 'value')} did not fit and became NULL or "
            f"incomplete: {_columns(outcome.bad_values)}."
        )
    if outcome.deferred:
        sentences.append(
            f"{_count(outcome.deferred, 'delete')} deferred, as {outcome.suspicion}: an item is "
            f"deleted once it is missing in {MISSING_SYNCS_BEFORE_DELETE} syncs in a row; "
            "re-sync to delete at once."
        )
    elif outcome.shortfall:
        sentences.append(f"The catalog may be incomplete: {outcome.shortfall}.")
    return f"{endpoint_name}: {' '.join(sentences)}".translate(_NO_MARKUP) if sentences else ""


def summary(outcomes: Mapping[str, Outcome | EndpointError], skipped: Iterable[str]) -> str:
    """Draw the table that ends a sync's log: items by what became of them, a line per endpoint."""
    lines = ["What became of the items:"]
    lines.append(_SUMMARY_ROW.format("", "new", "changed", "same", "deleted", "kept"))
    for name in (endpoint.name for endpoint in ENDPOINTS):
        outcome = outcomes.get(name)
        if isinstance(outcome, Outcome):
            lines.append(
                _SUMMARY_ROW.format(
                    name,
                    outcome.new,
                    outcome.changed,
                    outcome.unchanged,
                    outcome.deleted,
                    outcome.deferred,
                )
            )
        elif outcome is not None:
            lines.append(f"{name:13}  failed, left as it was")
        else:
            lines.append(f"{name:13}  {'skipped' if name in skipped else 'not reached'}")
    return "\n".join(lines)


def failure(failures: Iterable[EndpointError], endpoints: int) -> str:
    """Explain the sync's failure: each endpoint, why, and what to do."""
    failed = list(failures)
    refused = [error for error in failed if isinstance(error, TokenRefusedError)]
    if refused:
        head = "The token is refused, so the sync ended."
    else:
        head = (
            f"{_count(len(failed), 'endpoint')} of {endpoints} could not be read. Their tables "
            "stay as they were; all others are up to date."
        )
    return "\n".join([head, *(f"- {error}" for error in failed)])


def unreadable_endpoints(errors: Mapping[str, EndpointError | None]) -> str:
    """Explain a failed connection test; empty if every endpoint that was asked answers."""
    failed = {name: error for name, error in errors.items() if error is not None}
    refused = [error for error in failed.values() if isinstance(error, TokenRefusedError)]
    if refused:
        return f"DataCamp refuses the token: {refused[0].reason}. {refused[0].advice}."
    closed = [name for name, error in failed.items() if isinstance(error, NoSuchCatalogError)]
    if closed and len(closed) == len(errors):
        return (
            f"No catalog can be read: {failed[closed[0]].reason}. Check base_url, and ask "
            "DataCamp what the token may read."
        )
    if failed and len(failed) == len(errors):
        error = next(iter(failed.values()))
        return f"No catalog can be read: {error.reason}. {error.advice}."
    sentences = [_closed(closed, failed, errors)] if closed else []
    sentences += [
        f"{name} cannot be read: {error.reason}. {error.advice}."
        for name, error in failed.items()
        if name not in closed
    ]
    return " ".join(sentences)


def _closed(
    names: list[str], failed: Mapping[str, EndpointError], asked: Mapping[str, object]
) -> str:
    """Offer to skip what the token cannot read, beside what is skipped already."""
    reasons = ", ".join(dict.fromkeys(failed[name].reason for name in names))
    skip = [e.name for e in ENDPOINTS if e.name in names or e.name not in asked]
    return (
        f"The token cannot read {', '.join(names)}: {reasons}. Ask DataCamp to include "
        f"{'it' if len(names) == 1 else 'them'}, or set skip_endpoints to: {', '.join(skip)}."
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _shown(name: str) -> str:
    """Show an id or a field name of the API: on one line, and not at a length without end."""
    text = name if name.isprintable() else repr(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"


def _columns(bad_values: Mapping[tuple[str, str], int]) -> str:
    ordered = sorted(bad_values.items(), key=lambda entry: (-entry[1], entry[0]))
    named = [f"{table}.{_shown(column)} {number:,}" for (table, column), number in ordered]
    more = len(named) - _COLUMNS_NAMED
    return ", ".join(named[:_COLUMNS_NAMED]) + (
        f" and {_count(more, 'more column')}" if more > 0 else ""
    )


def _size(byte_count: int) -> str:
    return f"{byte_count / 1e6:.1f} MB" if byte_count >= 100_000 else f"{byte_count / 1e3:.1f} kB"
