"""Fixtures for several test modules: syncs against recorders, and limits without waits."""

from __future__ import annotations

import pytest

from mock_api.serving import serving
from tests.support.fetching import CATALOGS, TOKEN
from tests.support.recording import run_sync

CONFIGURATION = {"bearer_token": "t0ken-for-tests", "base_url": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    """Ignore the machine's proxies and CA certificates in every test."""
    proxies = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
    for name in (*proxies, *map(str.upper, proxies), "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def recorded():
    """Return a function that runs `connector.update` against recorders.

    It takes the items or the failure of each endpoint, the state and further configuration.
    """

    def run(results=None, state=None, *, before=lambda operation: None, **configuration):
        return run_sync({**CONFIGURATION, **configuration}, results, state, before)

    return run


@pytest.fixture
def server():
    """Run a mock server with two items in each catalog."""
    with serving(CATALOGS, token=TOKEN) as running:
        yield running
