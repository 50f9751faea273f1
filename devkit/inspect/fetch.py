"""Fetch the catalogs as a sync does, and keep the last response of each endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from async_client import (
    Arrival,
    Catalog,
    EndpointError,
    Limits,
    ReceivedResponse,
    Retry,
    Settings,
    decode_item,
    fetching,
)
from endpoints import Endpoint


class Fetched(NamedTuple):
    """What a sync gets of one endpoint: `items` to flatten, or a `failure`.

    `response` is the last one, None if there was none; `seconds` run from the first request to
    its end.
    """

    endpoint: Endpoint
    attempts: int
    items: list[object]
    failure: EndpointError | None
    response: ReceivedResponse | None
    seconds: float


def fetch(
    settings: Settings, limits: Limits, on_event: Callable[[Retry | Arrival], None]
) -> list[Fetched]:
    """Request all endpoints at once, with retries; `on_event` is called in another thread."""
    started = time.monotonic()
    last: dict[str, tuple[ReceivedResponse, float]] = {}

    def on_response(response: ReceivedResponse) -> None:
        last[response.endpoint_name] = (response, time.monotonic() - started)

    fetched = []
    with fetching(settings, limits, on_event, on_response) as catalogs:
        for endpoint in settings.endpoints:
            attempts, items, failure = _result(catalogs[endpoint.name])
            response, seconds = last.get(endpoint.name, (None, 0.0))
            fetched.append(Fetched(endpoint, attempts, items, failure, response, seconds))
    return fetched


def _result(future: Future[Catalog]) -> tuple[int, list[object], EndpointError | None]:
    try:
        catalog = future.result()
    except EndpointError as failure:
        return failure.tries, [], failure
    return catalog.tries, [decode_item(item) for item in catalog.items], None
