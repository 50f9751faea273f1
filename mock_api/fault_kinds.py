"""All kinds of faults that the mock server can return, by name.

A body without a fault is `{"data":[…]}` without spaces, so that faults can be applied to bytes.
"""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus

from aiohttp import web

from mock_api import wire
from mock_api.responses import Exchange, Respond, envelope, error_response, json_response, to_json

_MARK = "replaced by the literal"


def kind_of(name: str) -> Respond:
    """Return the kind with this name; raise ValueError that lists the valid ones."""
    if name in _KINDS:
        return _KINDS[name]
    for prefix, make in _OPEN_KINDS.items():
        if name.startswith(prefix) and name != prefix:
            return make(name.removeprefix(prefix))
    raise ValueError(f"unknown fault kind {name!r}; valid kinds are {KIND_NAMES}")


def _always(response: Callable[[], web.StreamResponse]) -> Respond:
    async def respond(_: Exchange) -> web.StreamResponse:
        return response()

    return respond


def _status(status: int) -> Respond:
    try:
        message = HTTPStatus(status).phrase
    except ValueError:  # a number without a name, such as 599
        message = "Something went wrong"
    return _always(lambda: error_response(status, message))


def _retry_after(text: str) -> Respond:
    status = HTTPStatus.TOO_MANY_REQUESTS
    return _always(lambda: error_response(status, status.phrase, {"Retry-After": text}))


def _other_type(content_type: str, text: str) -> Respond:
    return _always(lambda: web.Response(text=text, content_type=content_type))


def _redirect(location: Callable[[str], str | None]) -> Respond:
    """Redirect to the URL that `location` makes of the request's path."""

    async def respond(exchange: Exchange) -> web.StreamResponse:
        target = location(exchange.request.path)
        headers = {} if target is None else {"Location": target}
        return web.Response(status=HTTPStatus.FOUND, headers=headers)

    return respond


def _body(
    spoil: Callable[[bytes], bytes],
    headers: Mapping[str, str] | None = None,
    status: int = HTTPStatus.OK,
) -> Respond:
    """Send what `spoil` makes of the body."""

    async def respond(exchange: Exchange) -> web.StreamResponse:
        return json_response(spoil(exchange.body), headers, status)

    return respond


def _fixed(body: bytes) -> Respond:
    return _body(lambda _: body)


def _literal(field: str, literal: str) -> Respond:
    """Set a field of the first item to a piece of JSON text, valid or not."""

    def spoil(body: bytes) -> bytes:
        items = json.loads(body)["data"]
        items[:1] = [{**item, field: _MARK} for item in items[:1]]
        return envelope(items).replace(to_json(_MARK), literal.encode(), 1)

    return _body(spoil)


def _latin1(body: bytes) -> bytes:
    items = json.loads(body)["data"]
    items[:1] = [{**item, "title": "Décisions à Zürich"} for item in items[:1]]
    return envelope(items).decode().encode("latin-1", errors="replace")


def _gzip_with_wrong_checksum(body: bytes) -> bytes:
    packed = gzip.compress(body)
    checksum, size = packed[-8:-4], packed[-4:]
    return packed[:-8] + bytes(byte ^ 0xFF for byte in checksum) + size


