"""The stand-in as an aiohttp.web application: six paths, a bearer token, and faults on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import hdrs, web

from endpoints import ENDPOINTS
from mock_api.faults import ENDPOINT_NAMES, Faults, known
from mock_api.items import Item
from mock_api.record import Requests
from mock_api.responses import Answer, Exchange, error_response, half_sent, json_response

Latency = float | Mapping[str, float]

_NAMES = {endpoint.path: endpoint.name for endpoint in ENDPOINTS}


class Hold(NamedTuple):
    """An answer waits for `released`: all of it, or what comes after the body's first half."""

    released: asyncio.Event
    after_half: bool


@dataclass
class Mock:
    """All that decides the next answer; each attribute may be replaced while the server runs."""

    answers: dict[str, Answer]
    token: str
    latency_seconds: Latency
    faults: Faults
    requests: Requests = field(default_factory=Requests)
    holds: dict[str, Hold] = field(default_factory=dict)

    def latency_of(self, endpoint_name: str) -> float:
        """Give the seconds before the endpoint's answer begins."""
        if isinstance(self.latency_seconds, Mapping):
            return self.latency_seconds.get(endpoint_name, 0.0)
        return self.latency_seconds


MOCK = web.AppKey("MOCK", Mock)


def make_app(
    catalogs: Mapping[str, Sequence[Item]],
    *,
    token: str,
    latency_seconds: Latency = 0.0,
    faults: Faults | None = None,
) -> web.Application:
    """Build the application; its state, the record of requests too, is ``app[MOCK]``.

    An endpoint that ``catalogs`` does not name has an empty catalog.
    """
    answers = dict.fromkeys(ENDPOINT_NAMES, Answer(()))
    answers |= {known(name): Answer(items) for name, items in catalogs.items()}
    app = web.Application()
    app[MOCK] = Mock(answers, token, latency_seconds, faults or Faults())
    app.router.add_route(hdrs.METH_ANY, "/{any:.*}", _respond)
    return app


async def _respond(request: web.Request) -> web.StreamResponse:
    mock = request.app[MOCK]
    name = _NAMES.get(request.path)
    with mock.requests.recording(name or request.path, request.headers):
        if name is None or request.method != hdrs.METH_GET:
            message = f"Cannot {request.method} {request.path}"
            return error_response(HTTPStatus.NOT_FOUND, message)
        if request.headers.get(hdrs.AUTHORIZATION) != f"Bearer {mock.token}":
            return error_response(HTTPStatus.UNAUTHORIZED, "Unauthorized")
        return await _answered(mock, name, request)


async def _answered(mock: Mock, name: str, request: web.Request) -> web.StreamResponse:
    fault = mock.faults.take(name)
    await asyncio.sleep(mock.latency_of(name))
    hold = mock.holds.get(name)
    if hold and (fault or not hold.after_half):
        await hold.released.wait()
    answer = mock.answers[name]
    if fault:
        return await fault(Exchange(request, name, answer.body))
    encoded = answer.encoded_for(request)
    if not hold or not hold.after_half:
        return json_response(encoded.content, encoded.headers)
    response = await half_sent(request, encoded)
    await hold.released.wait()
    await response.write(encoded.content[len(encoded.content) // 2 :])
    return response
