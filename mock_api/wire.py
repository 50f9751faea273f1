"""Misbehaviour below HTTP: connections that end early, bodies that stall or lie about length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from mock_api.responses import Encoded, Exchange, Respond, half_sent, headers_sent

_DRIP_PAUSE_SECONDS = 0.05


async def reset(exchange: Exchange) -> web.StreamResponse:
    """Cut the connection before any byte of the response."""
    return _ended(exchange.request, b"", abort=True)


async def reset_headers(exchange: Exchange) -> web.StreamResponse:
    """Cut the connection in the middle of a header."""
    return _ended(exchange.request, b"HTTP/1.1 200 OK\r\nContent-Ty", abort=True)


async def reset_body(exchange: Exchange) -> web.StreamResponse:
    """Cut the connection in the middle of the body."""
    await half_sent(exchange.request, Encoded(exchange.body, {}))
    return _ended(exchange.request, b"", abort=True)


async def cut_chunked(exchange: Exchange) -> web.StreamResponse:
    """Send the whole body as one chunk, but not the empty chunk that ends it."""
    size, body = f"{len(exchange.body):x}\r\n".encode(), exchange.body
    head = _head("Transfer-Encoding: chunked")
    return _ended(exchange.request, head + size + body + b"\r\n", abort=False)


def wrong_length(wrong: Callable[[int], int]) -> Respond:
    """Announce what ``wrong`` makes of the body's length, send the body and hang up."""

    async def respond(exchange: Exchange) -> web.StreamResponse:
        head = _head(f"Content-Length: {wrong(len(exchange.body))}")
        return _ended(exchange.request, head + exchange.body, abort=False)

    return respond


async def stall_headers(_: Exchange) -> web.StreamResponse:
    """Take the request and say nothing until the client, or the server, has had enough."""
    never: asyncio.Future[web.StreamResponse] = asyncio.Future()
    return await never


async def stall_body(exchange: Exchange) -> web.StreamResponse:
    """Send the headers and half of the body, then nothing."""
    await half_sent(exchange.request, Encoded(exchange.body, {}))
    return await stall_headers(exchange)


async def drip(exchange: Exchange) -> web.StreamResponse:
    """Send the healthy body one byte at a time, slowly."""
    response = await headers_sent(exchange.request, Encoded(exchange.body, {}))
    for byte in exchange.body:
        await response.write(bytes((byte,)))
        await asyncio.sleep(_DRIP_PAUSE_SECONDS)
    return response


def _head(header: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{header}\r\n\r\n".encode()


def _ended(request: web.Request, raw: bytes, *, abort: bool) -> web.StreamResponse:
    """Write bytes past aiohttp and end the connection, at once or when they are sent.

    The response is for aiohttp's sake; with the connection gone it is never written.
    """
    assert request.transport is not None  # a client that hangs up has its handler cancelled
    request.transport.write(raw)
    (request.transport.abort if abort else request.transport.close)()
    return web.Response()
