"""The real `fivetran configuration`: what the form asks and keeps, and what its test tells."""

from __future__ import annotations

import json
import re
import socket

import pytest

import report
from devkit import fivetran, sdk
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving

NAMES = [endpoint.name for endpoint in ENDPOINTS]
TOKEN = "t0ken-for-the-setup-form"
GUIDE = (fivetran.PROJECT / "docs" / "deploying.md").read_text(encoding="utf-8")
FIELDS = ["bearer_token", "base_url", "request_timeout_seconds", "skip_endpoints"]


@pytest.fixture(scope="module")
def server():
    """Serve a small catalog."""
    with serving(catalog(scale=0.05), token=TOKEN) as running:
        yield running


@pytest.fixture
def project(server, tmp_path):
    """Copy the connector without a configuration; the server is healthy and has heard nothing."""
    server.set_faults()
    server.requests.clear()
    copy = fivetran.prepare(tmp_path, {})
    (copy / "configuration.json").unlink()
    return copy


def filled_in(project, *answers):
    """Fill in the form, a line per answer; gives the status and output of the command."""
    lines = "".join(f"{answer}\n" for answer in answers)
    return fivetran.run(project, ["configuration"], answers=lines)


def verdict(project, *, status):
    """Run the form's test, which ends with this status; gives what it says of the connection."""
    ended_with, output = fivetran.run(project, ["configuration", "--test"])
    assert ended_with == status
    assert TOKEN not in output
    (said,) = re.findall(r"\[connection_test - Read every catalog\]: (.*)", output)
    return said.removesuffix(f" {report.INSPECT}")


def kept(project):
    """Give what the form wrote to configuration.json."""
    return json.loads((project / "configuration.json").read_text(encoding="utf-8"))


def test_the_form_asks_for_four_values_and_encrypts_the_token(project, server):
    """The answers become configuration.json, readable by its owner only, the token encrypted."""
    status, output = filled_in(project, TOKEN, server.base_url, "", "custom_tracks")
    assert status == 0
    assert re.findall(r"^<(\w+) \[(\w+)\] .* ?\] (\w*)>$", output, re.MULTILINE) == [
        ("bearer_token", "Password", "REQUIRED"),
        ("base_url", "PlainText", ""),
        ("request_timeout_seconds", "PlainText", ""),
        ("skip_endpoints", "PlainText", ""),
    ]
    token = kept(project)["bearer_token"]
    assert token.startswith("fivetran_encrypted:")
    values = [token, server.base_url, "", "custom_tracks"]
    assert kept(project) == dict(zip(FIELDS, values, strict=True))
    assert (project / "configuration.json").stat().st_mode & 0o777 == 0o600
    assert TOKEN not in output


def test_the_token_is_asked_for_until_there_is_one(project, server):
    """An empty answer is not taken for the one field that is required."""
    status, output = filled_in(project, "", TOKEN, server.base_url, "", "")
    assert status == 0
    assert output.count("This field is required and cannot be skipped.") == 1
    assert verdict(project, status=0) == "PASSED"


def test_a_configuration_is_not_replaced_without_a_yes(project, server):
    """Where there is a configuration already, nothing or a no leaves it as it was."""
    filled_in(project, TOKEN, server.base_url, "", "")
    before = kept(project)
    for answer in ("", "n"):
        assert filled_in(project, answer)[0] == 0
        assert kept(project) == before
    filled_in(project, "y", TOKEN, server.base_url, "60", "")
    assert kept(project)["request_timeout_seconds"] == "60"


def test_a_good_token_passes(project, server):
    """Each of the six endpoints is asked once, and the verdict is that the test passed."""
    filled_in(project, TOKEN, server.base_url, "", "")
    assert verdict(project, status=0) == "PASSED"
    assert sorted(server.requests.endpoint_names) == sorted(NAMES)


def test_a_refused_token_fails(project, server):
    """The verdict says what the server answers, which field to look at, and who issues tokens."""
    filled_in(project, "another-token", server.base_url, "", "")
    said = verdict(project, status=1)
    assert said == (
        "DataCamp refuses the token: the server answers 401 Unauthorized. Check bearer_token: it "
        "is wrong, expired or revoked; DataCamp issues a new one."
    )
    assert f"`{said}`" in GUIDE


