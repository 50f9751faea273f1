"""The configuration: what it means, what it defaults to, and what is refused before a request."""

from __future__ import annotations

import pytest

from async_client import Limits, Settings, validate_configuration
from endpoints import ENDPOINTS
from tests.support.fetching import NAMES, TOKEN

DEFAULT = "https://lms-catalog-api.datacamp.com"


def validated(**configuration):
    """Read a configuration with a good token."""
    return validate_configuration({"bearer_token": TOKEN, **configuration})


def refusal(**configuration):
    """Return the error of a configuration."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the caller compares the text)
        validate_configuration({"bearer_token": TOKEN, **configuration})
    return str(refused.value)


def test_a_token_is_all_that_must_be_set():
    """Everything else has its default: DataCamp's URL, 30 s, all six endpoints in order."""
    settings = validate_configuration({"bearer_token": TOKEN})
    assert settings == Settings(TOKEN, DEFAULT, 30.0, ENDPOINTS)


@pytest.mark.parametrize("untouched", ["", " \t\n", "<PUT_IT_HERE>", " <optional, a number> "])
def test_empty_whitespace_and_placeholder_mean_the_default(untouched):
    """An optional key that was not filled in counts as missing."""
    settings = validated(
        base_url=untouched, request_timeout_seconds=untouched, skip_endpoints=untouched
    )
    assert settings == Settings(TOKEN)


def test_every_key_is_read():
    """Configured values replace the defaults, without whitespace around them."""
    settings = validate_configuration(
        {
            "bearer_token": f" {TOKEN}\n",
            "base_url": " http://localhost:8080/ ",
            "request_timeout_seconds": " 1.5 ",
            "skip_endpoints": "custom_tracks",
            "unknown": "is ignored",
        }
    )
    others = tuple(endpoint for endpoint in ENDPOINTS if endpoint.name != "custom_tracks")
    assert settings == Settings(TOKEN, "http://localhost:8080", 1.5, others)


def test_the_limits_are_those_of_the_design():
    """Six attempts with waits up to 16 s, 10 minutes an endpoint, 32 MiB a body."""
    assert Limits() == Limits((1.0, 2.0, 4.0, 8.0, 16.0), 600.0, 15.0, 33_554_432)


# The token


@pytest.mark.parametrize(
    "configuration", [{}, *({"bearer_token": t} for t in ("", " \n", "<YOUR_TOKEN>", " < > "))]
)
def test_a_missing_token_is_refused(configuration):
    """The error says who issues a token."""
    with pytest.raises(ValueError, match=r"^bearer_token is missing: ") as refused:
        validate_configuration(configuration)
    assert str(refused.value).endswith(": set it to the API token issued by DataCamp.")


@pytest.mark.parametrize("token", ["<half", "half>", "a<b>c", "eyJhbGciOi.J9-_~+/="])
def test_any_other_text_may_be_a_token(token):
    """Only a value in brackets is a placeholder."""
    assert validate_configuration({"bearer_token": token}).bearer_token == token


@pytest.mark.parametrize(
    "token",
    [
        *("Bearer s3cret", "s3cret\r\nX-Injected: yes", "s3cret\x00", "s3crét"),
        *("s3cret\N{NO-BREAK SPACE}s3cret", "s3cret\N{ZERO WIDTH SPACE}"),
    ],
    ids=ascii,
)
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token):
    """Whitespace and control characters inside are accidents of pasting."""
    assert refusal(bearer_token=token) == (
        "bearer_token contains whitespace or an invalid character: "
        "paste only the token, on one line and without the word Bearer."
    )


def test_neither_repr_nor_str_shows_the_token():
    """Settings can be logged, and so can any object that contains them."""
    settings = validated(base_url="http://localhost")
    for text in (repr(settings), str(settings), f"{settings}", repr([settings])):
        assert TOKEN not in text
        assert "http://localhost" in text


# The base URL


@pytest.mark.parametrize(
    "base_url",
    [
        "https://example.com",
        "https://example.com/lms/api",
        "http://127.0.0.1:8080",
        "https://[2001:db8::1]:8443",
        "HTTPS://Example.COM",
        "https://bücher.example",
        "https://example.com/a%20b/@me",
    ],
)
@pytest.mark.parametrize("slashes", ["", "/", "///"])
def test_a_base_url_may_have_a_port_a_path_and_trailing_slashes(base_url, slashes):
    """Only the slashes at the end are removed, so that paths can be appended."""
    assert validated(base_url=base_url + slashes).base_url == base_url


