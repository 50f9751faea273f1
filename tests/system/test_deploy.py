"""The real `fivetran deploy` against a stand-in of Fivetran: what it asks, sends and says."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest

import connector
from devkit import fivetran, package, sdk
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.fivetran_api import Quiet, answering, fivetran_api

API_KEY = "a2V5LW9mLXRoZS10ZXN0czpzZWNyZXQtb2YtdGhlLXRlc3Rz"
TOKEN = "t0ken-that-nobody-prints"
GUIDE = (fivetran.PROJECT / "docs" / "deploying.md").read_text(encoding="utf-8")

# Projects as `fivetran` is told of them, from the folder of the checkout.
DIST = ("dist", "--configuration", "../configuration.json")
CHECKOUT = ()

OPTIONS_LOOKUP = ("GET", "/v1/connector-sdk/migration/connections")  # not on Python 3.10
LOOKUPS = [
    ("GET", "/v1/groups"),
    ("GET", "/v1/groups/group_1/connectors"),
]


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch):
    """Keep the deployment settings of the machine, and what says that it is a CI, out."""
    for name in [name for name in os.environ if name == "CI" or name.startswith("FIVETRAN_")]:
        monkeypatch.delenv(name)


class Account:
    """A copy of the project, an API to read catalogs from and a Fivetran account to deploy to.

    What is deployed is the copy's `dist/`, with the configuration beside it.
    """

    def __init__(self, folder, server, api):
        self.server = server
        self.api = api
        self.configuration = {"bearer_token": TOKEN, "base_url": server.base_url}
        self.copy = fivetran.prepare(folder, self.configuration)
        self.dist = self.copy / "dist"
        package.write(self.dist)
        fivetran.set_api_url(self.copy, api.url)

    def configure(self, **values):
        """Write configuration.json."""
        path = self.copy / "configuration.json"
        path.write_text(json.dumps({**self.configuration, **values}), encoding="utf-8")

    def uploaded(self):
        """Return the sorted names of the files that the connection runs."""
        return sorted(self.api.package_names("datacamp"))

    def expected(self):
        """Return the sorted names of the files of a `dist/` just written, and the setup form's."""
        files = package.write(self.copy.parent / "expected")
        return sorted([*(path.as_posix() for path in files), "configuration_form.pb"])

    def deploy(self, *options, project=DIST, answers=None, key=API_KEY, **variables):
        """Run ``fivetran deploy``; gives its status and output, in which no secret may be.

        What differs from run to run is replaced by what the guide calls it.
        """
        self.api.calls.clear()
        names = ("--destination", "warehouse", "--connection", "datacamp")
        arguments = ["deploy", *project, *names, *options]
        variables |= {"FIVETRAN_API_KEY": key}
        status, output = fivetran.run(self.copy, arguments, variables, answers=answers)
        assert TOKEN not in output
        assert key not in output
        output = output.replace(f"{key[:8]}********", "<FIRST_8>********")
        output = re.sub(r"\bpackage_\d+", "<PACKAGE_ID>", output)
        return status, re.sub(r"\bconnection_\d+", "<CONNECTION_ID>", output)


@pytest.fixture
def account(tmp_path):
    """Have an account without connections, whose setup test is the connector's own."""

    def setup_test(configuration):
        return connector.connection_test(configuration).failure

    with serving({}, token=TOKEN) as server, fivetran_api(API_KEY, setup_test) as api:
        yield Account(tmp_path, server, api)


def untold(heading, output):
    """List the lines of the first transcript below a heading of the guide that were not said."""
    chapter = GUIDE.split(f"## {heading}\n", 1)[1]
    shown = re.search(r"```text\n(.*?)```", chapter, re.DOTALL)[1]
    shown = re.sub(r"(?<=\(y/N\): )[yn]", "", shown)
    said = output.replace("(y/N): ", "(y/N): \n").splitlines()
    return [line for line in shown.splitlines() if line != "…" and line not in said]


def test_a_shown_line_that_is_not_said_is_found():
    """The guide's transcripts are compared line by line, with the SDK that the guide names."""
    assert len(untold("The first deployment", "✓ connection created\n")) > 10
    installed = version("fivetran-connector-sdk")
    assert set(re.findall(r"3\.\d+\.\d+", GUIDE)) == {installed}


