"""Failures, notes and outcomes that the connector's own functions make of example values."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import aiohttp

import report
from async_client import EndpointError, FetchError, Limits, validate_configuration
from async_client.failures import fetch_error
from async_client.response import Response, judge
from async_client.retry import waits
from changes import Outcome, make_plan, resume
from endpoints import ENDPOINTS
from flatten import Flattener

LIMITS = Limits()
NAMES = [endpoint.name for endpoint in ENDPOINTS]
COURSES = ENDPOINTS[NAMES.index("courses")]
HOST = "https://lms-catalog-api.datacamp.com"
URL = HOST + COURSES.path
ITEMS = [{"id": f"course-{n}", "chapters": [{"id": f"chapter-{n}"}]} for n in range(1, 7)]
PLACE: Any = SimpleNamespace(host="", port=443, ssl=True, real_url="")  # for aiohttp's exceptions


def raised(function: Callable[..., object], *values: object, **environment: str) -> Any:
    """Return the exception that a call raises in an environment of these variables only."""
    with patch.dict(os.environ, environment, clear=True):
        try:
            function(*values)
        except (FetchError, ValueError) as error:
            return error
    raise AssertionError(f"{function} raised nothing")


def refused(key: str, *values: object) -> list[ValueError]:
    """Return the errors of configurations with a token and a wrong value."""
    return [raised(validate_configuration, {"bearer_token": "x", key: v}) for v in values]


def status(number: int, body: bytes = b"", **headers: str) -> Any:
    """Return the failure of a response for courses; `Retry_After` stands for `Retry-After`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    now = datetime(2026, 11, 24, tzinfo=timezone.utc)
    return raised(judge, COURSES, URL, Response(number, named, body), now)


ok = partial(status, 200)


def network(error: Exception) -> FetchError:
    """Return the failure that an exception becomes."""
    return fetch_error(error, 30.0, LIMITS.endpoint_seconds)


def certificate(problem: str, code: int = 0) -> FetchError:
    """Return the failure of a certificate in which OpenSSL finds a problem."""
    error = ssl.SSLCertVerificationError(1, "")
    error.verify_message, error.verify_code = problem, code
    return network(aiohttp.ClientConnectorCertificateError(PLACE, error))


def out_of_time(failure: FetchError) -> Any:
    """Return what a failure becomes if no time is left for another attempt."""
    generator = waits(LIMITS, lambda: 0.0)
    generator.send(None)
    return raised(generator.send, failure)


def outcome(items: Sequence[object], shortfall: str | None = None) -> Outcome:
    """Return what is found in a catalog of courses that follows `ITEMS`."""
    known = make_plan(COURSES, None, map(Flattener(COURSES).flatten_item, ITEMS)).snapshot
    flattened = map(Flattener(COURSES).flatten_item, items)
    return make_plan(COURSES, known, flattened, shortfall).outcome


def rejected(*items: object) -> list[str]:
    """Return the lines on rejected rows beside `ITEMS`, and the warning."""
    found = outcome([*ITEMS, *items])
    return [*report.rejections("courses", found), report.concerns("courses", found)]


def concern(*items: object, shortfall: str | None = None) -> str:
    """Return the warning on a catalog, without its rejected rows."""
    found = outcome(items, shortfall)
    found.rejected = 0
    return report.concerns("courses", found)


def notes(member: str, *values: object) -> list[str]:
    """Return the notes on saved states with a wrong member."""
    state = {"version": 1, "source": "https://a", "writing": None, "endpoints": {}}
    return [resume({**state, member: v}, "https://a", NAMES)[1][0] for v in values]


def failed(number: int, name: str = "courses") -> EndpointError:
    """Return the error of an endpoint whose last response had this status."""
    return EndpointError(name, URL, 1, status(number))


def end(results: Mapping[str, report.Result], names: Sequence[str] = NAMES) -> list[str]:
    """Return the last line of a failed sync's log, and the first line of its error."""
    return [report.finished(results, names), report.failure(results, names).splitlines()[0]]


def setup_test(number: int, *names: str) -> str:
    """Return the result of the setup test if the responses of these endpoints have a status."""
    errors = {name: failed(number, name) for name in names}
    return report.unreadable_endpoints({**dict.fromkeys(NAMES), **errors})
