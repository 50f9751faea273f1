"""Bodies and responses: what is sent for a catalog, for an error, and for half of either."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import web

from mock_api.items import Item

_FASTEST_COMPRESSION = 1


class Exchange(NamedTuple):
    """A request to an endpoint, and the body that it would get in good health."""

    request: web.Request
    endpoint_name: str
    body: bytes


Respond = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Encoded:
    """A body as it goes over the wire, and the header that says how it is encoded."""

    content: bytes
    headers: Mapping[str, str]


class Answer:
    """An endpoint's healthy answer, encoded beforehand so that a request costs next to nothing.

    Items go into the envelope ``{"data": […]}``; bytes are a body of their own.
    """

    def __init__(self, items: Sequence[Item] | bytes) -> None:
        self.body = items if isinstance(items, bytes) else envelope(items)
        self._plain = Encoded(self.body, {})
        self._gzipped = Encoded(
            gzip.compress(self.body, _FASTEST_COMPRESSION, mtime=0), {"Content-Encoding": "gzip"}
        )

    def encoded_for(self, request: web.Request) -> Encoded:
        """Give the body compressed, if the client says that it accepts that."""
        accepts_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        return self._gzipped if accepts_gzip else self._plain


def to_json(document: object) -> bytes:
    """Write JSON as the API does: UTF-8, without spaces."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def envelope(items: Sequence[Item]) -> bytes:
    """Write the list of items the way that the API wraps it."""
    return to_json({"data": items})


def json_response(
    body: bytes, headers: Mapping[str, str] | None = None, status: int = HTTPStatus.OK
) -> web.Response:
    """Make a response of a body that is, or passes for, JSON."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=body, status=status, headers=headers)


def error_response(
    status: int, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Make an error in the shape of the API's framework."""
    return json_response(to_json({"message": message, "statusCode": status}), headers, status)


async def headers_sent(request: web.Request, encoded: Encoded) -> web.StreamResponse:
    """Send the headers alone; the body is the caller's to send, or not."""
    response = web.StreamResponse(headers=encoded.headers)
    response.content_type = "application/json"
    response.content_length = len(encoded.content)
    await response.prepare(request)
    return response


async def half_sent(request: web.Request, encoded: Encoded) -> web.StreamResponse:
    """Send the headers and the first half of the body."""
    response = await headers_sent(request, encoded)
    await response.write(encoded.content[: len(encoded.content) // 2])
    return response