BAD_URLS = {
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


@pytest.mark.parametrize(
    ("problem", "base_url"),
    [(problem, base_url) for problem, urls in BAD_URLS.items() for base_url in urls],
    ids=ascii,
)
def test_a_base_url_that_cannot_work_is_refused_and_not_shown(problem, base_url):
    """The error names the problem and the default; the URL may contain a password."""
    assert refusal(base_url=base_url) == (
        f"base_url {problem}: use a plain http(s) URL, "
        f"or leave it empty for the default, {DEFAULT}."
    )


@pytest.mark.parametrize(
    ("unencrypted", "hosts"),
    [
        (False, ["localhost:8080", "LOCALHOST", "mock.localhost", "127.0.0.1:8080/x", "[::1]"]),
        (True, ["example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0", "notlocalhost"]),
    ],
    ids=["this machine", "another machine"],
)
def test_http_to_another_machine_sends_the_token_unencrypted(unencrypted, hosts):
    """Over https, or over http to this machine, no one else can read the token."""
    for host in hosts:
        assert validated(base_url=f"HTTP://{host}").sends_token_unencrypted is unencrypted
        assert not validated(base_url=f"https://{host}").sends_token_unencrypted


# The timeout


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30.0), ("0.25", 0.25), ("1e2", 100.0), ("+7", 7.0)]
)
def test_a_timeout_is_any_number_above_0(text, seconds):
    """The number of seconds may be whole or fractional."""
    assert validated(request_timeout_seconds=text).request_timeout_seconds == seconds


@pytest.mark.parametrize(
    "text", ["0", "0.0", "-1", "nan", "inf", "-inf", "1e400", "30s", "30,5", "0x1e", "1 000"]
)
def test_any_other_timeout_is_refused(text):
    """The error has an example, and does not repeat the value."""
    assert refusal(request_timeout_seconds=text) == (
        "request_timeout_seconds must be a number above 0, such as 30; "
        "leave it empty for the default, 30."
    )


@pytest.mark.parametrize("key", ["request_timeout_seconds", "skip_endpoints", "base_url"])
def test_a_token_in_the_wrong_field_is_not_repeated(key):
    """A value pasted by accident may be the token."""
    assert "eyJhbGciOi" not in refusal(**{key: "eyJhbGciOi.J9-token-pasted-by-accident"})


# The endpoints to skip


@pytest.mark.parametrize(
    ("skipped", "names"),
    [
        ("courses, assessments", {"courses", "assessments"}),
        (" tracks ,\n,, tracks,projects, ", {"tracks", "projects"}),
        (",".join(NAMES[:-1]), {*NAMES[:-1]}),
        (",", set()),
    ],
    ids=ascii,
)
def test_endpoints_can_be_skipped(skipped, names):
    """Whitespace, empty and repeated names do not matter; the order stays that of the replay."""
    left = [endpoint.name for endpoint in validated(skip_endpoints=skipped).endpoints]
    assert left == [name for name in NAMES if name not in names]


@pytest.mark.parametrize(
    ("skipped", "named"),
    [
        ("Courses", "'Courses'"),
        ("custom-tracks", "'custom-tracks'"),
        ("courses tracks", "'courses tracks'"),
        ("zebra,courses,badges", "'badges', 'zebra'"),
    ],
)
def test_an_unknown_endpoint_is_refused(skipped, named):
    """The error names each unknown name and lists the known ones."""
    assert refusal(skip_endpoints=skipped) == (
        f"skip_endpoints contains {named}, which is not an endpoint: "
        "use names of assessments, practices, projects, custom_tracks, tracks, courses, "
        "separated by commas."
    )


def test_skipping_everything_is_refused():
    """A connector that syncs nothing is a mistake."""
    assert refusal(skip_endpoints=",".join(reversed(NAMES))) == (
        "skip_endpoints skips all endpoints, so nothing is synced: remove one."
    )


@pytest.mark.parametrize(
    ("key", "value"), [("bearer_token", None), ("bearer_token", 123), ("skip_endpoints", ["x"])]
)
def test_a_value_that_is_not_a_string_is_refused(key, value):
    """A configuration edited by hand may contain other JSON; its value is not repeated."""
    kind = type(value).__name__
    assert refusal(**{key: value}) == f"{key} must be a string, not {kind}: put it in quotes."
