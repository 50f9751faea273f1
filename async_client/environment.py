"""Read proxies and CA certificates from the environment."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from async_client.errors import FinalError


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
    """Return the proxy that the environment names for a URL; raise FinalError if it is not HTTP.

    With `trust_env` aiohttp would do this itself, but would also read `.netrc`, and an entry for
    the host would replace the token. It would take a SOCKS proxy for an HTTP proxy.
    """
    variable, proxy = _find_proxy(url)
    if not proxy:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        is_http = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is not a number, a bracket that is not closed
        is_http = False
    if not is_http:  # the URL may contain a password, so it is not shown
        raise FinalError(
            f"{variable} names a proxy that cannot be used",
            f"Set {variable} to the http:// or https:// URL of a proxy; SOCKS is not supported",
        )
    return proxy


def is_proxied(url: str) -> bool:
    """Return whether requests for a URL go to a proxy, which reads what is sent over http."""
    return bool(_find_proxy(url)[1])


def _find_proxy(url: str) -> tuple[str, str | None]:
    """Return the variable that names the proxy for a URL, and its value; None if none applies."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    # `proxy_bypass` compares `[::1]` with what NO_PROXY contains, which is mostly `::1`.
    is_excluded = proxy_bypass(parts.netloc) or (":" in host and proxy_bypass(host))
    proxies = {} if is_excluded else getproxies()
    for kind in (parts.scheme, "all"):
        if proxies.get(kind):
            names = (f"{kind}_proxy", f"{kind}_proxy".upper())  # in the order of `getproxies`
            named = (name for name in names if os.environ.get(name))
            return next(named, "the system's proxy setting"), proxies[kind]
    return "", None
