"""The configuration: what it means, what it defaults to, and what is refused before a request."""

from __future__ import annotations

import pytest

from async_client import Limits, Settings, validate_configuration
from endpoints import ENDPOINTS

TOKEN = "t0ken-for-tests"
DEFAULT = "https://lms-catalog-api.datacamp.com"
NAMES = ["assessments", "practices", "projects", "custom_tracks", "tracks", "courses"]


def validated(**configuration):
    """Read a configuration with a good token."""
    return validate_configuration({"bearer_token": TOKEN, **configuration})


def refusal(**configuration):
    """Give the words with which a configuration is refused."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the caller looks at the words)
        validate_configuration({"bearer_token": TOKEN, **configuration})
    return str(refused.value)


def test_a_token_is_all_that_must_be_set():
    """Everything else has its default: DataCamp's address, 30 s, all six endpoints in order."""
    settings = validate_configuration({"bearer_token": TOKEN})
    assert settings == Settings(TOKEN, DEFAULT, 30.0, ENDPOINTS)
    assert [endpoint.name for endpoint in settings.endpoints] == NAMES


@pytest.mark.parametrize("untouched", ["", " \t\n", "<PUT_IT_HERE>", " <optional, a number> "])
def test_empty_blank_and_placeholder_mean_the_default(untouched):
    """An optional key that nobody filled in is as good as missing."""
    settings = validated(
        base_url=untouched, request_timeout_seconds=untouched, skip_endpoints=untouched
    )
    assert settings == Settings(TOKEN)


def test_every_key_is_read():
    """What is configured takes the place of the defaults, without blanks around it."""
    settings = validate_configuration(
        {
            "bearer_token": f" {TOKEN}\n",
            "base_url": " http://localhost:8080/ ",
            "request_timeout_seconds": " 1.5 ",
            "skip_endpoints": "custom_tracks",
            "unknown": "is none of ours",
        }
    )
    others = tuple(endpoint for endpoint in ENDPOINTS if endpoint.name != "custom_tracks")
    assert settings == Settings(TOKEN, "http://localhost:8080", 1.5, others)


def test_the_limits_are_those_of_the_design():
    """Six tries with waits up to 16 s, 10 minutes an endpoint, 128 MiB a body."""
    assert Limits() == Limits((1.0, 2.0, 4.0, 8.0, 16.0), 600.0, 15.0, 33_554_432)


# The token


@pytest.mark.parametrize("token", ["", "  ", "\n", "<YOUR_BEARER_TOKEN>", " < > "])
def test_a_missing_token_is_refused(token):
    """A token that nobody filled in says where it comes from."""
    assert refusal(bearer_token=token) == (
        "bearer_token is missing: set it to the API token that DataCamp gave you."
    )


def test_a_configuration_without_the_key_is_refused():
    """A missing token is as bad as an empty one."""
    with pytest.raises(ValueError, match=r"^bearer_token is missing: set it"):
        validate_configuration({})


@pytest.mark.parametrize("token", ["<half", "half>", "a<b>c", "eyJhbGciOi.J9-_~+/="])
def test_whatever_else_may_be_a_token_is_one(token):
    """Only a value in brackets is a placeholder."""
    assert validate_configuration({"bearer_token": token}).bearer_token == token


@pytest.mark.parametrize(
    "token",
    [
        "Bearer s3cret",
        "s3cret s3cret",
        "s3cret\ts3cret",
        "s3cret\r\nX-Injected: yes",
        "s3cret\x00",
        "s3cret\x7f",
        "s3cret\N{NO-BREAK SPACE}s3cret",
        "s3cret\N{ZERO WIDTH SPACE}",
        "s3crét",
        "“s3cret”",
    ],
    ids=ascii,
)
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token):
    """Blanks, control and other odd characters inside are an accident of pasting."""
    assert refusal(bearer_token=token) == (
        "bearer_token holds a blank or another character that no token has: "
        "paste the token alone, on one line and without the word Bearer."
    )


def test_neither_repr_nor_str_shows_the_token():
    """Settings can be logged, and so can whatever holds them."""
    settings = validated(base_url="http://localhost")
    for text in (repr(settings), str(settings), f"{settings}", repr([settings])):
        assert TOKEN not in text
        assert "http://localhost" in text


# The base URL


