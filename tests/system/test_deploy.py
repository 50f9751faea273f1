"""The commands of docs/deploying.md, run in their order against a mock of Fivetran's API."""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

import connector
import report
from devkit import fivetran, package
from mock_api.catalog import catalog
from mock_api.serving import Server, serving
from tests.support.fetching import NAMES, TOKEN
from tests.support.fivetran_api import API_KEY, FivetranApi, fivetran_api

GUIDE = (package.PROJECT / "docs" / "deploying.md").read_text(encoding="utf-8")
FORM, TEST, DEBUG, DEPLOY = (
    re.search(rf"({command}[^#`\n]*)", GUIDE)[1].strip()
    for command in (
        "fivetran configuration dist",
        "fivetran configuration dist --test",
        "fivetran debug dist",
        "fivetran deploy dist",
    )
)


@dataclass
class Checkout:
    """A copy of the project with its `dist/`, a mock server and an account to deploy to."""

    folder: Path
    server: Server
    api: FivetranApi

    def configure(self, **optional):
        """Write and return a configuration."""
        configuration = {"bearer_token": TOKEN, "base_url": self.server.base_url, **optional}
        path = self.folder / "configuration.local.json"
        path.write_text(json.dumps(configuration), encoding="utf-8")
        return configuration

    def run(self, command, *, answers=None):
        """Run a command of the guide; return its output, which contains no secret."""
        _, *arguments = shlex.split(command.replace("<DESTINATION>", "warehouse"))
        variables = {"FIVETRAN_API_KEY": API_KEY}
        status, output = fivetran.run(self.folder, arguments, variables, answers=answers)
        assert [secret in output for secret in (TOKEN, API_KEY)] == [False, False]
        assert status == 0, output
        return output


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Return a checkout on a machine without deployment settings."""
    for name in [name for name in os.environ if name == "CI" or name.startswith("FIVETRAN_")]:
        monkeypatch.delenv(name)
    folder = fivetran.prepare(tmp_path, {})
    package.write(folder / "dist")
    with serving(catalog(scale=0.05), token=TOKEN) as server, fivetran_api(folder) as api:
        yield Checkout(folder, server, api)


def test_the_guide_names_the_sdk_that_is_installed():
    """The guide describes the version of the SDK that these tests run."""
    assert set(re.findall(r"3\.\d+\.\d+", GUIDE)) == {version("fivetran-connector-sdk")}


def test_the_documented_steps_deploy_a_new_connection(checkout):
    """The form, its test, a sync from `dist/` and the deployment ask no further question.

    The upload contains the shipped files and the setup form only, the new connection is paused,
    and no file or output on this machine contains the token.
    """
    answers = f"{TOKEN}\n{checkout.server.base_url}\n60\ncustom_tracks\n"
    form = checkout.run(FORM, answers=answers)
    assert re.findall(r"^<(\w+) \[(\w+)\] .* ?\] (\w*)>$", form, re.MULTILINE) == [
        ("bearer_token", "Password", "REQUIRED"),
        ("base_url", "PlainText", ""),
        ("request_timeout_seconds", "PlainText", ""),
        ("skip_endpoints", "PlainText", ""),
    ]
    checkout.run(TEST)
    source, target = re.search(r"\nmv (\S+) (\S+)\n", GUIDE).groups()
    (checkout.folder / source).rename(checkout.folder / target)
    for command in (DEBUG, DEPLOY):
        output = checkout.run(command)
        assert "(y/N)" not in output
        assert "dependencies are not needed" not in output
    files = [path for path in checkout.folder.parent.rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
    assert checkout.folder / "dist" / "files" / "warehouse.db" in files
    shipped = {path.as_posix() for path in package.files()}
    assert checkout.api.files.keys() == shipped | {"configuration_form.pb"}
    assert checkout.api.connection["paused"] is True
    optional = {"request_timeout_seconds": "60", "skip_endpoints": "custom_tracks"}
    assert checkout.api.configuration == checkout.configure(**optional)


@pytest.mark.parametrize(
    ("option", "answers"), [("", "y\n"), (" --yes", None)], ids=["confirmed", "with --yes"]
)
def test_deployed_again_code_and_configuration_are_replaced(checkout, option, answers):
    """It takes one yes, or `--yes` in a script, which can create a connection too.

    `requirements.txt` is deployed unchanged.
    """
    checkout.configure(request_timeout_seconds="60")
    checkout.run(f"{DEPLOY} --non-interactive")
    configuration = checkout.configure(skip_endpoints="custom_tracks")
    (checkout.folder / "dist" / "added.py").touch()
    again = f"{DEPLOY} {re.search('`(--python-version [^`]*)` is needed', GUIDE)[1]}{option}"
    assert checkout.run(again, answers=answers).count("(y/N)") == (1 if answers else 0)
    assert checkout.api.configuration == configuration
    assert "added.py" in checkout.api.files
    requirements = (package.PROJECT / "requirements.txt").read_bytes()
    assert checkout.api.files["requirements.txt"] == requirements


PROBLEMS = dict(re.findall(r"^\| (.+) \| `(.+)` \|$", GUIDE.split("\n## ")[1], re.MULTILINE))
SITUATIONS = {
    "a catalog is skipped": (["tracks=403"], {"skip_endpoints": "tracks"}),
    "the token is wrong": ((), {"bearer_token": "wr0ng"}),
    "a catalog is not licensed": (["tracks=403"], {}),
    "`base_url` is wrong": (["all=404"], {}),
}


@pytest.mark.parametrize("situation", ["a catalog is skipped", *PROBLEMS])
def test_the_setup_test_fails_with_the_line_that_the_guide_quotes(server, situation):
    """Each endpoint is requested once, except for those that are skipped."""
    faults, changes = SITUATIONS[situation]
    server.set_faults(*faults)
    configuration = {"bearer_token": TOKEN, "base_url": server.base_url, **changes}
    failure = connector.connection_test(configuration).failure
    problem = PROBLEMS.get(situation)
    assert failure == (f"{problem} {report.INSPECT}" if problem else None)
    assert (f"\n  message: {failure}\n" in GUIDE) == (situation == "a catalog is not licensed")
    requested = set(NAMES) - {changes.get("skip_endpoints")}
    assert sorted(server.requests.endpoint_names) == sorted(requested)
