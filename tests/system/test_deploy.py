"""The commands of docs/deploying.md, run in their order against a mock of Fivetran's API."""

from __future__ import annotations

import json
import os
import re
import shlex
from importlib.metadata import version

import pytest

import connector
from devkit import package
from mock_api import fivetran
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.fivetran_api import fivetran_api

API_KEY = "a2V5LW9mLXRoZS10ZXN0czpzZWNyZXQtb2YtdGhlLXRlc3Rz"
TOKEN = "t0ken-that-nobody-prints"
GUIDE = (fivetran.PROJECT / "docs" / "deploying.md").read_text(encoding="utf-8")

REQUIREMENTS = (fivetran.PROJECT / "requirements.txt").read_bytes()


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch):
    """Remove the deployment settings of this machine, and CI, which would answer questions."""
    for name in [name for name in os.environ if name == "CI" or name.startswith("FIVETRAN_")]:
        monkeypatch.delenv(name)


class Checkout:
    """A copy of the project with its `dist/`, and a mock server to read catalogs from."""

    def __init__(self, folder, server):
        self.server = server
        self.folder = fivetran.prepare(folder, {})
        self.dist = self.folder / "dist"
        self.shipped = package.write(self.dist)

    def run(self, command, *, answers=None):
        """Run a command of the guide; return its status and output, which hold no secret."""
        _, *arguments = shlex.split(command.replace("<DESTINATION>", "warehouse"))
        variables = {"FIVETRAN_API_KEY": API_KEY}
        status, output = fivetran.run(self.folder, arguments, variables, answers=answers)
        assert TOKEN not in output
        assert API_KEY not in output
        return status, output

    def configure(self, *optional):
        """Fill in the form of the setup, replacing the configuration that is there."""
        answers = ["y", TOKEN, self.server.base_url, *optional]
        status, _ = self.run("fivetran configuration", answers="\n".join([*answers, ""]))
        assert status == 0
        return dict(zip(connector_fields(), answers[1:], strict=True))


def connector_fields():
    """Return the keys of the configuration in the order of the form."""
    path = fivetran.PROJECT / "configuration.json"
    return list(json.loads(path.read_text(encoding="utf-8")))


def documented(start):
    """Return the one command of the guide that starts so, without its comment."""
    found = re.findall(rf"^{start}\b[^#`\n]*", GUIDE, re.MULTILINE)
    assert len(found) == 1
    return found[0].strip()


DEBUG = re.search(r"`(fivetran debug dist [^`]*)`", GUIDE)[1]
DEPLOY = documented("fivetran deploy dist")


@pytest.fixture
def checkout(tmp_path):
    """Return a checkout whose mock server serves a small catalog."""
    with serving(catalog(scale=0.05), token=TOKEN) as server:
        yield Checkout(tmp_path, server)


@pytest.fixture
def account(checkout):
    """Return an account without a connection, whose setup test is the connector's own."""

    def setup_test(configuration):
        return connector.connection_test(configuration).failure

    with fivetran_api(API_KEY, setup_test, checkout.folder) as api:
        yield api


def test_the_guide_names_the_sdk_that_is_installed():
    """The guide describes the version of the SDK that these tests run."""
    assert set(re.findall(r"3\.\d+\.\d+", GUIDE)) == {version("fivetran-connector-sdk")}


def test_the_documented_steps_deploy_a_new_connection(checkout, account):
    """The form, its test, a sync from `dist/` and the deployment need no further answer.

    The upload holds the shipped files and the setup form only, the new connection is paused, and
    no file or output on this machine holds the token.
    """
    configuration = checkout.configure("", "custom_tracks")
    for command in (documented("fivetran configuration --test"), DEBUG, DEPLOY):
        status, output = checkout.run(command)
        assert status == 0, output
        assert "(y/N)" not in output
        assert "dependencies are not needed" not in output
    assert account.configuration == configuration
    assert account.connection["config"]["python_version"] == "3.14"
    assert account.connection["paused"] is True
    assert account.package_files().keys() == {
        *(path.as_posix() for path in checkout.shipped),
        "configuration_form.pb",
    }
    assert (checkout.dist / "files" / "warehouse.db").exists()
    files = [path for path in checkout.folder.parent.rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_deployed_again_code_and_configuration_are_replaced(checkout, account):
    """The documented command asks once; `requirements.txt` is deployed as it is."""
    checkout.configure("", "")
    assert checkout.run(DEPLOY)[0] == 0
    configuration = checkout.configure("60", "custom_tracks")
    (checkout.dist / "added.py").touch()
    again = f"{DEPLOY} {re.search('`(--python-version [^`]*)` is needed', GUIDE)[1]}"
    status, output = checkout.run(again, answers="y\n")
    assert (status, output.count("(y/N)")) == (0, 1), output
    assert account.configuration == configuration
    assert "added.py" in account.package_files()
    assert account.package_files()["requirements.txt"] == REQUIREMENTS


def test_a_script_can_deploy(checkout, account):
    """`--non-interactive` creates a connection, and `--yes` updates it, `dist/` unchanged."""
    checkout.configure("", "")
    for options in ("--non-interactive", "--yes --python-version 3.13"):
        assert f"`{options.split()[0]}`" in GUIDE
        assert checkout.run(f"{DEPLOY} {options}")[0] == 0
        assert account.package_files()["requirements.txt"] == REQUIREMENTS
    assert account.connection["config"]["python_version"] == "3.13"


def test_a_failed_setup_test_says_why(checkout, account):
    """The connection is created all the same; status 1 and the connector's own message."""
    checkout.configure("", "")
    checkout.server.set_faults("tracks=403")
    status, output = checkout.run(DEPLOY)
    assert (status, account.connection["id"]) == (1, "connection_1")
    problem = connector.connection_test(account.configuration).failure
    assert f"  message: {problem}\n" in output
    assert f"  message: {problem}\n" in GUIDE
