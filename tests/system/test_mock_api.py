"""`python -m mock_api` serves until it is stopped, and refuses what the API would refuse."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from devkit.package import PROJECT
from mock_api import __main__ as command
from mock_api.serving import serving
from tests.support.cases import cases
from tests.support.fetching import CATALOGS, PATHS, TOKEN


def sent(base_url, path, token=TOKEN, method="GET"):
    connection = HTTPConnection(urlsplit(base_url).netloc)
    connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
    return connection


def respond(*request, **others):
    """Send one request; return status and body."""
    connection = sent(*request, **others)
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


@cases(
    "status, message, request_",
    {
        "a wrong token": (401, "Unauthorized", {"path": PATHS["courses"], "token": "wrong"}),
        "another method": (
            404,
            f"Cannot POST {PATHS['tracks']}",
            {"path": PATHS["tracks"], "method": "POST"},
        ),
        "another path": (404, "Cannot GET /v1/cats", {"path": "/v1/cats"}),
    },
)
def test_a_wrong_request_gets_the_error_object_of_the_api(server, status, message, request_):
    found = respond(server.base_url, **request_)
    assert found == (status, {"message": message, "statusCode": status})


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--fault", "courses"], "'courses' is not of the form ENDPOINT=KIND"),
        (["--fault", "cats=503"], "unknown endpoint 'cats'; valid names are assessments"),
        (["--fault", "courses=700"], "unknown fault kind '700'; valid kinds are 400 to 599, 204"),
        (["--fault", "all=gzip-bomb-big"], "gzip-bomb- takes a number of MiB, not 'big'"),
        (["--latency", "courses=3,cats=1"], "unknown endpoint 'cats'"),
        (["--latency", "soon"], "could not convert string to float: 'soon'"),
    ],
    ids=" ".join,
)
def test_a_wrong_argument_is_an_error_that_says_what_is_valid(capsys, arguments, error):
    with pytest.raises(SystemExit, match="2"):
        command.main([*arguments, "--scale", "0.001"])
    assert error in capsys.readouterr().err


def test_a_port_in_use_is_an_error(server, capsys):
    address = server.base_url.removeprefix("http://")
    with pytest.raises(SystemExit, match="2"):
        command.main(["--port", address.partition(":")[2], "--scale", "0.001"])
    assert f"cannot listen on {address}: " in capsys.readouterr().err


def test_latency_is_by_endpoint_and_ends_with_the_client():
    with serving(CATALOGS, token=TOKEN, latency_seconds={"courses": 60}) as server:
        waiting = sent(server.base_url, PATHS["courses"])
        server.requests.wait_until(lambda requests: requests.in_flight == 1)
        assert respond(server.base_url, PATHS["tracks"])[0] == 200
        assert server.requests.endpoint_names == ["courses", "tracks"]
        waiting.close()
        server.requests.wait_until(lambda requests: requests.in_flight == 0)


def test_the_command_serves_until_it_is_stopped():
    program = [sys.executable, "-m", "mock_api", "--port", "0", "--scale", "0.001"]
    options = ["--token", "open-sesame", "--latency", "courses=60, tracks=0.01"]
    with subprocess.Popen(
        [*program, *options], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        greeting = process.stdout.readline().decode()
        base_url = re.search(r"http://127\.0\.0\.1:\d+", greeting)[0]
        assert respond(base_url, PATHS["tracks"], "open-sesame")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10) == (b"", b"")
    assert process.returncode == 0
    assert "open-sesame" in greeting
