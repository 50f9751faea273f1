"""Build bodies and responses for catalogs and errors, whole or in part."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import web

from mock_api.items import Item

_FASTEST_COMPRESSION = 1


class Exchange(NamedTuple):
    """A request to an endpoint, and the body of its response without a fault."""

    request: web.Request
    endpoint_name: str
    body: bytes


Respond = Callable[[Exchange], Awaitable[web.StreamResponse]]


class Encoded(NamedTuple):
    """A body as it is sent, and the headers that name its encoding."""

    content: bytes
    headers: Mapping[str, str]


class CatalogBody:
    """An endpoint's body, encoded in advance so that requests are cheap.

    Items are sent as `{"data": […]}`; bytes are sent as the whole body.
    """

    def __init__(self, items: Sequence[Item] | bytes) -> None:
        self.plain = items if isinstance(items, bytes) else envelope(items)
        self._gzipped = gzip.compress(self.plain, _FASTEST_COMPRESSION, mtime=0)

    def encoded_for(self, request: web.Request) -> Encoded:
        """Return the body, compressed if the client accepts gzip."""
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return Encoded(self._gzipped, {"Content-Encoding": "gzip"})
        return Encoded(self.plain, {})


def to_json(document: object) -> bytes:
    """Return JSON as the API writes it: UTF-8, without spaces."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def envelope(items: Sequence[Item]) -> bytes:
    """Return a list of items as the body that the API sends."""
    return to_json({"data": items})


def json_response(
    body: bytes, headers: Mapping[str, str] | None = None, status: int = HTTPStatus.OK
) -> web.Response:
    """Return a response with the content type of JSON, whatever its body is."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=body, status=status, headers=headers)


def error_response(
    status: int, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an error in the format of the API's framework."""
    return json_response(to_json({"message": message, "statusCode": status}), headers, status)


async def send_part(request: web.Request, encoded: Encoded, size: int) -> web.StreamResponse:
    """Send the headers and the first bytes of the body; return the response to continue."""
    response = web.StreamResponse(headers=encoded.headers)
    response.content_type = "application/json"
    response.content_length = len(encoded.content)
    await response.prepare(request)
    await response.write(encoded.content[:size])
    return response
