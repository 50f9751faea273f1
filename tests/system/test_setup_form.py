"""The real `fivetran configuration`: the fields of the setup form, and the result of its test."""

from __future__ import annotations

import json
import re

import pytest

import report
from devkit import fivetran
from endpoints import ENDPOINTS
from mock_api.serving import serving

NAMES = {endpoint.name for endpoint in ENDPOINTS}
TOKEN = "t0ken-for-the-setup-form"


@pytest.fixture
def server():
    """Serve empty catalogs."""
    with serving(dict.fromkeys(NAMES, ()), token=TOKEN) as running:
        yield running


def test_the_form_asks_for_four_values_and_encrypts_the_token(server, tmp_path):
    """The replies become configuration.json, readable by its owner only, the token encrypted."""
    project = fivetran.prepare(tmp_path, {})
    answers = f"y\n{TOKEN}\n{server.base_url}\n\ncustom_tracks\n"
    status, output = fivetran.run(project, ["configuration"], answers=answers)
    assert (status, TOKEN in output) == (0, False)
    assert re.findall(r"^<(\w+) \[(\w+)\] .* ?\] (\w*)>$", output, re.MULTILINE) == [
        ("bearer_token", "Password", "REQUIRED"),
        ("base_url", "PlainText", ""),
        ("request_timeout_seconds", "PlainText", ""),
        ("skip_endpoints", "PlainText", ""),
    ]
    path = project / "configuration.json"
    token, *others = json.loads(path.read_text(encoding="utf-8")).values()
    assert token.startswith("fivetran_encrypted:")
    assert others == [server.base_url, "", "custom_tracks"]
    assert path.stat().st_mode & 0o777 == 0o600


def documented():
    """Return the line that the guide quotes for each situation in which the test fails."""
    guide = (fivetran.PROJECT / "docs" / "deploying.md").read_text(encoding="utf-8")
    chapter = guide.split("## The configuration\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| (.+) \| `(.+)` \|$", chapter, re.MULTILINE))


CASES = {
    "all is well": ((), {}),
    "a catalog is skipped": (["tracks=403"], {"skip_endpoints": "tracks"}),
    "the token is wrong": ((), {"bearer_token": "wr0ng"}),
    "a catalog is not licensed": (["tracks=403"], {}),
    "`base_url` is wrong": (["all=404"], {}),
}


@pytest.mark.parametrize("case", ["all is well", "a catalog is skipped", *documented()])
def test_the_result_is_the_one_that_the_guide_quotes(server, tmp_path, case):
    """It is PASSED, or one line that names the field to check and does not hold the token.

    Each endpoint is requested once, except for those that are skipped.
    """
    faults, changes = CASES[case]
    server.set_faults(*faults)
    configuration = {"bearer_token": TOKEN, "base_url": server.base_url, **changes}
    project = fivetran.prepare(tmp_path, configuration)
    status, output = fivetran.run(project, ["configuration", "--test"])
    results = re.findall(r"\[connection_test - Read every catalog\]: (.*)", output)
    line = documented().get(case)
    assert results == [f"{line} {report.INSPECT}" if line else "PASSED"]
    assert status == (case in documented())
    assert configuration["bearer_token"] not in output
    skipped = {changes.get("skip_endpoints")}
    assert sorted(server.requests.endpoint_names) == sorted(NAMES - skipped)
