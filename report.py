"""The text of a sync's log lines, warnings, summary and final error. Pure, and without secrets.

Reasons are worded by the package that detects them: `async_client` (requests and responses),
`flatten` (rejected rows), `changes` (deferred deletes, the saved state).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from async_client import (
    CatalogFetched,
    EndpointError,
    NotIncludedError,
    RetryScheduled,
    TokenRejectedError,
)
from changes import SYNCS_BEFORE_ACCEPTANCE, Outcome, StateTooLargeError
from endpoints import ENDPOINTS

# What became of an endpoint.
Result = Outcome | EndpointError | StateTooLargeError

_MAX_COLUMNS_NAMED = 5
_MAX_NAME_LENGTH = 120
# `op.warning` takes markup, and the SDK raises on malformed markup: no id may be read as such.
_NO_MARKUP = str.maketrans("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")

INSPECT = "For details, run python -m devkit.inspect in a clone of the connector."


def started(base_url: str, endpoint_names: Collection[str], known: Collection[str]) -> str:
    """Announce a sync: initial, or incremental for the endpoints with a snapshot (`known`)."""
    fetching = f"fetching {_count(len(endpoint_names), 'catalog')} from {base_url}"
    if not known:
        return f"Initial sync: {fetching}."
    unknown = [name for name in endpoint_names if name not in known]
    rest = f"; to be rewritten: {', '.join(unknown)}" if unknown else ""
    return f"Incremental sync: {fetching}{rest}."


def unencrypted(base_url: str) -> str:
    """Warn that the token is sent unencrypted."""
    return (
        f"base_url is {base_url}: http is unencrypted, so others on the network can read the "
        "token. Use https."
    )


def retrying(retry: RetryScheduled) -> str:
    """Describe one failed attempt and the wait before the next."""
    if retry.max_attempts is None:
        return (
            f"{retry.endpoint_name}: {retry.reason}; endpoints that reached the limit now send "
            f"one request at a time, the next in {retry.wait_seconds:.1f} s"
        )
    return (
        f"{retry.endpoint_name}: attempt {retry.failed_attempt} of {retry.max_attempts} failed: "
        f"{retry.reason}; retrying in {retry.wait_seconds:.1f} s"
    )


def fetched(event: CatalogFetched, waiting_for: str | None) -> str:
    """Describe a catalog that was downloaded; `waiting_for` is written before it, if not None."""
    attempts = "" if event.attempts == 1 else f", {event.attempts} attempts"
    waiting = f"; waiting for {waiting_for}" if waiting_for else ""
    return (
        f"{event.endpoint_name} fetched: {_count(event.item_count, 'item')}, "
        f"{_size(event.byte_count)}, {event.seconds:.2f} s{attempts}{waiting}"
    )


def written(endpoint_name: str, outcome: Outcome, seconds: float) -> str:
    """Report what the replay of one catalog did; counts of zero are left out."""
    rows = {
        "upserted": outcome.upserted_rows,
        "deleted": outcome.deleted_rows,
        "rejected": outcome.rejected,
    }
    parts = [_items(outcome) or "no items"]
    parts += [f"{_count(number, 'row')} {done}" for done, number in rows.items() if number]
    return f"{endpoint_name} written: {'; '.join(parts)}; {seconds:.2f} s"


def empty(endpoint_name: str) -> str:
    """Warn that a catalog was empty in the first sync of its tables."""
    return f"{endpoint_name}: the catalog is empty; its rows were marked as deleted."


def rejections(endpoint_name: str, outcome: Outcome) -> list[str]:
    """Describe the first few rejected rows, one line each."""
    return [
        f"{endpoint_name}: rejected a row of {rejected.table} with id {_shown(rejected.id)}: "
        f"{rejected.reason}"
        for rejected in outcome.first_rejected
    ]


def concerns(endpoint_name: str, outcome: Outcome) -> str:
    """Summarize what a person should look at, a sentence each; empty if there is nothing."""
    sentences = []
    if outcome.rejected:
        first = outcome.first_rejected[0]
        sentences.append(
            f"{_count(outcome.rejected, 'row')} rejected; the first is of {first.table}, "
            f"id {_shown(first.id)}: {first.reason}."
        )
    if outcome.bad_values:
        sentences.append(
            f"{_count(outcome.bad_values.total(), 'value')} did not fit and became NULL or "
            f"incomplete: {_columns(outcome.bad_values)}."
        )
    if outcome.unreadable_lists:
        sentences.append(
            f"{_count(outcome.unreadable_lists, 'nested list')} could not be read, as another "
            "value is in its place; the rows of such a list are neither written nor deleted."
        )
    if outcome.deferred_changes:
        sentences.append(
            f"{_count(outcome.deferred_changes, 'change')} deferred because "
            f"{outcome.child_suspicion}. An item that lost rows is written once it comes so in "
            f"{SYNCS_BEFORE_ACCEPTANCE} syncs in a row; re-sync to write it at once."
        )
    if outcome.deferred_deletes:
        sentences.append(
            f"{_count(outcome.deferred_deletes, 'delete')} deferred because {outcome.suspicion}. "
            f"An item is deleted once it is missing in {SYNCS_BEFORE_ACCEPTANCE} syncs in a row; "
            "re-sync to delete at once."
        )
    elif outcome.shortfall:
        sentences.append(f"The catalog may be incomplete: {outcome.shortfall}.")
    return f"{endpoint_name}: {' '.join(sentences)}".translate(_NO_MARKUP) if sentences else ""


def finished(results: Mapping[str, Result], endpoint_names: Collection[str]) -> str:
    """Return the last line of a sync's log: all items by outcome, and what was not written.

    `endpoint_names` are those that were not skipped.
    """
    done = {name: result for name, result in results.items() if isinstance(result, Outcome)}
    # A rejected token ends the sync while it waits for any endpoint, but one rejected it.
    failed = {r.endpoint_name for r in results.values() if not isinstance(r, Outcome)}
    not_written = {
        "failed": [name for name in endpoint_names if name in failed],
        "not reached": [name for name in endpoint_names if name not in failed | done.keys()],
        "skipped": [e.name for e in ENDPOINTS if e.name not in endpoint_names],
    }
    parts = [f"{len(done)} of {_count(len(endpoint_names), 'catalog')} written"]
    parts += [items] if (items := _items(*done.values())) else []
    parts += [f"{label}: {', '.join(names)}" for label, names in not_written.items() if names]
    head = "Sync finished" if len(done) == len(endpoint_names) else "Sync failed"
    return f"{head}. {'; '.join(parts)}."


def failure(results: Mapping[str, object], endpoint_names: Collection[str]) -> str:
    """Explain the sync's failure: each endpoint, why, and what to do."""
    failed = [result for result in results.values() if isinstance(result, Exception)]
    written = len(results) - len(failed)
    lines = [f"- {error}" for error in dict.fromkeys(failed)]  # a rejected token is one error
    if any(is_token_rejected(result) for result in failed):
        head = "DataCamp rejected the token (HTTP 401); the sync stopped."
    elif written == 0:
        every = f"All {len(failed)} catalogs" if len(failed) > 1 else "The catalog"
        head = f"{every} failed; no table was changed."
    else:
        head = (
            f"{len(failed)} of {_count(len(endpoint_names), 'catalog')} failed; "
            f"{'its' if len(failed) == 1 else 'their'} tables are unchanged. "
            f"The other {'one is' if written == 1 else f'{written} are'} up to date."
        )
    return "\n".join([head, *lines])