@pytest.mark.parametrize(
    ("configured", "base_url"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com///", "https://example.com"),
        ("https://example.com/lms/api", "https://example.com/lms/api"),
        ("https://example.com/lms/api/", "https://example.com/lms/api"),
        ("https://example.com:8443/lms", "https://example.com:8443/lms"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"),
        ("HTTPS://Example.COM", "HTTPS://Example.COM"),
        ("https://bücher.example", "https://bücher.example"),
        ("https://example.com/a%20b/@me", "https://example.com/a%20b/@me"),
    ],
)
def test_a_base_url_may_have_a_port_a_path_and_a_trailing_slash(configured, base_url):
    """Only the slashes at the end go, so that paths can be appended."""
    assert validated(base_url=configured).base_url == base_url


NO_URL = "is no valid URL"
NO_HTTP = "does not begin with https:// or http://"
NO_HOST = "names no host"
CREDENTIALS = "holds a user name or password"
QUERY = "holds a query or a fragment"
ODD = "holds a blank or another character that no URL has"


@pytest.mark.parametrize(
    ("base_url", "flaw"),
    [
        ("example.com", NO_HTTP),
        ("//example.com", NO_HTTP),
        ("localhost:8080", NO_HTTP),
        ("ftp://example.com", NO_HTTP),
        ("file:///etc/passwd", NO_HTTP),
        ("https:example.com", NO_HOST),
        ("https://", NO_HOST),
        ("https:///path", NO_HOST),
        ("http://:8080", NO_HOST),
        ("https://example.com:0", NO_HOST),
        ("https://user:hunter2@example.com", CREDENTIALS),
        ("https://hunter2@example.com", CREDENTIALS),
        ("https://@example.com", CREDENTIALS),
        ("https://example.com?key=hunter2", QUERY),
        ("https://example.com/?", QUERY),
        ("https://example.com#hunter2", QUERY),
        ("https://example.com/#", QUERY),
        ("https://example.com:hunter2", NO_URL),
        ("https://example.com:65536", NO_URL),
        ("https://[::1", NO_URL),
        ("https://exam ple.com", ODD),
        ("https://example.com/a b", ODD),
        ("https://example.com\\@evil.example", ODD),
        ("https://exa\nmple.com", ODD),
        ("https://exa\tmple.com", ODD),
        ("https://example.com/\x00", ODD),
    ],
    ids=ascii,
)
def test_a_base_url_that_cannot_work_is_refused_and_not_shown(base_url, flaw):
    """The refusal names the flaw and a good example; the URL may hold a password."""
    assert refusal(base_url=base_url) == (
        f"base_url {flaw}: use a plain http(s) address such as {DEFAULT}, "
        "or leave it empty for that one."
    )


@pytest.mark.parametrize(
    ("base_url", "in_clear"),
    [
        (DEFAULT, False),
        ("https://example.com", False),
        ("HTTPS://example.com", False),
        ("http://localhost:8080", False),
        ("http://LOCALHOST", False),
        ("http://mock.localhost", False),
        ("http://127.0.0.1:8080/prefix", False),
        ("http://127.8.9.10", False),
        ("http://[::1]:8080", False),
        ("http://example.com", True),
        ("HTTP://example.com", True),
        ("http://localhost.example.com", True),
        ("http://127.0.0.1.example.com", True),
        ("http://notlocalhost", True),
        ("http://10.0.0.1", True),
        ("http://[2001:db8::1]", True),
        ("http://0.0.0.0", True),
    ],
)
def test_http_to_another_machine_sends_the_token_in_clear(base_url, in_clear):
    """Only https, and http that stays on this machine, keep the token from others."""
    assert validated(base_url=base_url).sends_token_unencrypted is in_clear


# The timeout


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30.0), ("0.25", 0.25), ("1e2", 100.0), ("+7", 7.0)]
)
def test_a_timeout_is_any_number_above_0(text, seconds):
    """Whole or fractional, the number of seconds is read."""
    assert validated(request_timeout_seconds=text).request_timeout_seconds == seconds


@pytest.mark.parametrize(
    "text", ["0", "0.0", "-1", "nan", "inf", "-inf", "1e400", "30s", "30,5", "0x1e", "1 000"]
)
def test_a_timeout_that_is_no_finite_number_above_0_is_refused(text):
    """The refusal repeats what was written and names the way out."""
    assert refusal(request_timeout_seconds=text) == (
        "request_timeout_seconds must be a number above 0, such as 30; leave it empty for 30."
    )


@pytest.mark.parametrize("key", ["request_timeout_seconds", "skip_endpoints", "base_url"])
def test_a_token_in_the_wrong_field_is_not_repeated(key):
    """What was pasted by accident may be the token."""
    assert "eyJhbGciOi" not in refusal(**{key: "eyJhbGciOi.J9-token-pasted-by-accident"})


# The endpoints to skip


@pytest.mark.parametrize(
    ("skipped", "left"),
    [
        ("tracks", ["assessments", "practices", "projects", "custom_tracks", "courses"]),
        ("courses, assessments", ["practices", "projects", "custom_tracks", "tracks"]),
        (
            " tracks ,\n,, tracks,projects, ",
            ["assessments", "practices", "custom_tracks", NAMES[5]],
        ),
        (",".join(NAMES[:-1]), ["courses"]),
        (",", NAMES),
    ],
    ids=ascii,
)
def test_endpoints_can_be_skipped(skipped, left):
    """Blanks, empty and repeated names do not matter, and the order stays that of the replay."""
    settings = validated(skip_endpoints=skipped)
    assert [endpoint.name for endpoint in settings.endpoints] == left


@pytest.mark.parametrize(
    ("skipped", "named"),
    [
        ("course", "'course'"),
        ("Courses", "'Courses'"),
        ("custom-tracks", "'custom-tracks'"),
        ("courses tracks", "'courses tracks'"),
        ("zebra,courses,badges", "'badges', 'zebra'"),
    ],
)
def test_an_unknown_endpoint_is_refused(skipped, named):
    """Each unknown name is named, and all that are known are listed."""
    assert refusal(skip_endpoints=skipped) == (
        f"skip_endpoints names {named}, which is no endpoint: "
        "use names from assessments, practices, projects, custom_tracks, tracks, courses, "
        "separated by commas."
    )


def test_skipping_everything_is_refused():
    """A connector that syncs nothing is a mistake."""
    assert refusal(skip_endpoints=",".join(reversed(NAMES))) == (
        "skip_endpoints skips every endpoint, so that nothing is left to sync: remove one."
    )


# Values that are no text


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("bearer_token", None, "NoneType"),
        ("bearer_token", 123456, "int"),
        ("base_url", ["https://example.com"], "list"),
        ("request_timeout_seconds", 30, "int"),
        ("skip_endpoints", ["courses"], "list"),
    ],
)
def test_a_value_that_is_no_text_is_refused(key, value, kind):
    """A configuration file edited by hand may hold other JSON; its value is not repeated."""
    expected = f"{key} must be text, not {kind}: put it in quotes."
    assert refusal(**{key: value}) == expected
