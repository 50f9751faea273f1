"""Fetch the catalogs as a sync does, and keep the last response of each endpoint."""

from __future__ import annotations

from concurrent.futures import Future
from typing import NamedTuple

from async_client import Catalog, EndpointError, Limits, ReceivedResponse, Settings, fetching
from async_client.client import OnEvent
from endpoints import Endpoint


class Fetched(NamedTuple):
    """An endpoint's last response, if any, and the items or the failure of a sync."""

    endpoint: Endpoint
    response: ReceivedResponse | None
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
    endpoint: Endpoint, catalog: Future[Catalog], last: dict[str, ReceivedResponse]
) -> Fetched:
    try:
        items = list(catalog.result())
    except EndpointError as failure:
        return Fetched(endpoint, last.get(endpoint.name), [], failure)
    return Fetched(endpoint, last[endpoint.name], items)
