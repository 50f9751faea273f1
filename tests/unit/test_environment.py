"""Which proxy and which CA certificates the environment names."""

from __future__ import annotations

import re
import ssl

import certifi
import pytest

from async_client.environment import is_proxied, proxy_for, tls_context
from async_client.errors import FinalError
from tests.support.cases import cases
from tests.support.tls import self_signed

HTTPS, HTTP, LOOPBACK = "https://api.example/x", "http://api.example/x", "http://127.0.0.1:80/x"


PROXIES = [
    ({}, HTTPS, None),
    ({"HTTPS_PROXY": "http://proxy:3128"}, HTTPS, "http://proxy:3128"),
    ({"https_proxy": "http://proxy:3128"}, "HTTPS://api.example/x", "http://proxy:3128"),
    ({"HTTPS_PROXY": "https://proxy"}, HTTPS, "https://proxy"),
    ({"HTTPS_PROXY": "http://u:p@proxy"}, HTTPS, "http://u:p@proxy"),
    ({"HTTPS_PROXY": "proxy:3128"}, HTTPS, "http://proxy:3128"),
    ({"HTTPS_PROXY": "HTTP://proxy"}, HTTPS, "HTTP://proxy"),
    ({"HTTPS_PROXY": ""}, HTTPS, None),
    ({"HTTPS_PROXY": "http://proxy"}, HTTP, None),
    ({"HTTP_PROXY": "http://proxy"}, HTTP, "http://proxy"),
    ({"HTTP_PROXY": "http://proxy"}, HTTPS, None),
    ({"ALL_PROXY": "http://proxy"}, HTTPS, "http://proxy"),
    ({"all_proxy": "proxy"}, HTTP, "http://proxy"),
    ({"ALL_PROXY": "http://other", "HTTPS_PROXY": "http://proxy"}, HTTPS, "http://proxy"),
    ({"HTTPS_PROXY": "proxy", "NO_PROXY": "api.example"}, HTTPS, None),
    ({"ALL_PROXY": "proxy", "NO_PROXY": "127.0.0.1"}, LOOPBACK, None),
    ({"ALL_PROXY": "proxy", "NO_PROXY": "127.0.0.1:80"}, LOOPBACK, None),
    ({"ALL_PROXY": "proxy", "NO_PROXY": "127.0.0.1:81"}, LOOPBACK, "http://proxy"),
    ({"ALL_PROXY": "proxy", "NO_PROXY": "::1"}, "http://[::1]:80/x", None),
    ({"ALL_PROXY": "proxy", "NO_PROXY": "[::1]"}, "http://[::1]:80/x", None),
    ({"ALL_PROXY": "proxy", "NO_PROXY": "::2"}, "http://[::1]:80/x", "http://proxy"),
    ({"HTTPS_PROXY": "proxy", "NO_PROXY": "other.example"}, HTTPS, "http://proxy"),
]


@pytest.mark.parametrize(("environment", "url", "proxy"), PROXIES, ids=str)
def test_the_proxy_is_the_one_that_the_environment_names(monkeypatch, environment, url, proxy):
    """`<SCHEME>_PROXY`, else `ALL_PROXY`, in either case, unless `NO_PROXY` names the host."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (proxy_for(url), is_proxied(url)) == (proxy, proxy is not None)


@cases(
    "variable, proxy",
    {
        "SOCKS": ("HTTPS_PROXY", "socks5://user:hunter2@proxy:1080"),
        "SOCKS for all": ("ALL_PROXY", "socks5h://user:hunter2@proxy"),
        "lower case": ("all_proxy", "socks4://user:hunter2@proxy"),
        "a port that is no number": ("https_proxy", "http://user:hunter2@proxy:bad"),
        "no host": ("HTTPS_PROXY", "http://user:hunter2@"),
    },
)
def test_a_proxy_that_is_not_http_is_refused(monkeypatch, variable, proxy):
    """The error names the variable that was read, and not the URL, which may have a password."""
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(FinalError) as refused:
        proxy_for(HTTPS)
    assert (refused.value.reason, refused.value.advice) == (
        f"{variable} names a proxy that cannot be used",
        f"Set {variable} to the http:// or https:// URL of a proxy; SOCKS is not supported",
    )
    assert is_proxied(HTTPS)
    assert "hunter2" not in str(vars(refused.value))


def test_certifi_is_trusted_by_default():
    """The system's CA certificates, which a container may lack, play no part."""
    expected = ssl.create_default_context(cafile=certifi.where())
    certificates = tls_context().get_ca_certs(binary_form=True)
    assert certificates == expected.get_ca_certs(binary_form=True) != []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_may_name_a_file_or_a_directory(monkeypatch, tmp_path, variable):
    """Its certificates replace those of certifi, and verification stays on.

    Those of a directory are loaded during the handshake.
    """
    found = []
    for path in (self_signed(tmp_path, "127.0.0.1"), tmp_path):
        monkeypatch.setenv(variable, str(path))
        context = tls_context()
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        found.append([root["subject"] for root in context.get_ca_certs()])
    assert found == [[((("commonName", "connector tests"),),)], []]


def test_requests_ca_bundle_takes_precedence(monkeypatch, tmp_path):
    """Of two variables, the one that `requests` reads is used, unless it is empty."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(self_signed(tmp_path, "127.0.0.1")))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    assert len(tls_context().get_ca_certs()) == 1
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    with pytest.raises(ValueError, match=r"^SSL_CERT_FILE is "):
        tls_context()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    "content", [None, b"", b"no certificate"], ids=["missing", "empty", "no PEM"]
)
def test_a_file_without_certificates_is_refused(monkeypatch, tmp_path, variable, content):
    """The error names the variable, the file, the reason and the fix."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(variable, str(path))
    start = re.escape(f"{variable} is {str(path)!r}, which contains no usable certificates (")
    with pytest.raises(ValueError, match=rf"^{start}(?!None).+\): correct or unset it"):
        tls_context()