def is_token_rejected(result: object) -> bool:
    """Return whether an endpoint failed because the server rejected the token."""
    return isinstance(result, EndpointError) and isinstance(result.failure, TokenRejectedError)


def unreadable_endpoints(errors: Mapping[str, EndpointError | None]) -> str:
    """Explain a failed connection test; empty if every requested endpoint can be read."""
    problem = _unreadable(errors)
    return f"{problem} {INSPECT}" if problem else ""


def _unreadable(errors: Mapping[str, EndpointError | None]) -> str:
    failed = {name: error for name, error in errors.items() if error is not None}
    rejected = [
        error for error in failed.values() if isinstance(error.failure, TokenRejectedError)
    ]
    if rejected:
        return f"DataCamp rejected the token: {rejected[0].reason}. {rejected[0].advice}."
    closed = [
        name for name, error in failed.items() if isinstance(error.failure, NotIncludedError)
    ]
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
    """Suggest skipping what the token cannot read, beside what is skipped already."""
    reasons = ", ".join(dict.fromkeys(failed[name].reason for name in names))
    skip = [e.name for e in ENDPOINTS if e.name in names or e.name not in asked]
    return (
        f"The token cannot read {', '.join(names)}: {reasons}. Ask DataCamp to include "
        f"{'it' if len(names) == 1 else 'them'}, or set skip_endpoints to: {', '.join(skip)}."
    )


def _items(*outcomes: Outcome) -> str:
    """List the items by outcome, counts of zero left out; empty if there are none."""
    counts = {
        "new": sum(outcome.new for outcome in outcomes),
        "changed": sum(outcome.changed for outcome in outcomes),
        "unchanged": sum(outcome.unchanged for outcome in outcomes),
        "deleted": sum(outcome.deleted for outcome in outcomes),
    }
    parts = [f"{number:,} {name}" for name, number in counts.items() if number]
    deferred = {
        "change": sum(outcome.deferred_changes for outcome in outcomes),
        "delete": sum(outcome.deferred_deletes for outcome in outcomes),
    }
    waiting = " and ".join(_count(number, noun) for noun, number in deferred.items() if number)
    return ", ".join([*parts, *([f"{waiting} deferred"] if waiting else [])])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _shown(name: str) -> str:
    """Return an id or a field name of the API on one line and at a bounded length."""
    text = name if name.isprintable() else repr(name)
    return text if len(text) <= _MAX_NAME_LENGTH else f"{text[:_MAX_NAME_LENGTH]}…"


def _columns(bad_values: Mapping[tuple[str, str], int]) -> str:
    ordered = sorted(bad_values.items(), key=lambda entry: (-entry[1], entry[0]))
    named = [f"{table}.{_shown(column)} {number:,}" for (table, column), number in ordered]
    more = len(named) - _MAX_COLUMNS_NAMED
    return ", ".join(named[:_MAX_COLUMNS_NAMED]) + (
        f" and {_count(more, 'more column')}" if more > 0 else ""
    )


def _size(byte_count: int) -> str:
    return f"{byte_count / 1e6:.1f} MB" if byte_count >= 100_000 else f"{byte_count / 1e3:.1f} kB"
