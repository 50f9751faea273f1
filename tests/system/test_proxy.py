"""Proxies of the environment are used, see no token over https, and can be bypassed."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
from threading import Thread

import pytest

from async_client import Limits, Settings, fetching
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.tls import self_signed, serving_tls

TOKEN = "t0ken-that-no-proxy-may-see"
SMALL = catalog(scale=0.05)


class _Tunnel(socketserver.BaseRequestHandler):
    """Connects a client to the host that it asks for, and keeps a copy of all it sends."""

    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(65536)
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split()
        self.server.asked.append((method, target))
        self.server.seen.append(head)
        host, port = target.removeprefix("http://").split("/")[0].split(":")
        with socket.create_connection((host, int(port))) as upstream:
            if method == "CONNECT":
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(head)
            self._pipe(upstream)

    def _pipe(self, upstream):
        ends = {self.request: upstream, upstream: self.request}
        with contextlib.suppress(ConnectionError):
            while True:
                readable, _, _ = select.select(list(ends), [], [])
                for end in readable:
                    data = end.recv(65536)
                    if not data:
                        return
                    if end is self.request:
                        self.server.seen.append(data)
                    ends[end].sendall(data)


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@pytest.fixture
def proxy():
    """Run a proxy; `asked` has what clients asked for, `seen` all bytes that they sent."""
    with _Proxy(("127.0.0.1", 0), _Tunnel) as server:
        server.asked, server.seen = [], []
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch_all(base_url):
    """Fetch every catalog; gives the number of items by endpoint."""
    settings = Settings(TOKEN, base_url, request_timeout_seconds=5)
    with fetching(settings, Limits(wait_caps_seconds=()), lambda event: None) as catalogs:
        return {name: len(future.result().items) for name, future in catalogs.items()}


ALL = {endpoint.name: len(SMALL[endpoint.name]) for endpoint in ENDPOINTS}


def test_over_https_a_proxy_sees_a_tunnel_and_no_token(proxy, tmp_path, monkeypatch):
    """HTTPS_PROXY is asked for a tunnel only; the token is in nothing that passes through it."""
    certificate = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving_tls(certificate, SMALL, TOKEN) as server:
        assert fetch_all(server.base_url) == ALL
        host = server.base_url.removeprefix("https://")
        assert proxy.asked == [("CONNECT", host)] * 6
    sent = b"".join(proxy.seen)
    assert len(sent) > 6 * 200
    assert TOKEN.encode() not in sent


def test_http_proxy_is_used_for_plain_http(proxy, monkeypatch):
    """HTTP_PROXY is honoured: all six requests go through it."""
    monkeypatch.setenv("http_proxy", proxy.url)
    with serving(SMALL, token=TOKEN) as server:
        assert fetch_all(server.base_url) == ALL
        assert sorted(proxy.asked) == sorted(
            ("GET", server.base_url + endpoint.path) for endpoint in ENDPOINTS
        )


@pytest.mark.parametrize("bypassed", ["127.0.0.1", "127.0.0.1,other.example", "*"])
def test_no_proxy_bypasses_the_proxy(proxy, monkeypatch, bypassed):
    """A host that NO_PROXY names is asked directly."""
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", bypassed)
    with serving(SMALL, token=TOKEN) as server:
        assert fetch_all(server.base_url) == ALL
    assert proxy.asked == []