def test_a_new_connection(account):
    """The package is uploaded, the configuration goes as secrets, and nothing syncs as yet."""
    status, output = account.deploy()
    assert status == 0
    assert untold("The first deployment", output) == []
    assert " --api-key <FIRST_8>******** " in output
    assert ("migrating existing connection settings" in output) == (sys.version_info >= (3, 11))
    assert account.api.calls == [
        *([OPTIONS_LOOKUP] if sys.version_info >= (3, 11) else []),
        *LOOKUPS,
        ("GET", "/v1/destinations/group_1"),
        *LOOKUPS,
        ("POST", "/v1/connector-sdk/packages"),
        ("POST", "/v1/connectors"),
    ]
    assert account.api.connections == {
        "datacamp": {
            "id": "connection_1",
            "group_id": "group_1",
            "service": "connector_sdk",
            "config": {
                "secrets_list": [
                    {"key": "bearer_token", "value": TOKEN},
                    {"key": "base_url", "value": account.server.base_url},
                ],
                "python_version": "3.14",
                "package_id": "package_1",
            },
            "paused": True,
            "run_setup_tests": True,
            "sync_frequency": "360",
            "destination_schema_names": "FIVETRAN_NAMING",
            "hybrid_deployment_agent_id": None,
        }
    }
    assert account.uploaded() == account.expected()


def test_without_a_python_version_a_new_connection_gets_the_newest(account):
    """The SDK asks for Python 3.14 and says so."""
    status, output = account.deploy()
    assert status == 0
    assert "  python_version = 3.14 (using SDK built-in default)\n" in output
    assert account.api.connections["datacamp"]["config"]["python_version"] == "3.14"


def test_a_redeployment_replaces_code_and_configuration(account):
    """After a yes the same connection runs the new package with the configuration as it is now.

    The request speaks neither of the state nor of the tables.
    """
    account.deploy("--python-version", "3.13")
    (account.dist / "added.py").write_text("")
    account.configure(skip_endpoints="custom_tracks")
    status, output = account.deploy("--python-version", "3.13", answers="y\n")
    assert status == 0
    assert untold("Deploying again", output) == []
    assert account.api.calls[-2:] == [
        ("POST", "/v1/connector-sdk/packages"),
        ("PATCH", "/v1/connectors/connection_1"),
    ]
    assert account.api.configuration("datacamp") == {
        **account.configuration,
        "skip_endpoints": "custom_tracks",
    }
    assert account.uploaded() == sorted([*account.expected(), "added.py"])
    assert set(account.api.connections["datacamp"]) == {
        *("id", "group_id", "service", "config", "paused", "run_setup_tests", "sync_frequency"),
        *("destination_schema_names", "hybrid_deployment_agent_id"),
        *("proxy_agent_id", "networking_method"),  # new: deployed without a proxy of Fivetran's
    }


@pytest.mark.parametrize("answers", ["n\n", "\n"], ids=["no", "nothing"])
def test_a_redeployment_that_is_not_confirmed_changes_nothing(account, answers):
    """Anything but a yes cancels with status 1, before anything is uploaded."""
    account.deploy("--python-version", "3.13")
    before = json.dumps(account.api.connections)
    status, output = account.deploy("--python-version", "3.13", answers=answers)
    assert (status, output.splitlines()[-1].endswith("✗ update cancelled")) == (1, True)
    assert {method for method, _ in account.api.calls} == {"GET"}
    assert json.dumps(account.api.connections) == before


def test_a_redeployment_needs_a_python_version(account):
    """Without one it is refused; the options file that the first deployment wrote holds it too."""
    account.deploy("--python-version", "3.13")
    status, output = account.deploy()
    assert status == 1
    sentence = "--python-version is required when deploying to an existing connection"
    assert f"\n{sentence}; " in output
    assert f"| `{sentence}` |" in GUIDE
    assert {method for method, _ in account.api.calls} == {"GET"}
    if sys.version_info >= (3, 11):  # older ones keep no options file
        kept = account.copy.parent / "home" / ".fivetran" / "connector_sdk" / "options.toml"
        assert '["group_1-datacamp"]' in kept.read_text(encoding="utf-8")
        assert API_KEY not in kept.read_text(encoding="utf-8")
        status, output = account.deploy("--profile", "group_1-datacamp", answers="y\n")
        assert status == 0
        assert "  python_version = 3.13 (provided via options file, profile " in output


