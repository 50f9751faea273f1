"""Faults below HTTP: connections closed early, bodies that stall or have a wrong length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from mock_api.responses import Encoded, Exchange, Respond, send_part

_DRIP_PAUSE_SECONDS = 0.05


async def reset(exchange: Exchange) -> web.StreamResponse:
    """Reset the connection before the first byte of the response."""
    return _ended(exchange.request, b"", abort=True)


async def reset_headers(exchange: Exchange) -> web.StreamResponse:
    """Reset the connection in the middle of a header."""
    return _ended(exchange.request, b"HTTP/1.1 200 OK\r\nContent-Ty", abort=True)


async def reset_body(exchange: Exchange) -> web.StreamResponse:
    """Reset the connection in the middle of the body."""
    await _half_sent(exchange)
    return _ended(exchange.request, b"", abort=True)


async def cut_chunked(exchange: Exchange) -> web.StreamResponse:
    """Send the whole body as one chunk, without the empty chunk that ends it."""
    chunk = b"%x\r\n%b\r\n" % (len(exchange.body), exchange.body)
    return _ended(exchange.request, _head("Transfer-Encoding: chunked") + chunk, abort=False)


def wrong_length(wrong: Callable[[int], int]) -> Respond:
    """Send a `Content-Length` that `wrong` computes from the real one, and the body; close."""

    async def respond(exchange: Exchange) -> web.StreamResponse:
        head = _head(f"Content-Length: {wrong(len(exchange.body))}")
        return _ended(exchange.request, head + exchange.body, abort=False)

    return respond


async def stall_headers(_: Exchange) -> web.StreamResponse:
    """Accept the request and send nothing until the client or the server closes."""
    never: asyncio.Future[web.StreamResponse] = asyncio.Future()
    return await never


async def stall_body(exchange: Exchange) -> web.StreamResponse:
    """Send the headers and half of the body, then nothing."""
    await _half_sent(exchange)
    return await stall_headers(exchange)


async def drip(exchange: Exchange) -> web.StreamResponse:
    """Send the body one byte at a time, slowly."""
    response = await send_part(exchange.request, Encoded(exchange.body, {}), 0)
    for byte in exchange.body:
        await response.write(bytes((byte,)))
        await asyncio.sleep(_DRIP_PAUSE_SECONDS)
    return response


async def _half_sent(exchange: Exchange) -> None:
    await send_part(exchange.request, Encoded(exchange.body, {}), len(exchange.body) // 2)


def _head(header: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{header}\r\n\r\n".encode()


def _ended(request: web.Request, raw: bytes, *, abort: bool) -> web.StreamResponse:
    """Write bytes without aiohttp and close the connection, at once or once they are sent.

    aiohttp requires a return value, which is never sent on the closed connection.
    """
    assert request.transport is not None  # the handler is cancelled when a client disconnects
    request.transport.write(raw)
    (request.transport.abort if abort else request.transport.close)()
    return web.Response()
