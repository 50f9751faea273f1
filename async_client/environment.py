"""Read proxies and CA certificates from the environment."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts certifi, or the CA certificates that the environment names.

    The system's certificates are not used, as a container may have none. Raise ValueError if the
    named file contains no certificates.
    """
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        path = os.environ.get(variable)
        if path and Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        if path:
            try:
                return ssl.create_default_context(cafile=path)
            except OSError as error:  # ssl.SSLError too
                raise ValueError(
                    f"{variable} is {path!r}, which contains no usable certificates "
                    f"({error.strerror or error}): correct or unset it."
                ) from None
    return ssl.create_default_context(cafile=certifi.where())


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for a URL; raise ValueError if it is not HTTP.

    With `trust_env` aiohttp would do this itself, but would also read `.netrc`, and an entry for
    the host would replace the token.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        return f"http://{proxy}"
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise ValueError("aiohttp would take any proxy for an HTTP proxy")
    return proxy
