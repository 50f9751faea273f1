"""The mock server as an aiohttp application: six paths, a bearer token, and faults on demand."""

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
from mock_api.responses import CatalogBody, Exchange, error_response, json_response, send_part

Latency = float | Mapping[str, float]

_NAMES = {endpoint.path: endpoint.name for endpoint in ENDPOINTS}


class Hold(NamedTuple):
    """A response waits for `released`, before its start or after half of its body."""

    released: asyncio.Event
    after_half: bool


@dataclass
class Mock:
    """What determines the next response; each attribute may be replaced while the server runs."""

    bodies: dict[str, CatalogBody]
    token: str
    latency_seconds: Latency
    faults: Faults
    requests: Requests = field(default_factory=Requests)
    holds: dict[str, Hold] = field(default_factory=dict)

    def latency_of(self, endpoint_name: str) -> float:
        """Return the seconds before the endpoint's response begins."""
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
    """Return the application; its state, with the record of requests, is `app[MOCK]`.

    An endpoint that is not in `catalogs` has an empty catalog.
    """
    bodies = dict.fromkeys(ENDPOINT_NAMES, CatalogBody(()))
    bodies |= {known(name): CatalogBody(items) for name, items in catalogs.items()}
    app = web.Application()
    app[MOCK] = Mock(bodies, token, latency_seconds, faults or Faults())
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
        return await _respond_with_catalog(mock, name, request)


async def _respond_with_catalog(mock: Mock, name: str, request: web.Request) -> web.StreamResponse:
    fault = mock.faults.take(name)
    await asyncio.sleep(mock.latency_of(name))
    hold = mock.holds.get(name)
    if hold and (fault or not hold.after_half):
        await hold.released.wait()
    body = mock.bodies[name]
    if fault:
        return await fault(Exchange(request, name, body.plain))
    encoded = body.encoded_for(request)
    if not hold or not hold.after_half:
        return json_response(encoded.content, encoded.headers)
    half = len(encoded.content) // 2
    response = await send_part(request, encoded, half)
    await hold.released.wait()
    await response.write(encoded.content[half:])
    return response
