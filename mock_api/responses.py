"""Build bodies and responses for catalogs and errors, whole or in part."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import web

from mock_api.items import Item


class Exchange(NamedTuple):
    """A request to an endpoint, and the body of its response without a fault."""

    request: web.BaseRequest
    endpoint_name: str
    body: bytes


Respond = Callable[[Exchange], Awaitable[web.StreamResponse]]


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


def error_body(status: int, message: str) -> bytes:
    """Return an error in the format of the API's framework."""
    return to_json({"message": message, "statusCode": status})


def error_response(status: int, message: str) -> web.Response:
    """Return an error."""
    return json_response(error_body(status, message), status=status)


async def send_part(
    request: web.BaseRequest, body: bytes, size: int, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """Send the headers and the first bytes of the body; return the response to continue."""
    response = web.StreamResponse(headers=headers)
    response.content_type = "application/json"
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[:size])
    return response
