"""Describe what one response contains and how a sync handles it. Pure."""

from __future__ import annotations

import re
from collections import Counter

from async_client import Catalog, EndpointError, ResponseReceived
from changes import Upsert, make_plan
from devkit.inspect.fields import NOT_SHOWN, Facts, profile, shown
from endpoints import ENDPOINTS, Endpoint
from flatten import Flattener

_HEADER_NAME = re.compile(r"[A-Za-z][\w-]{0,59}", re.ASCII)
# The headers that determine decoding and waits, and the characters allowed in their values.
_HEADER_WITH_VALUE = re.compile(
    r"(content-(type|encoding)|retry-after[\w-]*|(x-)?rate-?limit[\w-]*): [\w ,;:=/.+*\"-]{0,100}",
    re.ASCII | re.IGNORECASE,
)
_KNOWN_PREFIXES = "|".join(
    table.name.replace("_", "-") + "-" for endpoint in ENDPOINTS for table in endpoint.tables
)
_ID = re.compile(rf"({_KNOWN_PREFIXES}|[A-Za-z]{{1,20}}[-_:]?|)\d+", re.ASCII)


def facts_of(
    endpoint: Endpoint, outcome: Catalog | EndpointError, response: ResponseReceived | None
) -> Facts:
    """Return the facts of an endpoint as JSON values: its last response, and what a sync does."""
    failure = outcome if isinstance(outcome, EndpointError) else None
    items = [] if isinstance(outcome, EndpointError) else outcome.items()
    return {
        "endpoint": endpoint.name,
        "response": {
            "status": response and response.status,
            "attempts": failure.attempts if failure else response and response.attempt,
            "seconds": response and round(response.seconds, 3),
            "bytes": response and response.byte_count,
            "items": len(items),
        },
        "failure": failure and failure.failure.reason,
        "headers": [_shown_header(*header) for header in response.headers.items()]
        if response
        else [],
        "shortfall": None if isinstance(outcome, EndpointError) else outcome.shortfall,
        "id_prefixes": Counter(_id_prefix(endpoint, item) for item in items),
        **_flattened(endpoint, items),
        "fields": profile(items),
    }


def _shown_header(name: str, value: str) -> str:
    if _HEADER_WITH_VALUE.fullmatch(f"{name}: {value}"):
        return f"{name}: {value}"
    return name if _HEADER_NAME.fullmatch(name) else NOT_SHOWN


def _id_prefix(endpoint: Endpoint, item: object) -> str:
    """Return the text before the number of an id, if short; a longer text could be a title."""
    value = item.get(endpoint.table.primary_key[0]) if isinstance(item, dict) else None
    match = _ID.fullmatch(value) if isinstance(value, str) else None
    return (match[1] or "(number)") if match else "(other)"


def _flattened(endpoint: Endpoint, items: list[object]) -> Facts:
    """Count what an initial sync would write, reject and coerce."""
    flattener = Flattener(endpoint)
    plan = make_plan(endpoint, None, map(flattener.flatten_item, items))
    outcome = plan.outcome
    rows: Counter[str] = Counter()
    filled: dict[tuple[str, str], bool] = {}
    for operation in plan.operations(items, flattener):
        if isinstance(operation, Upsert):
            rows[operation.table] += 1
            for name, value in operation.row.items():
                cell = operation.table, name
                filled[cell] = filled.get(cell, False) or value is not None
    rejected = Counter({endpoint.table.name: outcome.items - len(plan.snapshot)})
    rejected[endpoint.tables[-1].name] += outcome.rejected - rejected.total()
    declared = {(table.name, name) for table in endpoint.tables for name in table.types}
    return {
        "rows": rows,
        "rejected": +rejected,
        "coerced": Counter(_column(*column) for column in outcome.bad_values.elements()),
        "always_null": [_column(*c) for c in filled if c in declared and not filled[c]],
        "undeclared": sorted({_column(*c) for c in filled.keys() - declared}),
    }


def _column(table: str, name: str) -> str:
    return f"{table}.{shown(name)}"
