"""The commands of docs/deploying.md, run in order against a mock of Fivetran's API."""

from __future__ import annotations

import json
import os
import re
import shlex
from importlib.metadata import version

import pytest

import connector
from devkit import fivetran, package
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.fivetran_api import API_KEY, fivetran_api

TOKEN = "t0ken-that-nobody-prints"
GUIDE = (fivetran.PROJECT / "docs" / "deploying.md").read_text(encoding="utf-8")
TEST, DEBUG, DEPLOY = (
    re.search(rf"({command}[^#`\n]*)", GUIDE)[1].strip()
    for command in ("fivetran configuration --test", "fivetran debug dist", "fivetran deploy dist")
)


class Checkout:
    """A copy of the project with its `dist/`, a mock server and an account to deploy to."""

    def __init__(self, folder, server, api):
        self.folder = folder
        self.server = server
        self.api = api
        self.shipped = package.write(folder / "dist")

    def configure(self, **optional):
        """Write and return a configuration."""
        configuration = {"bearer_token": TOKEN, "base_url": self.server.base_url, **optional}
        path = self.folder / "configuration.json"
        path.write_text(json.dumps(configuration), encoding="utf-8")
        return configuration

    def run(self, command, *, answers=None):
        """Run a command of the guide; return its status and output, which hold no secret."""
        _, *arguments = shlex.split(command.replace("<DESTINATION>", "warehouse"))
        variables = {"FIVETRAN_API_KEY": API_KEY}
        status, output = fivetran.run(self.folder, arguments, variables, answers=answers)
        assert TOKEN not in output
        assert API_KEY not in output
        return status, output


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Return a checkout on a machine without deployment settings."""
    for name in [name for name in os.environ if name == "CI" or name.startswith("FIVETRAN_")]:
        monkeypatch.delenv(name)
    folder = fivetran.prepare(tmp_path, {})
    with serving(catalog(scale=0.05), token=TOKEN) as server, fivetran_api(folder) as api:
        yield Checkout(folder, server, api)


def test_the_guide_names_the_sdk_that_is_installed():
    """The guide describes the version of the SDK that these tests run."""
    assert set(re.findall(r"3\.\d+\.\d+", GUIDE)) == {version("fivetran-connector-sdk")}


def test_the_documented_steps_deploy_a_new_connection(checkout):
    """Form, setup test, a sync from `dist/` and the deployment ask no further question.

    The upload holds the shipped files and the setup form only, the new connection is paused, and
    no file or output on this machine holds the token.
    """
    answers = f"y\n{TOKEN}\n{checkout.server.base_url}\n60\ncustom_tracks\n"
    assert checkout.run("fivetran configuration", answers=answers)[0] == 0
    for command in (TEST, DEBUG, DEPLOY):
        status, output = checkout.run(command)
        assert status == 0, output
        assert "(y/N)" not in output
        assert "dependencies are not needed" not in output
    files = [path for path in checkout.folder.parent.rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
    assert checkout.folder / "dist" / "files" / "warehouse.db" in files
    shipped = {path.as_posix() for path in checkout.shipped}
    assert checkout.api.files.keys() == shipped | {"configuration_form.pb"}
    assert checkout.api.connection["paused"] is True
    assert checkout.api.configuration == checkout.configure(
        request_timeout_seconds="60", skip_endpoints="custom_tracks"
    )


@pytest.mark.parametrize(
    ("option", "answers"), [("", "y\n"), (" --yes", None)], ids=["confirmed", "with --yes"]
)
def test_deployed_again_code_and_configuration_are_replaced(checkout, option, answers):
    """One reply, or `--yes` in a script, is enough; `--non-interactive` creates a connection.

    `requirements.txt` is deployed unchanged.
    """
    checkout.configure(request_timeout_seconds="60")
    assert checkout.run(f"{DEPLOY} --non-interactive")[0] == 0
    configuration = checkout.configure(skip_endpoints="custom_tracks")
    (checkout.folder / "dist" / "added.py").touch()
    again = f"{DEPLOY} {re.search('`(--python-version [^`]*)` is needed', GUIDE)[1]}{option}"
    status, output = checkout.run(again, answers=answers)
    assert (status, output.count("(y/N)")) == (0, 1 if answers else 0), output
    assert checkout.api.configuration == configuration
    assert "added.py" in checkout.api.files
    requirements = (fivetran.PROJECT / "requirements.txt").read_bytes()
    assert checkout.api.files["requirements.txt"] == requirements


def test_a_failed_setup_test_says_why(checkout):
    """The connection is created, the exit status is 1, and the message is the connector's."""
    configuration = checkout.configure()
    checkout.server.set_faults("tracks=403")
    status, output = checkout.run(DEPLOY)
    assert (status, checkout.api.configuration) == (1, configuration)
    problem = connector.connection_test(configuration).failure
    assert f"  message: {problem}\n" in output
    assert f"  message: {problem}\n" in GUIDE
