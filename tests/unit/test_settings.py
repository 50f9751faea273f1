"""The configuration: what it means, what it defaults to, and what is refused before a request."""

from __future__ import annotations

import re

import pytest

from async_client import (
    Limits,
    Settings,
    normalized_url,
    validate_configuration,
)
from async_client.settings import unknown_keys
from endpoints import ENDPOINTS
from tests.support.fetching import NAMES, TOKEN

DEFAULT = "https://lms-catalog-api.datacamp.com"


def validated(**configuration):
    """Read a configuration with a valid token, unless it has another."""
    return validate_configuration({"bearer_token": TOKEN, **configuration})


@pytest.mark.parametrize("untouched", ["", " \t\n", "<PUT_IT_HERE>", " <optional, a number> "])
def test_empty_whitespace_and_placeholder_mean_the_default(untouched):
    """Only the token is required: the defaults are DataCamp's URL, 30 s and all endpoints."""
    optional = ("base_url", "request_timeout_seconds", "skip_endpoints")
    for configuration in ({}, dict.fromkeys(optional, untouched)):
        assert validated(**configuration) == Settings(TOKEN, DEFAULT, 30.0, ENDPOINTS)


def test_every_key_is_read():
    """Configured values replace the defaults, without whitespace around them."""
    settings = validated(
        bearer_token=f" {TOKEN}\n",
        base_url=" http://localhost:8080/ ",
        request_timeout_seconds=" 1.5 ",
        skip_endpoints="custom_tracks",
    )
    others = tuple(endpoint for endpoint in ENDPOINTS if endpoint.name != "custom_tracks")
    assert settings == Settings(TOKEN, "http://localhost:8080", 1.5, others)


def test_the_limits_are_those_of_the_design():
    """Six attempts with waits up to 16 s, 10 minutes an endpoint, 32 MiB a body."""
    assert Limits() == Limits((1.0, 2.0, 4.0, 8.0, 16.0), 600.0, 15.0, 33_554_432)


@pytest.mark.parametrize("token", ["<half", "half>", "a<b>c", "eyJhbGciOi.J9-_~+/="])
def test_any_other_text_may_be_a_token(token):
    """Only a value in brackets is a placeholder."""
    assert validated(bearer_token=token).bearer_token == token


def test_neither_repr_nor_str_shows_the_token():
    """Settings can be logged, and so can any object that contains them."""
    settings = validated(base_url="http://localhost")
    for text in (repr(settings), str(settings), f"{settings}", repr([settings])):
        assert TOKEN not in text
        assert "http://localhost" in text


VALID_URLS = [
    *("https://example.com", "https://example.com/lms/api", "https://example.com/a%20b/@me"),
    *("http://127.0.0.1:8080", "https://[2001:db8::1]:8443"),
    "https://bücher.example",
]


@pytest.mark.parametrize("base_url", VALID_URLS)
def test_a_base_url_may_have_a_port_a_path_and_trailing_slashes(base_url):
    """Only the slashes at the end are removed, so that paths can be appended."""
    for slashes in ("", "/", "///"):
        assert validated(base_url=base_url + slashes).base_url == base_url


@pytest.mark.parametrize(
    ("spelt", "normalized"),
    [
        ("HTTPS://Example.COM", "https://example.com"),
        ("https://example.com:443/", "https://example.com"),
        ("https://example.com:/Lms/API/", "https://example.com/Lms/API"),
        ("HTTP://[2001:DB8::1]:0080/%7Eme", "http://[2001:db8::1]/%7Eme"),
        ("http://Example.com:443", "http://example.com:443"),
        ("https://[::443]", "https://[::443]"),
    ],
)
def test_spellings_of_one_address_are_normalized(spelt, normalized):
    """Scheme, host and port are (RFC 3986, 6.2.2.1 and 6.2.3); a path is case-sensitive."""
    assert validated(base_url=spelt).base_url == normalized
    assert normalized_url(normalized) == normalized


@pytest.mark.parametrize("text", ["", "Example.com", "FTP://A.example/", "https://[::1", "A:b:c"])
def test_a_text_that_is_no_base_url_is_not_normalized(text):
    """A saved state may name any source."""
    assert normalized_url(text) == text


LOOPBACK = ["localhost:8080", "LOCALHOST", "mock.localhost", "127.0.0.1:8080/x", "[::1]"]
REMOTE = ["example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0", "notlocalhost"]


@pytest.mark.parametrize("host", [*LOOPBACK, *REMOTE])
def test_http_to_another_machine_sends_the_token_unencrypted(host):
    """Over https, or over http to this machine, no one else can read the token."""
    assert validated(base_url=f"HTTP://{host}").sends_token_unencrypted is (host in REMOTE)
    assert not validated(base_url=f"https://{host}").sends_token_unencrypted


def test_http_to_this_machine_through_a_proxy_sends_the_token_unencrypted(monkeypatch):
    """The proxy reads what is sent over http; over https it only opens a tunnel."""
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example")
    assert validated(base_url="http://[::1]:80").sends_token_unencrypted
    assert not validated(base_url="https://[::1]:80").sends_token_unencrypted
    monkeypatch.setenv("NO_PROXY", "::1")
    assert not validated(base_url="http://[::1]:80").sends_token_unencrypted


def test_a_timeout_is_any_number_above_0():
    """The number of seconds may be whole or fractional."""
    texts = ("30", "0.25", "1e2", "+7")
    seconds = [validated(request_timeout_seconds=t).request_timeout_seconds for t in texts]
    assert seconds == [30.0, 0.25, 100.0, 7.0]


