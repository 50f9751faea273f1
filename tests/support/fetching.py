"""Helpers for tests of fetching: a token, endpoints, catalogs, limits and unusual responses."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from async_client import Limits
from endpoints import ENDPOINTS
from mock_api.fault_kinds import kind_of
from mock_api.faults import Fault
from mock_api.responses import Exchange, Respond
from mock_api.serving import Server

TOKEN = "t0ken-for-tests"
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
PATHS = {endpoint.name: endpoint.path for endpoint in ENDPOINTS}
NAMES = list(BY_NAME)
OTHERS = NAMES[:-1]  # all except courses
COURSES = BY_NAME["courses"]
CATALOGS = {name: [{"id": f"{name}-1"}, {"id": f"{name}-2"}] for name in NAMES}
QUICK = Limits(
    wait_caps_seconds=(0.0,) * 5,
    endpoint_seconds=30.0,
    rate_limit_wait_seconds=0.0,
    min_rate_limit_wait_seconds=0.0,
)


def misbehave(server: Server, *faults: tuple[str | Respond, int | None]) -> None:
    """Let `courses` respond in these ways in order, each `times` times or, for None, always."""
    server.set_faults(
        *(
            Fault(("courses",), kind_of(respond) if isinstance(respond, str) else respond, times)
            for respond, times in faults
        )
    )


def replying(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Respond:
    """Return a response function with this status, body and headers."""

    async def respond(_: Exchange) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return respond


def of_courses(results: Mapping[str, Any]) -> Any:
    """Return the result of the courses, after a check that the other catalogs arrived."""
    assert {n: results[n].items() for n in OTHERS} == {n: CATALOGS[n] for n in OTHERS}
    return results["courses"]


def crash_report(error: BaseException) -> str:
    """Return all that a crash reporter could show of an error: its chain and local variables."""
    return "".join(
        "".join(traceback.TracebackException.from_exception(each, capture_locals=True).format())
        + repr((each, each.args, vars(each)))
        for each in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    if error is not None:
        yield error
        yield from _chain(error.__cause__)
        yield from _chain(error.__context__)
