"""Define all kinds of faults of the mock server, by name.

A body without a fault is `{"data":[…]}` without spaces, so that faults can be applied to bytes.
"""

from __future__ import annotations

import codecs
import gzip
import json
from collections.abc import Callable, Mapping
from http.client import responses

from aiohttp import web

from mock_api import wire
from mock_api.responses import Exchange, Respond, envelope, error_body, json_response

_MARK = "replaced by the literal"
_NON_ASCII = '"Décisions à Zürich"'
_HTML_TYPE = {"Content-Type": "text/html; charset=utf-8"}
_LATIN1_TYPE = {"Content-Type": "application/json; charset=iso-8859-1"}


def kind_of(name: str) -> Respond:
    """Return the kind with this name; raise ValueError that lists the valid kinds."""
    if name in _KINDS:
        return _KINDS[name]
    if name in _STATUSES:
        return _error(int(name))
    for prefix, make in _OPEN_KINDS.items():
        if name.startswith(prefix) and name != prefix:
            return make(name.removeprefix(prefix))
    raise ValueError(f"unknown fault kind {name!r}; valid kinds are {KIND_NAMES}")


def _status(status: int, location: str = "") -> Respond:
    """Send no body; the location of a redirect may contain the request's path."""

    async def respond(exchange: Exchange) -> web.Response:
        url = location.format(path=exchange.request.path)
        return web.Response(status=status, headers={"Location": url} if url else None)

    return respond


def _body(
    body: bytes | Callable[[bytes], bytes],
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> Respond:
    """Send these bytes or those that a function returns for the real body."""

    async def respond(exchange: Exchange) -> web.Response:
        sent = body(exchange.body) if callable(body) else body
        return json_response(sent, headers, status)

    return respond


async def _own_name(exchange: Exchange) -> web.Response:
    return json_response(exchange.body.replace(b"data", exchange.endpoint_name.encode(), 1))


def _error(status: int, headers: Mapping[str, str] | None = None) -> Respond:
    message = responses.get(status, "Something went wrong")
    return _body(error_body(status, message), headers, status)


def _member(text: bytes) -> Respond:
    """Add a member to the envelope."""
    return _body(lambda body: body[:-1] + b"," + text + b"}")


def _literal(
    field: str, literal: str, encoding: str = "utf-8", headers: Mapping[str, str] | None = None
) -> Respond:
    """Set a field of the first item to a piece of JSON text, valid or not."""

    def changed(body: bytes) -> bytes:
        items = json.loads(body)["data"]
        items[:1] = [{**item, field: _MARK} for item in items[:1]]
        text = envelope(items).decode().replace(f'"{_MARK}"', literal)
        return text.encode(encoding, "replace")

    return _body(changed, headers)


def _gzip_with_wrong_checksum(body: bytes) -> bytes:
    packed = gzip.compress(body)
    return packed[:-8] + bytes(byte ^ 0xFF for byte in packed[-8:-4]) + packed[-4:]


def _gzip_bomb(mebibytes: str) -> Respond:
    if not mebibytes.isdecimal():
        raise ValueError(f"gzip-bomb- takes a number of MiB, not {mebibytes!r}")
    filler = b"{},".ljust(64) * (int(mebibytes) * 2**20 // 64)
    bomb = gzip.compress(b'{"data":[' + filler + b"{}]}", 6, mtime=0)
    return _body(bomb, {"Content-Encoding": "gzip"})


_STATUSES = {str(status) for status in range(400, 600)}
_KINDS: Mapping[str, Respond] = {
    "204": _status(204),
    "206": _body(bytes, status=206),
    "304": _status(304),
    "redirect": _status(302, "https://elsewhere.example{path}"),
    "redirect-same": _status(302, "/moved{path}"),
    "redirect-loop": _status(302, "{path}"),
    "redirect-nowhere": _status(302),
    "reset": wire.raw(lambda _: b"", abort=True),
    "reset-headers": wire.raw(lambda _: b"HTTP/1.1 200 OK\r\nContent-Ty", abort=True),
    "reset-body": wire.reset_body,
    "stall-headers": wire.stall_headers,
    "stall-body": wire.stall_body,
    "drip": wire.drip,
    "length-short": wire.wrong_length(lambda length: length // 2),
    "length-long": wire.wrong_length(lambda length: length + 100),
    "cut-chunked": wire.cut_chunked,
    "empty": _body(b""),
    "html": _body(b"<!doctype html><title>Sign in</title><form></form>", _HTML_TYPE),
    "text": _body(b"The service is starting", {"Content-Type": "text/plain; charset=utf-8"}),
    "null": _body(b"null"),
    "scalar": _body(b"42"),
    "object": _body(b"{}"),
    "error-object": _body(b'{"message":"Something went wrong","statusCode":500}'),
    "data-null": _body(b'{"data":null}'),
    "empty-list": _body(b'{"data":[]}'),
    "garbage": _body(lambda body: body + b"<!-- cached -->"),
    "cut-json": _body(lambda body: body[: len(body) // 2]),
    "bom": _body(lambda body: codecs.BOM_UTF8 + body),
    "latin1": _literal("title", _NON_ASCII, "latin-1"),
    "latin1-declared": _literal("title", _NON_ASCII, "latin-1", _LATIN1_TYPE),
    "renamed-ids": _body(lambda body: body.replace(b'"id":', b'"courseId":')),
    "error-beside": _member(b'"error":{"code":500}'),
    "total": _member(b'"meta":{"total":100000}'),
    "first-page": _body(bytes, {"X-Next-Page": "2"}),
    "nan": _literal("timeNeededInHours", "NaN"),
    "huge-number": _literal("timeNeededInHours", "1e400"),
    "huge-integer": _literal("timeNeededInHours", "9" * 5000),
    "deep": _literal("outline", "[" * 200_000 + "]" * 200_000),  # too deep for every Python
    "surrogate": _literal("title", r'"half of a pair: \ud83d"'),
    "duplicate-keys": _literal("title", '"the first","title":"the second"'),
    "pages": _member(b'"meta":{"numberOfPages":3}'),
    "next-link": _member(b'"links":{"next":"?page=2"}'),
    "bare-list": _body(lambda body: body.removeprefix(b'{"data":').removesuffix(b"}")),
    "own-name": _own_name,
    "gzip-bad": _body(_gzip_with_wrong_checksum, {"Content-Encoding": "gzip"}),
    "encoding-unknown": _body(bytes, {"Content-Encoding": "snappy"}),
}

# Kinds that take the rest of their name as an argument.
_OPEN_KINDS: Mapping[str, Callable[[str], Respond]] = {
    "retry-after-": lambda text: _error(429, {"Retry-After": text}),
    "gzip-bomb-": _gzip_bomb,
}

KIND_NAMES = ", ".join(("400 to 599", *_KINDS, "retry-after-TEXT", "gzip-bomb-MIB"))