@pytest.mark.parametrize(
    ("skipped", "left"),
    [
        ("courses, assessments", ["practices", "projects", "custom_tracks", "tracks"]),
        (" courses ,\n,, tracks,tracks, ", NAMES[:-2]),
        (",".join(NAMES[:-1]), ["courses"]),
        (",", NAMES),
    ],
    ids=ascii,
)
def test_endpoints_can_be_skipped(skipped, left):
    """Whitespace, empty and repeated names do not matter; the others stay in replay order."""
    settings = validated(skip_endpoints=skipped)
    assert [endpoint.name for endpoint in settings.endpoints] == left


INVALID_URLS = {
    "does not start with https:// or http://": [
        *("example.com", "//example.com", "localhost:8080", "file:///etc/passwd")
    ],
    "has no host": ["https:example.com", "https://", "http://:8080", "https://example.com:0"],
    "contains a user name or password": ["https://user:hunter2@a.example", "https://hunter2@a"],
    "contains a query or a fragment": ["https://a.example?key=hunter2", "https://a#hunter2"],
    "is not a valid URL": ["https://a.example:hunter2", "https://a.example:65536", "https://[::1"],
    "contains whitespace or an invalid character": [
        *("https://exam ple.com", "https://a.example/a b", "https://a.example\\@evil.example"),
        *("https://exa\tmple.com", "https://a.example/\x00"),
    ],
}
PLAIN_URL = f"use a plain http(s) URL, or leave it empty for the default, {DEFAULT}."
KNOWN_NAMES = "assessments, practices, projects, custom_tracks, tracks, courses"
UNKNOWN = f"which is not an endpoint: use names of {KNOWN_NAMES}, separated by commas."
REFUSALS = {
    "bearer_token": {
        "is missing: set it to the API token issued by DataCamp.": [
            *("", " \n", "<YOUR_TOKEN>", " < > ")
        ],
        "contains whitespace or an invalid character: "
        "paste only the token, on one line and without the word Bearer.": [
            *("Bearer s3cret", "s3cret\r\nX-Injected: yes", "s3cret\x00", "s3crét"),
            *("s3cret\N{NO-BREAK SPACE}s3cret", "s3cret\N{ZERO WIDTH SPACE}"),
        ],
        "must be a string, not NoneType: put it in quotes.": [None],
        "must be a string, not int: put it in quotes.": [123],
    },
    "base_url": {f"{problem}: {PLAIN_URL}": urls for problem, urls in INVALID_URLS.items()},
    "request_timeout_seconds": {
        "must be a number above 0, such as 30; leave it empty for the default, 30.": [
            *("0", "0.0", "-1", "nan", "inf", "-inf", "1e400", "30s", "30,5", "0x1e", "1 000")
        ]
    },
    "skip_endpoints": {
        f"contains 'Courses', {UNKNOWN}": ["Courses"],
        f"contains 'courses tracks', {UNKNOWN}": ["courses tracks"],
        f"contains 'badges', 'zebra', {UNKNOWN}": ["zebra,courses,badges"],
        "skips all endpoints, so nothing is synced: remove one.": [",".join(reversed(NAMES))],
        "must be a string, not list: put it in quotes.": [["x"]],
    },
}


@pytest.mark.parametrize(
    ("key", "problem", "value"),
    [
        (key, problem, value)
        for key, problems in REFUSALS.items()
        for problem, values in problems.items()
        for value in values
    ],
    ids=ascii,
)
def test_an_invalid_value_is_refused(key, problem, value):
    """The error names the key, the problem and the fix; only names of endpoints are repeated."""
    with pytest.raises(ValueError, match=rf"^{re.escape(f'{key} {problem}')}$"):
        validated(**{key: value})


def test_a_missing_token_is_refused():
    """The token is the only required key."""
    with pytest.raises(ValueError, match=r"^bearer_token is missing: "):
        validate_configuration({})


@pytest.mark.parametrize("key", ["request_timeout_seconds", "skip_endpoints", "base_url"])
def test_a_token_in_the_wrong_field_is_not_repeated(key):
    """A value pasted by accident may be the token."""
    with pytest.raises(ValueError, match=rf"^{key} ") as refused:
        validated(**{key: "eyJhbGciOi.J9-token-pasted-by-accident"})
    assert "eyJhbGciOi" not in str(refused.value)


ALL_KEYS = "use bearer_token, base_url, request_timeout_seconds, skip_endpoints."


@pytest.mark.parametrize(
    ("key", "shown", "fix"),
    [
        ("base_ur", "'base_ur'", "did you mean base_url?"),
        ("Base URL", "'Base URL'", "did you mean base_url?"),
        ("url", "'url'", "did you mean base_url?"),
        ("token", "'token'", "did you mean bearer_token?"),
        ("BEARER-TOKEN", "'BEARER-TOKEN'", "did you mean bearer_token?"),
        ("skipped_endpoints", "'skipped_endpoints'", "did you mean skip_endpoints?"),
        ("password", "'password'", ALL_KEYS),
        ("base_url2", "a key that is not shown", "did you mean base_url?"),
        ("eyJhbGciOi.J9-", "a key that is not shown", ALL_KEYS),
        ("k" * 33, "a key that is not shown", ALL_KEYS),
        ("", "a key that is not shown", ALL_KEYS),
    ],
)
def test_an_unknown_key_is_reported_with_the_nearest_setting(key, shown, fix):
    """Only what could be a misspelt name is shown, never a value."""
    sentences = unknown_keys({"bearer_token": TOKEN, key: TOKEN, "skip_endpoints": ""})
    assert sentences == [f"The configuration contains {shown}, which is ignored: {fix}"]


def test_keys_of_settings_are_known():
    """No sentence is returned for them."""
    keys = ("bearer_token", "base_url", "request_timeout_seconds", "skip_endpoints")
    assert unknown_keys(keys) == []
