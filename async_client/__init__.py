"""DataCamp's catalogs over HTTP, all at once; knows nothing of tables."""

from async_client.background import Catalogs, fetching
from async_client.client import (
    CatalogFetched,
    Event,
    ReceivedResponse,
    RetryScheduled,
    probe_all,
)
from async_client.errors import EndpointError, NotIncludedError, TokenRejectedError
from async_client.items import UnreadableItem
from async_client.limits import Limits
from async_client.response import Catalog
from async_client.settings import (
    SETTINGS,
    Settings,
    is_unset,
    normalized_url,
    unknown_keys,
    validate_configuration,
)

__all__ = [
    "SETTINGS",
    "Catalog",
    "CatalogFetched",
    "EndpointError",
    "Event",
    "Limits",
    "NotIncludedError",
    "ReceivedResponse",
    "RetryScheduled",
    "Settings",
    "TokenRejectedError",
    "UnreadableItem",
    "fetching",
    "is_unset",
    "normalized_url",
    "probe_all",
    "unknown_keys",
    "validate_configuration",
]
