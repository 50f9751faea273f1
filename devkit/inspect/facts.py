"""Describe what one response contains and how a sync handles it. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from async_client import EndpointError, evidence
from async_client.charset import to_utf_8
from async_client.response import envelope_names
from changes import Plan, Upsert
from devkit.inspect.fields import LARGEST_NUMBER, NOT_SHOWN, Facts, json_type, profile, shown
from endpoints import ENDPOINTS, Endpoint
from flatten import UndeclaredColumns, flatten_item

Outcome = list[object] | EndpointError  # the items or the failure of a sync
_NO_JSON = object()
_MAX_MEMBERS = 100
_MAX_DEPTH = 4  # as deep as a sync looks for evidence
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


class ReceivedResponse(NamedTuple):
    """The last response of an endpoint, usable or not; `seconds` as in ResponseReceived."""

    endpoint_name: str
    attempt: int
    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray
    seconds: float


def facts_of(endpoint: Endpoint, outcome: Outcome, response: ReceivedResponse | None) -> Facts:
    """Return the facts of an endpoint as JSON values, also if a sync rejects its last response."""
    headers: Mapping[str, str] = response.headers if response else {}
    body = response.body if response else b""
    document = _document(body, headers.get("Content-Type", ""))
    failure = outcome if isinstance(outcome, EndpointError) else None
    items = _listed(endpoint, document) if isinstance(outcome, EndpointError) else outcome
    return {
        "endpoint": endpoint.name,
        "response": {
            "status": response and response.status,
            "attempts": failure.attempts if failure else response and response.attempt,
            "seconds": response and round(response.seconds, 3),
            "bytes": len(body),
            "items": len(items),
        },
        "failure": failure and failure.reason,
        "headers": [_shown_header(name, value) for name, value in headers.items()],
        "envelope": dict(islice(_members(endpoint, document), _MAX_MEMBERS if body else 0)),
        "evidence": _evidence(document if isinstance(document, dict) else {}, headers, len(items)),
        "id_prefixes": Counter(_id_prefix(endpoint, item) for item in items),
        **_flattened(endpoint, items),
        "fields": profile(items),
    }


def _document(body: bytes | bytearray, content_type: str) -> object:
    try:
        return json.loads(to_utf_8(body, content_type) or b"")
    except (ValueError, RecursionError):
        return _NO_JSON


def _listed(endpoint: Endpoint, document: object) -> list[object]:
    """Return the items of a rejected response, if it has a list where a catalog has it."""
    members = document if isinstance(document, dict) else {"data": document}
    lists = (members.get(name) for name in ("data", *envelope_names(endpoint)))
    return next((listed for listed in lists if isinstance(listed, list)), [])


def _members(
    endpoint: Endpoint, document: object, prefix: str = "", levels: int = _MAX_DEPTH
) -> Iterator[tuple[str, str]]:
    """Yield path and type of an envelope's members, and the value of integers and booleans."""
    members = document if isinstance(document, dict) else {"(body)": document}
    for name, value in members.items():
        known = name == "(body)" or name in envelope_names(endpoint)
        path = prefix + (name if known else shown(name))
        yield path, _described(value)
        if isinstance(value, dict) and levels > 1:
            yield from _members(endpoint, value, f"{path}.", levels - 1)


def _described(value: object) -> str:
    if isinstance(value, list):
        return f"list of {len(value):,}"
    if isinstance(value, int) and abs(value) < LARGEST_NUMBER:  # including true and false
        return f"{json_type(value)} {json.dumps(value)}"
    return json_type(value)


def _evidence(members: Mapping[str, object], headers: Mapping[str, str], item_count: int) -> Facts:
    """Return what each rule found that rejects a response or marks it as suspicious."""
    shortfall = evidence.shortfall(members, headers, item_count)
    findings = {
        "error": evidence.error_beside(members),
        "pages": evidence.further_pages(members),
        "pages in headers": evidence.further_pages_in_headers(headers),
        "total": shortfall and shortfall.reason,
    }
    return {rule: finding for rule, finding in findings.items() if finding}


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
    columns: UndeclaredColumns = {}
    plan = Plan(endpoint, {})
    outcome = plan.outcome
    rows: Counter[str] = Counter()
    filled: dict[tuple[str, str], bool] = {}
    for operation in plan.operations(flatten_item(endpoint, item, columns) for item in items):
        if isinstance(operation, Upsert):
            rows[operation.table] += 1
            for name, value in operation.row.items():
                cell = operation.table, name
                filled[cell] = filled.get(cell, False) or value is not None
    rejected = Counter({endpoint.table.name: outcome.items - len(outcome.snapshot)})
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
