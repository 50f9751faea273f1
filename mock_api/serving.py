"""Run the mock server on a given socket, or in a thread."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from threading import Thread

from aiohttp import web

from mock_api.faults import Fault, Faults, known
from mock_api.items import Item
from mock_api.responses import CatalogBody
from mock_api.server import MOCK, Hold, Latency, Mock, make_app

DEFAULT_TOKEN = "demo-token"  # noqa: S105 - it opens nothing


@asynccontextmanager
async def listening(
    app: web.Application, listener: socket.socket, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serve `app` on a bound socket; at the end, abort all connections, stalled ones too."""
    # With handler_cancellation, a request ends when its client disconnects.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.SockSite(runner, listener, ssl_context=tls)
    await site.start()
    try:
        yield
    finally:
        await site.stop()
        for connection in runner.server.connections if runner.server else ():
            if connection.transport:
                connection.transport.abort()
        await runner.cleanup()


class Server:
    """A running mock server: its URL, the requests it received, and its next responses.

    Changes apply to every request that is sent after the call.
    """

    def __init__(self, base_url: str, mock: Mock, loop: asyncio.AbstractEventLoop) -> None:
        self.base_url = base_url
        self.token = mock.token
        self.requests = mock.requests
        self._mock = mock
        self._loop = loop

    def serve(self, catalogs: Mapping[str, Sequence[Item]]) -> None:
        """Replace the items of the given endpoints."""
        for endpoint_name, items in catalogs.items():
            self.replace(endpoint_name, items)

    def replace(self, endpoint_name: str, items: Sequence[Item] | bytes) -> None:
        """Replace an endpoint's items or, given bytes, its whole body."""
        self._mock.bodies[known(endpoint_name)] = CatalogBody(items)

    def set_faults(self, *faults: str | Fault) -> None:
        """Replace all faults by these, each a `Fault` or text such as `courses=503x2`."""
        self._mock.faults = Faults(faults)

    def hold(self, endpoint_name: str, *, after_half: bool = False) -> None:
        """Hold the endpoint's responses; with `after_half`, only the second half of the body."""
        held = self._mock.holds.get(endpoint_name)
        released = held.released if held else asyncio.Event()
        self._mock.holds[known(endpoint_name)] = Hold(released, after_half)

    def release(self, endpoint_name: str) -> None:
        """Send the responses that are held, and stop holding."""
        released = self._mock.holds.pop(endpoint_name).released
        self._loop.call_soon_threadsafe(released.set)

    def release_all(self) -> None:
        """Release every endpoint that is held."""
        for endpoint_name in list(self._mock.holds):
            self.release(endpoint_name)


@contextmanager
def serving(
    catalogs: Mapping[str, Sequence[Item]],
    *,
    token: str = DEFAULT_TOKEN,
    latency_seconds: Latency = 0.0,
    faults: Iterable[str | Fault] = (),
    tls: ssl.SSLContext | None = None,
) -> Iterator[Server]:
    """Run the mock server in a thread, on a free port of the loopback interface."""
    app = make_app(catalogs, token=token, latency_seconds=latency_seconds, faults=Faults(faults))
    started: Future[asyncio.AbstractEventLoop] = Future()
    stop = asyncio.Event()

    async def run() -> None:
        async with listening(app, listener, tls):
            started.set_result(asyncio.get_running_loop())
            await stop.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=lambda: asyncio.run(run()), name="mock_api", daemon=True)
        thread.start()
        loop = started.result(timeout=10)
        base_url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield Server(base_url, app[MOCK], loop)
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