WRONG_FROM_THE_START = {
    "API key": ((), "ensure you're using a valid base64-encoded API key"),
    "destination": (
        ("--destination", "warehose"),
        "failed to deploy; destination 'warehose' not found in account",
    ),
    "connection name": (
        ("--connection", "DataCamp"),
        "connection names must use only [a-z0-9_] and begin with '_' or a lowercase letter",
    ),
    "configuration file": (
        ("--configuration", "production.json"),
        "invalid configuration error: Configuration path is incorrect, cannot find file",
    ),
}


@pytest.mark.parametrize("what", WRONG_FROM_THE_START)
def test_what_is_wrong_from_the_start_ends_before_an_upload(account, what):
    """A wrong key, name or file is status 1 with a sentence that the guide explains."""
    options, sentence = WRONG_FROM_THE_START[what]
    key = "bm90LXRoZS1rZXk=" if what == "API key" else API_KEY
    status, output = account.deploy("--python-version", "3.13", *options, key=key)
    assert (status, sentence in output) == (1, True)
    assert f"| `{sentence.replace('warehose', '…')}` |" in GUIDE
    assert {method for method, _ in account.api.calls} <= {"GET"}
    assert (account.api.connections, account.api.packages) == ({}, {})


def test_a_setup_test_that_fails(account):
    """The connection is made all the same; status 1 and the connector's own words say why not."""
    account.server.set_faults("tracks=403")
    status, output = account.deploy("--python-version", "3.13")
    assert status == 1
    assert untold("When it fails", output) == []
    assert list(account.api.connections) == ["datacamp"]
    account.configure(skip_endpoints="tracks")
    status, output = account.deploy("--python-version", "3.13", answers="y\n")
    assert (status, "✓ connection updated" in output) == (0, True)


def test_an_untouched_configuration_fails_the_setup_test(account):
    """Placeholders are deployed like any value, and the setup test asks for the token."""
    shutil.copy(fivetran.PROJECT / "configuration.json", account.copy)
    status, output = account.deploy("--python-version", "3.13")
    assert status == 1
    problem = "message: bearer_token is missing"
    assert f"  {problem}: set it to the API token that DataCamp gave you.\n" in output
    assert f"| `{problem}` |" in GUIDE


def test_a_connection_that_fivetran_refuses_leaves_no_package(account):
    """When no connection can be made, the package that was uploaded for it is removed."""
    account.api.refusal = "Python 3.9 is not supported"
    status, output = account.deploy("--python-version", "3.9")
    assert status == 1
    assert "✗ failed to create connection error: Python 3.9 is not supported\n" in output
    assert "| `failed to create connection error: …` |" in GUIDE
    assert (account.api.connections, account.api.packages) == ({}, {})


def test_an_encrypted_token_is_deployed_readable(account):
    """What `fivetran configuration` encrypted is decrypted, as Fivetran could not read it."""
    answers = f"y\n{TOKEN}\n{account.server.base_url}\n\n\n"
    assert fivetran.run(account.copy, ["configuration"], answers=answers)[0] == 0
    assert TOKEN not in (account.copy / "configuration.json").read_text(encoding="utf-8")
    assert account.deploy("--python-version", "3.13")[0] == 0
    assert account.api.configuration("datacamp") == {
        **account.configuration,
        "request_timeout_seconds": "",
        "skip_endpoints": "",
    }


def package_index(versions):
    """Answer pipreqs on loopback: a package has the version given here, else 1.0."""

    class Index(Quiet):
        def respond(self):
            name = self.path.split("/")[2]
            about = dict.fromkeys(("author", "maintainer", "license", "summary", "keywords"), "")
            about |= dict.fromkeys(("author_email", "maintainer_email", "home_page"), "")
            about |= {"name": name, "version": versions.get(name, "1.0"), "classifiers": []}
            about |= {"bugtrack_url": "", "package_url": ""}
            self.send(200, json.dumps({"info": about, "releases": {}}).encode())

    return answering(Index)


@pytest.fixture
def real_pipreqs(account):
    """Let the SDK run the real pipreqs, which asks a package index on loopback.

    Gives the versions that the index tells: for what `requirements.txt` names, those pinned there.
    """
    pins = (fivetran.PROJECT / "requirements.txt").read_text().split()
    versions = dict(pin.split("==") for pin in pins)
    command = shutil.which("pipreqs", path=str(Path(sys.executable).parent))
    with package_index(versions) as url:
        script = account.copy.parent / "bin" / "pipreqs"
        script.write_text(f'#!/bin/sh\nexec "{command}" "$@" --pypi-server "{url}/index/"\n')
        yield versions


