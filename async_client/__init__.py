"""DataCamp's catalogs over HTTP, all at once; knows nothing of tables.

settings      what the user configured
background    the thread in which catalogs are fetched, and how they are taken out of it
fetch         the loop: get and judge, repeated for each endpoint while that may help
client        the socket: one request (environment: proxies and CA certificates)
response      the decision: is this response the catalog? (status, evidence with its table signs)
retry         when to repeat (requested_wait: what the server asks; rate_limit: taking turns)
errors        what can go wrong (failures: what aiohttp raises, in these terms)
"""

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
