"""DataCamp's catalogs over HTTP, all at once; knows nothing of tables."""

from async_client.background import fetching
from async_client.client import (
    Catalog,
    CatalogFetched,
    ReceivedResponse,
    RetryScheduled,
    probe_all,
)
from async_client.errors import EndpointError, TokenRefusedError
from async_client.response import decode_item
from async_client.settings import Limits, Settings, validate_configuration

__all__ = [
    "Catalog",
    "CatalogFetched",
    "EndpointError",
    "Limits",
    "ReceivedResponse",
    "RetryScheduled",
    "Settings",
    "TokenRefusedError",
    "decode_item",
    "fetching",
    "probe_all",
    "validate_configuration",
]
