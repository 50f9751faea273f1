"""Run the mock server in a thread: six paths, a bearer token, and faults on demand."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from http import HTTPStatus
from threading import Condition, Thread
from typing import NamedTuple

from aiohttp import hdrs, web

from endpoints import ENDPOINTS
from mock_api.faults import ENDPOINT_NAMES, Fault, by_endpoint, known
from mock_api.items import Item
from mock_api.responses import Exchange, envelope, error_response, json_response, send_part

DEFAULT_TOKEN = "demo-token"  # noqa: S105 - it opens nothing
_FASTEST_COMPRESSION = 1
_NAMES = {endpoint.path: endpoint.name for endpoint in ENDPOINTS}


class Arrived(NamedTuple):
    """A request: its headers, and the endpoint's name or, if there is none, the path."""

    endpoint_name: str
    headers: dict[str, str]


class Requests:
    """A record that one thread writes and any thread may read."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.in_flight = 0
        self._changed = Condition()

    @property
    def endpoint_names(self) -> list[str]:
        """The endpoint of each request."""
        return [request.endpoint_name for request in self.arrived]

    def wait_until(
        self, reached: Callable[[Requests], bool], timeout_seconds: float = 10.0
    ) -> None:
        """Block until `reached` returns true for the record; raise TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: reached(self), timeout_seconds):
                raise TimeoutError(f"only {self.endpoint_names} arrived, {self.in_flight} open")

    def clear(self) -> None:
        """Delete all requests, but not the number of those in flight."""
        with self._changed:
            self.arrived = []

    @contextmanager
    def recording(self, endpoint_name: str, headers: Mapping[str, str]) -> Iterator[None]:
        """Record a request, in flight until the end of the block."""
        with self._changed:
            self.arrived.append(Arrived(endpoint_name, dict(headers)))
            self.in_flight += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.in_flight -= 1
                self._changed.notify_all()


class Server:
    """A mock server: its URL, the requests it received, and what determines its responses.

    Changes apply to every request that is sent after the call. An endpoint without items has an
    empty catalog.
    """

    def __init__(self, base_url: str, token: str, latency_seconds: Mapping[str, float]) -> None:
        self.base_url = base_url
        self.token = token
        self.requests = Requests()
        self._latency_seconds = latency_seconds
        self._bodies: dict[str, tuple[bytes, bytes]] = {}
        # What a response waits for, and whether it does so after half of its body.
        self._holds: dict[str, tuple[Future[None], bool]] = {}
        self.serve(dict.fromkeys(ENDPOINT_NAMES, ()))
        self.set_faults()

    def serve(self, catalogs: Mapping[str, Sequence[Item]]) -> None:
        """Replace the items of the given endpoints."""
        for endpoint_name, items in catalogs.items():
            self.replace(endpoint_name, items)

    def replace(self, endpoint_name: str, items: Sequence[Item] | bytes) -> None:
        """Replace an endpoint's items or, given bytes, its whole body."""
        body = items if isinstance(items, bytes) else envelope(items)
        # Bodies are compressed in advance so that requests are cheap.
        gzipped = gzip.compress(body, _FASTEST_COMPRESSION, mtime=0)
        self._bodies[known(endpoint_name)] = body, gzipped

    def set_faults(self, *faults: str | Fault) -> None:
        """Replace all faults by these, each a `Fault` or text such as `courses=503x2`."""
        self._faults = by_endpoint(faults)

    def hold(self, endpoint_name: str, *, after_half: bool = False) -> None:
        """Hold the endpoint's responses; with `after_half`, only the second half of the body."""
        released, _ = self._holds.get(known(endpoint_name), (Future(), after_half))
        self._holds[endpoint_name] = released, after_half

    def release(self, endpoint_name: str) -> None:
        """Send the responses that are held, and stop holding."""
        self._holds.pop(endpoint_name)[0].set_result(None)

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Record a request and return the response to it."""
        name = _NAMES.get(request.path)
        with self.requests.recording(name or request.path, request.headers):
            if name is None or request.method != hdrs.METH_GET:
                message = f"Cannot {request.method} {request.path}"
                return error_response(HTTPStatus.NOT_FOUND, message)
            if request.headers.get(hdrs.AUTHORIZATION) != f"Bearer {self.token}":
                return error_response(HTTPStatus.UNAUTHORIZED, "Unauthorized")
            return await self._catalog_response(name, request)

    async def _catalog_response(self, name: str, request: web.BaseRequest) -> web.StreamResponse:
        fault = next(self._faults[name], None)
        await asyncio.sleep(self._latency_seconds.get(name, 0))
        released, after_half = self._holds.get(name, (None, False))
        if released and (fault or not after_half):
            await _done(released)
        body, gzipped = self._bodies[name]
        if fault:
            return await fault(Exchange(request, name, body))
        headers = {}
        if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            body, headers = gzipped, {"Content-Encoding": "gzip"}
        if not released or not after_half:
            return json_response(body, headers)
        half = len(body) // 2
        response = await send_part(request, body, half, headers)
        await _done(released)
        await response.write(body[half:])
        return response


@contextmanager
def serving(
    catalogs: Mapping[str, Sequence[Item]],
    *,
    token: str = DEFAULT_TOKEN,
    latency_seconds: Mapping[str, float] | None = None,
    faults: Iterable[str | Fault] = (),
    tls: ssl.SSLContext | None = None,
    address: tuple[str, int] = ("127.0.0.1", 0),
) -> Iterator[Server]:
    """Run the mock server in a thread, by default on a free port of the loopback interface."""
    started: Future[None] = Future()
    stop: Future[None] = Future()

    async def run() -> None:
        # With handler_cancellation, a request ends when its client disconnects.
        http = web.Server(server.respond, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(http)
        await runner.setup()
        site = web.SockSite(runner, listener, ssl_context=tls)
        await site.start()
        started.set_result(None)
        await _done(stop)
        await site.stop()
        for connection in http.connections:
            if connection.transport:
                connection.transport.abort()  # `cleanup` would wait for a stalled connection
        await runner.cleanup()

    with socket.create_server(address) as listener:
        host, port = listener.getsockname()[:2]
        server = Server(f"http{'s' if tls else ''}://{host}:{port}", token, latency_seconds or {})
        server.serve(catalogs)
        server.set_faults(*faults)
        thread = Thread(target=lambda: asyncio.run(run()), name="mock_api", daemon=True)
        thread.start()
        started.result(timeout=10)
        try:
            yield server
        finally:
            stop.set_result(None)
            thread.join()


async def _done(future: Future[None]) -> None:
    """Wait for a result from another thread; a cancelled request does not cancel the future."""
    await asyncio.shield(asyncio.wrap_future(future))