def with_tests(account):
    """Add what only developers run to the copy; return its deployment and requirements.txt."""
    for name in ("tests", "mock_api"):
        shutil.copytree(fivetran.PROJECT / name, account.copy / name)
    return partial(account.deploy, project=CHECKOUT), account.copy / "requirements.txt"


def test_the_dependency_question_is_to_be_answered_with_no(account, real_pipreqs):
    """What only tests import is called missing; after a no, requirements.txt ships as it was."""
    deploy, requirements = with_tests(account)
    status, output = deploy("--python-version", "3.13", answers="n\nn\n")
    assert status == 0
    assert untold("Deploying the checkout itself", output) == []
    (named,) = re.findall(r"project-dependencies\n(.*)\n", output)
    missing = {pin.split("==")[0] for pin in named.split()}
    assert missing > {"duckdb", "hypothesis", "pytest"}
    assert missing.isdisjoint(real_pipreqs)
    assert requirements.read_bytes() == (fivetran.PROJECT / "requirements.txt").read_bytes()


def test_yes_to_everything_adds_the_tests_libraries(account, real_pipreqs):
    """With --yes requirements.txt is rewritten: Fivetran would install pytest."""
    deploy, requirements = with_tests(account)
    assert deploy("--python-version", "3.13", "--yes")[0] == 0
    assert "pytest==" in requirements.read_text()


def test_non_interactive_is_a_no(account, real_pipreqs):
    """With --non-interactive a new connection is made, and requirements.txt stays."""
    deploy, requirements = with_tests(account)
    status, output = deploy("--python-version", "3.13", "--non-interactive")
    assert (status, "have NOT been made to requirements.txt." in output) == (0, True)
    assert requirements.read_bytes() == (fivetran.PROJECT / "requirements.txt").read_bytes()
    status, output = deploy("--python-version", "3.13", "--non-interactive")
    assert (status, "✗ update cancelled" in output) == (1, True)


def test_from_dist_there_is_no_question(account, real_pipreqs):
    """`dist/` imports no more than requirements.txt names: nothing is asked, nor is it rewritten.

    A new connection is made without an answer, and updated by a --yes, with the same files.
    """
    for option in ("--non-interactive", "--yes"):
        status, output = account.deploy("--python-version", "3.13", option)
        assert status == 0
        assert "Validation of requirements.txt completed." in output
        assert "Include the following dependency libraries" not in output
        assert "Would you like us to" not in output
        assert account.uploaded() == account.expected()
    requirements = account.dist / "requirements.txt"
    assert requirements.read_bytes() == (fivetran.PROJECT / "requirements.txt").read_bytes()
    assert account.api.calls[-1][0] == "PATCH"


def test_dist_can_be_debugged_and_deployed_after_that(account):
    """`fivetran debug dist` syncs, and no file that it leaves there is uploaded."""
    account.server.serve(catalog(scale=0.05))
    status, output = fivetran.run(account.copy, ["debug", *DIST])
    assert (status, "SYNC SUCCEEDED" in output) == (0, True), output
    assert min(sdk.counts(account.dist).values()) > 0
    assert account.deploy("--python-version", "3.13")[0] == 0
    assert account.uploaded() == account.expected()


def test_a_newer_release_is_offered_and_declined(account, real_pipreqs):
    """If the index has a newer release than the pin, a second question offers it."""
    real_pipreqs["backoff"] = "9.9"
    status, output = account.deploy("--python-version", "3.13", answers="n\nn\n")
    assert status == 0
    question = "Would you like us to update requirements.txt to the current stable versions"
    assert question in output
    assert question in GUIDE
    text = (account.dist / "requirements.txt").read_text()
    assert "backoff==2" in text


def test_without_an_index_the_comparison_is_left_out(account):
    """A pipreqs that fails is tried three times, 12 s in all, and the deployment goes on."""
    (account.copy.parent / "bin" / "pipreqs").write_text("#!/bin/sh\nexit 1\n")
    awake = account.copy.parent / "awake"
    awake.mkdir()
    (awake / "sitecustomize.py").write_text(
        "import time\ntime.sleep = lambda seconds: print(f'would sleep {seconds} s')\n"
    )
    status, output = account.deploy("--python-version", "3.13", PYTHONPATH=str(awake))
    assert status == 0
    assert re.findall(r"would sleep (\d+) s", output) == ["3", "9"]
    assert "skipping requirements.txt validation; continuing with deploy" in output
    assert "tried three times within 12 seconds and then left out" in GUIDE
