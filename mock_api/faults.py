"""Parse faults such as `courses=503x2` and return them in order: `ENDPOINT=KIND[xTIMES]`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import NamedTuple

from endpoints import ENDPOINTS
from mock_api.fault_kinds import kind_of
from mock_api.responses import Respond

ENDPOINT_NAMES = tuple(endpoint.name for endpoint in ENDPOINTS)
_FAULT = re.compile(r"([^=]*)=(.+?)(?:x(\d+))?", re.DOTALL)


class Fault(NamedTuple):
    """A kind of response for some endpoints, `times` times each; None means always."""

    endpoint_names: tuple[str, ...]
    respond: Respond
    times: int | None = None


def parse_fault(text: str) -> Fault:
    """Parse `courses=503x2` or `all=reset`; raise ValueError that lists what is valid."""
    match = _FAULT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not of the form ENDPOINT=KIND or ENDPOINT=KINDxTIMES")
    name, kind, times = match.groups()
    names = ENDPOINT_NAMES if name == "all" else (known(name),)
    return Fault(names, kind_of(kind), None if times is None else int(times))


def known(endpoint_name: str) -> str:
    """Return the name; raise ValueError that lists the valid names if it is unknown."""
    if endpoint_name not in ENDPOINT_NAMES:
        valid = ", ".join(ENDPOINT_NAMES)
        raise ValueError(f"unknown endpoint {endpoint_name!r}; valid names are {valid}")
    return endpoint_name


def by_endpoint(faults: Iterable[str | Fault]) -> dict[str, Iterator[Respond]]:
    """Return the endpoints' faults in order, each as often as it is to be returned."""
    listed = [parse_fault(fault) if isinstance(fault, str) else fault for fault in faults]
    return {name: _in_turn(name, listed) for name in ENDPOINT_NAMES}


def _in_turn(endpoint_name: str, faults: Iterable[Fault]) -> Iterator[Respond]:
    for fault in faults:
        if endpoint_name in fault.endpoint_names:
            yield from repeat(fault.respond, *(() if fault.times is None else (fault.times,)))
