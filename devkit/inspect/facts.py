"""What one response shows of the API, and what a sync makes of it; see `fields` for texts. Pure.

The facts are plain values for JSON: a section for each question, empty if there is no answer.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from async_client import evidence
from async_client.charset import to_utf_8
from devkit.inspect.fetch import Fetched
from devkit.inspect.fields import NOT_SHOWN, Facts, json_type, profile, shown
from endpoints import ENDPOINTS, Endpoint
from flatten import Flattened, Row, UndeclaredColumns, flatten_item

_NO_JSON = object()
_DEEPEST_LEVEL = 4  # as deep as a sync looks for evidence
_LARGEST_WHOLE = 10**15
_HEADER_NAME = re.compile(r"[A-Za-z][\w-]{0,59}", re.ASCII)
# What decides on decoding and on waits, and what its values consist of.
_HEADER_WITH_VALUE = re.compile(
    r"(content-(type|encoding)|retry-after[\w-]*|(x-)?rate-?limit[\w-]*)"
    r": [\w ,;:=/.+*\"-]{0,100}",
    re.ASCII | re.IGNORECASE,
)
_KNOWN_PREFIXES = [table.name.replace("_", "-") + "-" for e in ENDPOINTS for table in e.tables]
_ID = re.compile(rf"({'|'.join(_KNOWN_PREFIXES)}|[A-Za-z]{{1,20}}[-_:]?|)\d+", re.ASCII)


def facts_of(fetched: Fetched) -> Facts:
    """Gather the facts of one endpoint, also of a response that a sync refuses."""
    endpoint, response, failure = fetched.endpoint, fetched.response, fetched.failure
    headers: Mapping[str, str] = response.headers if response else {}
    body = response.body if response else b""
    document = _document(body, headers.get("Content-Type", ""))
    items = fetched.items if failure is None else _listed(endpoint, document)
    return {
        "endpoint": endpoint.name,
        "response": {
            "status": response.status if response else None,
            "attempts": fetched.attempts,
            "seconds": round(fetched.seconds, 3),
            "bytes": len(body),
            "items": len(items),
        },
        "refused": failure.reason if failure else None,
        "headers": [_shown_header(name, value) for name, value in headers.items()],
        "envelope": dict(_members(endpoint, document)) if body else {},
        "evidence": _evidence(document if isinstance(document, dict) else {}, headers, len(items)),
        "id prefixes": Counter(_id_prefix(endpoint, item) for item in items),
        **_flattened(endpoint, items),
        "fields": profile(items),
    }


def _document(body: bytes | bytearray, content_type: str) -> object:
    try:
        return json.loads(to_utf_8(body, content_type) or b"")
    except (ValueError, RecursionError):
        return _NO_JSON


def _listed(endpoint: Endpoint, document: object) -> list[object]:
    """Return the items of a refused response, if it holds a list where a catalog would have it."""
    members = document if isinstance(document, dict) else {"data": document}
    lists = (members.get(name) for name in ("data", *endpoint.envelope_names))
    return next((listed for listed in lists if isinstance(listed, list)), [])


def _members(
    endpoint: Endpoint, document: object, prefix: str = "", levels: int = _DEEPEST_LEVEL
) -> Iterator[tuple[str, str]]:
    """Yield path and type of the members of an envelope; whole numbers and flags with value."""
    members = document if isinstance(document, dict) else {"the_body": document}
    for name, value in members.items():
        path = prefix + (name if name in endpoint.envelope_names else shown(name))
        yield path, _described(value)
        if isinstance(value, dict) and levels > 1:
            yield from _members(endpoint, value, f"{path}.", levels - 1)


def _described(value: object) -> str:
    if isinstance(value, list):
        return f"list of {len(value):,}"
    if isinstance(value, bool) or (type(value) is int and abs(value) < _LARGEST_WHOLE):
        return f"{json_type(value)} {json.dumps(value)}"
    return json_type(value)


def _evidence(members: Mapping[str, object], headers: Mapping[str, str], item_count: int) -> Facts:
    """Return what each rule sees that refuses a response or suspects it to be incomplete."""
    shortfall = evidence.shortfall(members, headers, item_count)
    return {
        "error": evidence.error_beside(members),
        "further pages": evidence.further_pages(members),
        "further pages in headers": evidence.further_pages_in_headers(headers),
        "total": shortfall.reason if shortfall else None,
    }


def _shown_header(name: str, value: str) -> str:
    if _HEADER_WITH_VALUE.fullmatch(f"{name}: {value}"):
        return f"{name}: {value}"
    return name if _HEADER_NAME.fullmatch(name) else NOT_SHOWN


def _id_prefix(endpoint: Endpoint, item: object) -> str:
    """Return what comes before the number of an id; a longer text could be a title."""
    value = item.get(endpoint.table.primary_key[0]) if isinstance(item, dict) else None
    match = _ID.fullmatch(value) if isinstance(value, str) else None
    return (match[1] or "(number)") if match else "(other)"


def _flattened(endpoint: Endpoint, items: list[object]) -> Facts:
    """Count what a sync writes, rejects and coerces; of items with one key it writes the first."""
    rows: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    coerced: Counter[str] = Counter()
    keys: set[str] = set()
    columns: UndeclaredColumns = {}
    filled: dict[tuple[str, str], bool] = {}
    for item in items:
        flat = flatten_item(endpoint, item, columns)
        rejected.update(row.table for row in flat.rejected)
        if flat.key in keys:
            rejected[endpoint.table.name] += 1
        elif flat.key is not None:
            keys.add(flat.key)
            coerced.update(_column(*column) for column in flat.bad_values)
            for table, row in _rows(endpoint, flat):
                rows[table] += 1
                for name, value in row.items():
                    filled[table, name] = filled.get((table, name), False) or value is not None
    declared = {(table.name, name) for table in endpoint.tables for name in table.types}
    return {
        "rows": rows,
        "rejected": rejected,
        "coerced": coerced,
        "always NULL": [_column(*c) for c in filled if c in declared and not filled[c]],
        "undeclared": sorted({_column(*c) for c in filled.keys() - declared}),
    }


def _rows(endpoint: Endpoint, flat: Flattened) -> Iterator[tuple[str, Row]]:
    yield endpoint.table.name, flat.row or {}
    yield from ((endpoint.tables[-1].name, row) for row in flat.children.values())


def _column(table: str, name: str) -> str:
    return f"{table}.{shown(name)}"