def test_a_forbidden_endpoint_fails_and_can_be_skipped(project, server):
    """The verdict names the endpoint and the value that passes without it; that one does pass."""
    server.set_faults("tracks=403")
    filled_in(project, TOKEN, server.base_url, "", "")
    said = verdict(project, status=1)
    assert said == (
        "The token cannot read tracks: the server answers 403 Forbidden. Ask DataCamp to include "
        "it, or set skip_endpoints to: tracks."
    )
    assert f"`{said}`" in GUIDE
    server.requests.clear()
    filled_in(project, "y", TOKEN, server.base_url, "", said.rsplit(": ")[-1].rstrip("."))
    assert verdict(project, status=0) == "PASSED"
    assert sorted(server.requests.endpoint_names) == sorted(set(NAMES) - {"tracks"})


def test_a_wrong_address_on_the_right_host_fails(project, server):
    """Where every path is unknown, the verdict names the field to check."""
    filled_in(project, TOKEN, f"{server.base_url}/api", "", "")
    said = verdict(project, status=1)
    assert said == (
        "No catalog can be read: the server answers 404 Not Found. Check base_url, and ask "
        "DataCamp what the token may read."
    )
    assert f"`{said}`" in GUIDE


def test_a_host_that_does_not_answer_fails(project):
    """A refused connection is told at once, and where to look."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and never listens: the port is taken, and refuses
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        filled_in(project, TOKEN, url, "", "")
        said = verdict(project, status=1)
    assert said == (
        "No catalog can be read: no connection (Connection refused). Check base_url, the network "
        "and the proxy if there is one."
    )


def test_a_host_that_stays_silent_fails(project, server):
    """A host that takes the request and says nothing is given up after the time of the form."""
    server.set_faults("all=stall-headers")
    filled_in(project, TOKEN, server.base_url, "0.2", "")
    assert verdict(project, status=1) == (
        "No catalog can be read: nothing was heard for 0.2 s. Check base_url, the network and "
        "the proxy if there is one, or raise request_timeout_seconds."
    )


WRONG_ANSWERS = {
    f"Bearer {TOKEN}": (
        "bearer_token holds a blank or another character that no token has: "
        "paste the token alone, on one line and without the word Bearer."
    ),
    "lms-catalog-api.datacamp.com": (
        "base_url does not begin with https:// or http://: use a plain http(s) address such as "
        "https://lms-catalog-api.datacamp.com, or leave it empty for that one."
    ),
    "soon": (
        "request_timeout_seconds must be a number above 0, such as 30; leave it empty for 30."
    ),
    "custom tracks": (
        "skip_endpoints names 'custom tracks', which is no endpoint: use names from assessments, "
        "practices, projects, custom_tracks, tracks, courses, separated by commas."
    ),
}


@pytest.mark.parametrize(
    ("field", "answer"), list(zip(FIELDS, WRONG_ANSWERS, strict=True)), ids=FIELDS
)
def test_an_answer_that_cannot_work_fails_without_a_request(project, server, field, answer):
    """The verdict names the field, what is wrong with the answer, and what a good one is."""
    values = dict(zip(FIELDS, [TOKEN, server.base_url, "", ""], strict=True)) | {field: answer}
    assert filled_in(project, *values.values())[0] == 0
    assert verdict(project, status=1) == WRONG_ANSWERS[answer]
    assert server.requests.endpoint_names == []


def test_an_encrypted_token_works_in_a_debug_run(project, server):
    """`fivetran debug` reads what the form wrote, syncs, and leaves the token in no file."""
    filled_in(project, TOKEN, server.base_url, "", "")
    status, output = fivetran.run(project, ["debug"])
    assert (status, "SYNC SUCCEEDED" in output) == (0, True)
    assert min(sdk.counts(project).values()) > 0
    assert TOKEN not in output
    for path in filter(lambda path: path.is_file(), project.parent.rglob("*")):
        assert TOKEN.encode() not in path.read_bytes(), path


def test_an_encrypted_token_needs_the_key_of_the_machine_that_encrypted_it(project, server):
    """Without the key in the home folder the command says so and how to get over it."""
    filled_in(project, TOKEN, server.base_url, "", "")
    (project.parent / "home" / ".fivetran" / "connector_sdk" / "config_encryption_key").unlink()
    status, output = fivetran.run(project, ["debug"])
    assert status == 1
    assert "the encryption key was not found" in output
    assert "re-run 'fivetran configuration' to regenerate configuration.json" in output
    assert "| `the encryption key was not found` |" in GUIDE
