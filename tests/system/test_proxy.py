"""A proxy that the environment names opens a tunnel and never gets the token."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
from threading import Thread

import pytest

from async_client import EndpointError, Limits, Settings, fetching
from tests.support.fetching import CATALOGS, NAMES, TOKEN, crash_report
from tests.support.tls import self_signed, serving_tls


class _Tunnel(socketserver.StreamRequestHandler):
    """Respond to CONNECT with a status; if it is 200, connect the two ends until one closes."""

    def handle(self):
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        self.server.seen.append(head)
        self.wfile.write(f"HTTP/1.1 {self.server.status}\r\n\r\n".encode())
        if self.server.status.startswith("200"):
            host, port = head.split()[1].decode().split(":")
            with (
                socket.create_connection((host, int(port))) as upstream,
                contextlib.suppress(ConnectionError),
            ):
                self._pipe(upstream)

    def _pipe(self, upstream):
        ends = {self.request: upstream, upstream: self.request}
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                if end is self.request:
                    self.server.seen.append(data)
                ends[end].sendall(data)


@pytest.fixture
def proxy(monkeypatch):
    """Run a proxy with a password; `seen` has all bytes that clients sent to it."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tunnel) as server:
        server.daemon_threads = True
        server.status, server.seen = "200 Connection established", []
        url = f"http://user:hunter2@127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("HTTPS_PROXY", url)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetched(base_url):
    """Fetch every catalog with two attempts; return the items or the error of each endpoint."""
    limits, settings = Limits(wait_caps_seconds=(0.0,)), Settings(TOKEN, base_url)
    with fetching(settings, limits, lambda event: None) as catalogs:
        results = {name: catalogs.take(name) for name in NAMES}
    return {
        name: result if isinstance(result, EndpointError) else result.items()
        for name, result in results.items()
    }


def test_over_https_a_proxy_sees_a_tunnel_and_no_token(proxy, tmp_path, monkeypatch):
    """The proxy opens six tunnels, however https is spelled, and nothing it gets has the token."""
    certificate = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving_tls(certificate, CATALOGS, TOKEN) as server:
        assert fetched(server.base_url.replace("https", "HTTPS")) == CATALOGS
        host = server.base_url.removeprefix("https://")
    sent = b"".join(proxy.seen)
    assert sent.count(f"CONNECT {host} HTTP/1.1\r\n".encode()) == 6
    assert len(sent) > 6 * 200
    assert TOKEN.encode() not in sent


@pytest.mark.parametrize(
    ("status", "attempts", "reason"),
    [
        ("407 Proxy Authentication Required", 1, "the proxy requires a user name and password"),
        ("403 Forbidden", 2, "the proxy refused to connect to the server"),
    ],
)
def test_the_status_of_a_proxy_is_not_taken_for_that_of_the_api(proxy, status, attempts, reason):
    """The proxy gets its own password and never the token; no error contains either."""
    proxy.status = status
    errors = fetched("https://catalog.invalid").values()
    assert {(error.attempts, error.reason) for error in errors} == {(attempts, reason)}
    assert len(proxy.seen) == 6 * attempts
    assert all(b"Proxy-Authorization: Basic" in head for head in proxy.seen)
    assert TOKEN.encode() not in b"".join(proxy.seen)
    for secret in (TOKEN, "hunter2"):
        assert not any(secret in crash_report(error) for error in errors)
