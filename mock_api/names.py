"""The names that endpoints are known by, here as in the connector."""

from __future__ import annotations

from endpoints import ENDPOINTS

ENDPOINT_NAMES = tuple(endpoint.name for endpoint in ENDPOINTS)


def known(endpoint_name: str) -> str:
    """Give the name back; raises ValueError that lists the valid ones if it is none of them."""
    if endpoint_name not in ENDPOINT_NAMES:
        valid = ", ".join(ENDPOINT_NAMES)
        raise ValueError(f"unknown endpoint {endpoint_name!r}; valid names are {valid}")
    return endpoint_name
