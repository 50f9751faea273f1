"""Fetch the catalogs as a sync does, and keep the last response of each endpoint."""

from __future__ import annotations

from concurrent.futures import Future
from typing import NamedTuple

from async_client import EndpointError, Limits, ReceivedResponse, Settings, decode_item, fetching
from async_client.client import Catalog, OnEvent
from endpoints import Endpoint


class Fetched(NamedTuple):
    """An endpoint's last response, if there was one, and the items or the failure of a sync."""

    endpoint: Endpoint
    response: ReceivedResponse | None
    attempts: int
    items: list[object]
    failure: EndpointError | None = None


def fetch(settings: Settings, limits: Limits, on_event: OnEvent) -> list[Fetched]:
    """Request all endpoints at once, with retries; `on_event` is called in another thread."""
    last: dict[str, ReceivedResponse] = {}

    def on_response(response: ReceivedResponse) -> None:
        last[response.endpoint_name] = response

    with fetching(settings, limits, on_event, on_response) as catalogs:
        return [_fetched(e, catalogs[e.name], last) for e in settings.endpoints]


def _fetched(
    endpoint: Endpoint, future: Future[Catalog], last: dict[str, ReceivedResponse]
) -> Fetched:
    try:
        catalog = future.result()
    except EndpointError as failure:
        return Fetched(endpoint, last.get(endpoint.name), failure.attempts, [], failure)
    items = [decode_item(item) for item in catalog.items]
    return Fetched(endpoint, last.get(endpoint.name), catalog.attempts, items)
