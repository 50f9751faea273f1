"""Faults below HTTP: connections closed early, bodies that stall or have a wrong length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from mock_api.responses import Exchange, Respond, send_part

_DRIP_PAUSE_SECONDS = 0.05


def raw(data: Callable[[bytes], bytes], *, abort: bool = False) -> Respond:
    """Send what `data` returns for the body, and close the connection or, to reset it, abort."""

    async def respond(exchange: Exchange) -> web.StreamResponse:
        return _ended(exchange, data(exchange.body), abort=abort)

    return respond


def wrong_length(wrong: Callable[[int], int]) -> Respond:
    """Send a `Content-Length` that `wrong` computes from the real one, and the body; close."""
    return raw(lambda body: _head(f"Content-Length: {wrong(len(body))}") + body)


def _head(header: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{header}\r\n\r\n".encode()


# The whole body as one chunk, without the empty chunk that ends it.
cut_chunked = raw(
    lambda body: _head("Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (len(body), body)
)


async def reset_body(exchange: Exchange) -> web.StreamResponse:
    """Reset the connection in the middle of the body."""
    await send_part(exchange.request, exchange.body, len(exchange.body) // 2)
    return _ended(exchange, b"", abort=True)


async def stall_headers(_: Exchange) -> web.StreamResponse:
    """Accept the request and send nothing until the client or the server closes."""
    never: asyncio.Future[web.StreamResponse] = asyncio.Future()
    return await never


async def stall_body(exchange: Exchange) -> web.StreamResponse:
    """Send the headers and half of the body, then nothing."""
    await send_part(exchange.request, exchange.body, len(exchange.body) // 2)
    return await stall_headers(exchange)


async def drip(exchange: Exchange) -> web.StreamResponse:
    """Send the body one byte at a time, slowly."""
    response = await send_part(exchange.request, exchange.body, 0)
    for byte in exchange.body:
        await response.write(bytes((byte,)))
        await asyncio.sleep(_DRIP_PAUSE_SECONDS)
    return response


def _ended(exchange: Exchange, data: bytes, *, abort: bool) -> web.StreamResponse:
    """Write bytes without aiohttp and close the connection, at once or once they are sent.

    aiohttp requires a return value, which is never sent on the closed connection.
    """
    transport = exchange.request.transport
    assert transport is not None  # the handler is cancelled when a client disconnects
    transport.write(data)
    (transport.abort if abort else transport.close)()
    return web.Response()