def _gzip_bomb(mebibytes: str) -> Respond:
    if not mebibytes.isdecimal():
        raise ValueError(f"gzip-bomb- takes a number of MiB, not {mebibytes!r}")
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)  # 16 makes it gzip
    filler = b"{},".ljust(64) * (2**20 // 64)
    packed = [packer.compress(b'{"data":[')]
    packed += [packer.compress(filler) for _ in range(int(mebibytes))]
    packed += [packer.compress(b"{}]}"), packer.flush()]
    bomb = b"".join(packed)
    return _body(lambda _: bomb, {"Content-Encoding": "gzip"})


async def _own_name(exchange: Exchange) -> web.StreamResponse:
    return json_response(exchange.body.replace(b"data", exchange.endpoint_name.encode(), 1))


_KINDS: Mapping[str, Respond] = {
    **{str(status): _status(status) for status in range(400, 600)},
    "204": _always(lambda: web.Response(status=HTTPStatus.NO_CONTENT)),
    "206": _body(lambda body: body, status=HTTPStatus.PARTIAL_CONTENT),
    "304": _always(lambda: web.Response(status=HTTPStatus.NOT_MODIFIED)),
    "redirect": _redirect(lambda path: f"https://elsewhere.example{path}"),
    "redirect-same": _redirect(lambda path: f"/moved{path}"),
    "redirect-loop": _redirect(lambda path: path),
    "redirect-nowhere": _redirect(lambda _: None),
    "reset": wire.reset,
    "reset-headers": wire.reset_headers,
    "reset-body": wire.reset_body,
    "stall-headers": wire.stall_headers,
    "stall-body": wire.stall_body,
    "drip": wire.drip,
    "length-short": wire.wrong_length(lambda length: length // 2),
    "length-long": wire.wrong_length(lambda length: length + 100),
    "cut-chunked": wire.cut_chunked,
    "empty": _fixed(b""),
    "html": _other_type("text/html", "<!doctype html><title>Sign in</title><form></form>"),
    "text": _other_type("text/plain", "The service is starting"),
    "null": _fixed(b"null"),
    "scalar": _fixed(b"42"),
    "object": _fixed(b"{}"),
    "error-object": _fixed(b'{"message":"Something went wrong","statusCode":500}'),
    "data-null": _fixed(b'{"data":null}'),
    "empty-list": _fixed(b'{"data":[]}'),
    "garbage": _body(lambda body: body + b"<!-- cached -->"),
    "cut-json": _body(lambda body: body[: len(body) // 2]),
    "bom": _body(lambda body: codecs.BOM_UTF8 + body),
    "latin1": _body(_latin1),
    "latin1-declared": _body(_latin1, {"Content-Type": "application/json; charset=iso-8859-1"}),
    "renamed-ids": _body(lambda body: body.replace(b'"id":', b'"courseId":')),
    "error-beside": _body(lambda body: body[:-1] + b',"error":{"code":500}}'),
    "total": _body(lambda body: body[:-1] + b',"meta":{"total":100000}}'),
    "first-page": _body(lambda body: body, {"X-Next-Page": "2"}),
    "nan": _literal("timeNeededInHours", "NaN"),
    "huge-number": _literal("timeNeededInHours", "1e400"),
    "huge-integer": _literal("timeNeededInHours", "9" * 5000),
    "deep": _literal("outline", "[" * 10_000 + "]" * 10_000),
    "surrogate": _literal("title", r'"half of a pair: \ud83d"'),
    "duplicate-keys": _literal("title", '"the first","title":"the second"'),
    "pages": _body(lambda body: body[:-1] + b',"meta":{"numberOfPages":3}}'),
    "next-link": _body(lambda body: body[:-1] + b',"links":{"next":"?page=2"}}'),
    "bare-list": _body(lambda body: body.removeprefix(b'{"data":').removesuffix(b"}")),
    "own-name": _own_name,
    "gzip-bad": _body(_gzip_with_wrong_checksum, {"Content-Encoding": "gzip"}),
    "encoding-unknown": _body(lambda body: body, {"Content-Encoding": "snappy"}),
}

# Kinds that take the rest of their name as an argument.
_OPEN_KINDS: Mapping[str, Callable[[str], Respond]] = {
    "retry-after-": _retry_after,
    "gzip-bomb-": _gzip_bomb,
}

KIND_NAMES = ", ".join(
    (
        "400 to 599",
        *(name for name in _KINDS if not name.startswith(("4", "5"))),
        "retry-after-TEXT",
        "gzip-bomb-MIB",
    )
)
