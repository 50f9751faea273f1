"""DataCamp's catalogs over HTTP, all at once; knows nothing of tables."""

from async_client.background import Catalogs, fetching
from async_client.errors import EndpointError, FetchError, NotIncludedError, TokenRejectedError
from async_client.events import CatalogFetched, Event, ResponseReceived, RetryScheduled
from async_client.fetch import probe_all
from async_client.limits import Limits
from async_client.response import Catalog
from async_client.settings import (
    SETTINGS,
    Settings,
    is_unset,
    normalized_url,
    validate_configuration,
)

__all__ = [
    "SETTINGS",
    "Catalog",
    "CatalogFetched",
    "Catalogs",
    "EndpointError",
    "Event",
    "FetchError",
    "Limits",
    "NotIncludedError",
    "ResponseReceived",
    "RetryScheduled",
    "Settings",
    "TokenRejectedError",
    "fetching",
    "is_unset",
    "normalized_url",
    "probe_all",
    "validate_configuration",
]
