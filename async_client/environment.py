"""What the environment sets: the proxy and the CA certificates. It makes no connection."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi


def tls_context() -> ssl.SSLContext:
    """Trust certifi's roots, as a container may have none, or those the environment names."""
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        path = os.environ.get(variable)
        if path and Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        if path:
            try:
                return ssl.create_default_context(cafile=path)
            except OSError as error:  # ssl.SSLError too
                raise ValueError(
                    f"{variable} names {path!r}, which holds no usable certificates "
                    f"({error.strerror or error}): correct or unset it."
                ) from None
    return ssl.create_default_context(cafile=certifi.where())


def proxy_for(url: str) -> str | None:
    """Give the proxy that the environment names for a URL; ValueError if it is of another kind.

    aiohttp would look for itself with ``trust_env``, but then also read ``.netrc``, whose entry
    for the host would take the token's place.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        return f"http://{proxy}"
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise ValueError("aiohttp takes every proxy for an HTTP proxy")
    return proxy
