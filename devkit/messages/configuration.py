"""The messages about the configuration."""

from __future__ import annotations

from collections.abc import Iterator

import report
from async_client import validate_configuration
from async_client.environment import tls_context
from devkit.messages.rows import NEXT_SYNC, NOW, Row, environment_variable, raised, sentences
from endpoints import ENDPOINTS

_TOKEN = {"bearer_token": "x"}


def rows() -> Iterator[Row]:
    """Yield the messages about the configuration."""

    def refused(key: str, value: object) -> str:
        return raised(validate_configuration, {**_TOKEN, key: value})

    yield sentences(
        "no token, or still the placeholder", NOW, refused("bearer_token", ""), split=": "
    )
    yield sentences(
        "the token was pasted with something else",
        NOW,
        refused("bearer_token", "a b"),
        split=": ",
    )
    urls = ("ftp://a", "https://a b", "https://u@a", "https://", "https://a?b", "https://a:b")
    yield sentences(
        "not the address of an API", NOW, *(refused("base_url", url) for url in urls), split=": "
    )
    yield sentences("a value without quotes in the file", NOW, refused("base_url", 1), split=": ")
    yield sentences("no number", NOW, refused("request_timeout_seconds", "x"), split="; ")
    yield sentences(
        "not the name of a catalog", NOW, refused("skip_endpoints", "course"), split=": "
    )
    every = ",".join(endpoint.name for endpoint in ENDPOINTS)
    yield sentences("all names are listed", NOW, refused("skip_endpoints", every), split=": ")
    (unknown,) = validate_configuration({**_TOKEN, "token": "x"}).notes
    (unlike,) = validate_configuration({**_TOKEN, "colour": "x"}).notes
    (hidden,) = validate_configuration({**_TOKEN, "a1": "x"}).notes
    yield sentences(
        "a misspelt key; the sync continues without it", NEXT_SYNC, unknown, split=": "
    )
    yield sentences("a key of no setting", NEXT_SYNC, unlike, hidden, split=": ")
    yield sentences("http, and not to this machine", NOW, report.unencrypted("http://api.example"))
    with environment_variable("REQUESTS_CA_BUNDLE", "ca.pem"):
        yield sentences(
            "a path that is wrong, or a file without certificates",
            NOW,
            raised(tls_context),
            split=": ",
        )
