"""The commands of docs/deploying.md, run in their order against a mock of Fivetran's API."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest

import connector
import report
from devkit import fivetran, package
from mock_api.catalog import catalog
from mock_api.serving import Server, serving
from tests.support.fetching import NAMES, TOKEN

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

API_KEY = "a2V5LW9mLXRoZS10ZXN0czpzZWNyZXQtb2YtdGhlLXRlc3Rz"


@dataclass
class FivetranApi:
    """An account with one destination, called `warehouse`, and at most one connection.

    `connection` is the connection as the API returns it; `files` has the content of the files in
    the last uploaded package, by name.
    """

    connection: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)

    @property
    def configuration(self):
        """The configuration that the connector would receive."""
        secrets = self.connection["config"]["secrets_list"]
        return {secret["key"]: secret["value"] for secret in secrets}

    def respond(self, method, path, body):
        if method == "GET" and path.endswith("/connection_1"):
            return self.connection
        if method == "GET":
            destination = {"id": "group_1", "name": "warehouse"}
            found = destination if path == "/v1/groups" else self.connection
            return {"items": [found] if found else []}
        if path.endswith("/packages"):
            content = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
            with ZipFile(BytesIO(content)) as archive:
                self.files = {name: archive.read(name) for name in archive.namelist()}
            return {"id": "package_1"}
        self.connection |= {**json.loads(body), "id": "connection_1"}
        result = connector.connection_test(self.configuration)
        status = "FAILED" if result.failure else "PASSED"
        test = {"title": "Read every catalog", "status": status, "message": result.failure}
        return {**self.connection, "setup_tests": [test]}


@contextmanager
def fivetran_api(copy):
    """Run the mock, and make the `fivetran` command of a prepared project use it.

    The command runs the real pipreqs, to which every installed version is the newest on PyPI.
    """
    api = FivetranApi()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(api)) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        fivetran.set_api_url(copy, url)
        command = f'exec "{sys.executable}" -m pipreqs.pipreqs "$@" --pypi-server {url}/index/'
        pipreqs = copy.parent / "bin" / "pipreqs"
        pipreqs.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        thread = Thread(target=server.serve_forever, args=(0.01,), name="fivetran_api")
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def _handler(api):
    class Handler(BaseHTTPRequestHandler):
        def _respond(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path
            if path.startswith("/index/"):
                name = path.split("/")[2]
                about = {"name": name, "version": version(name), "package_url": ""}
                response = {"info": about, "releases": {}}
            else:
                assert self.headers["Authorization"] == f"Basic {API_KEY}"
                response = {"data": api.respond(self.command, path, body)}
            content = json.dumps(response).encode()
            self.send_response(201 if self.command == "POST" else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _respond  # noqa: N815 (names that http.server requires)

        def log_message(self, *_):
            pass  # or each request would be printed

    return Handler


@dataclass
class Checkout:
    """A copy of the project with its `dist/`, a mock server and an account to deploy to."""

    folder: Path
    server: Server
    api: FivetranApi

    def configure(self, **optional):
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
    faults, changes = SITUATIONS[situation]
    server.set_faults(*faults)
    configuration = {"bearer_token": TOKEN, "base_url": server.base_url, **changes}
    failure = connector.connection_test(configuration).failure
    problem = PROBLEMS.get(situation)
    assert failure == (f"{problem} {report.INSPECT}" if problem else None)
    assert (f"\n  message: {failure}\n" in GUIDE) == (situation == "a catalog is not licensed")
    requested = set(NAMES) - {changes.get("skip_endpoints")}
    assert sorted(server.requests.endpoint_names) == sorted(requested)
