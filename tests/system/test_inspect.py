"""`python -m devkit.inspect` against the mock server: exit status, output and secrecy."""

from __future__ import annotations

import json
import re

import pytest

from devkit import sdk
from devkit.inspect.__main__ import main
from devkit.package import PROJECT
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.fetching import OTHERS, QUICK

TOKEN = "s3cret_token_of_the_tests"  # could be the name of a field
CATALOG = catalog(scale=0.05)
KNOWN_WORDS = {table.name for endpoint in ENDPOINTS for table in endpoint.tables}


@pytest.fixture
def server():
    """Serve a small catalog with unusual items, and retry without waiting."""
    with serving(CATALOG, token=TOKEN) as running:
        yield running


@pytest.fixture
def inspected(server, tmp_path, capsys):
    """Return a function that runs the command and returns its exit status and output."""

    def run(*options, **configuration):
        path = tmp_path / "configuration.json"
        values = {"bearer_token": TOKEN, "base_url": server.base_url, **configuration}
        path.write_text(json.dumps(values), encoding="utf-8")
        status = main(["--configuration", str(path), *options], QUICK)
        return status, capsys.readouterr().out

    return run


def texts(value):
    """Return each text in a JSON value, without the names of members."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {text for inner in value for text in texts(inner)}
    return {value} if isinstance(value, str) else set()


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "JSON"])
def test_no_text_of_the_catalog_and_no_token_leaves_the_process(server, inspected, options):
    """Valid, unusual and refused responses show neither, even if member names contain them."""
    faults = ("tracks=renamed-ids", "practices=bare-list", "projects=pages")
    server.set_faults(*faults, "custom_tracks=deep", "assessments=latin1")
    courses = [{**course, TOKEN: TOKEN, course["title"]: 1} for course in CATALOG["courses"]]
    courses += [{"id": course["title"]} for course in courses]
    members = {"data": courses, "meta": {TOKEN.upper(): 1}, "cursor": None}
    server.replace("courses", json.dumps(members).encode())
    _, output = inspected(*options)
    secrets = {text for text in texts(CATALOG) if len(text) > 3} - KNOWN_WORDS
    assert len(secrets) > 500
    assert [text for text in secrets if text in output] == []
    assert (TOKEN in output.lower(), "(token)" in output) == (False, True)


@pytest.mark.parametrize("length", range(30, 60, 3))
def test_a_token_is_replaced_before_lines_are_wrapped(inspected, length):
    """A word that is longer than a line is broken, and base_url may contain the token."""
    base_url = f"http://127.0.0.1:1/{'x' * length}/{TOKEN}/{'y' * 60}"
    status, output = inspected(base_url=base_url, skip_endpoints=",".join(OTHERS))
    unwrapped = re.sub(r"\s", "", output)
    assert (status, TOKEN in unwrapped, "(token)" in unwrapped) == (1, False, True)


FAULTS = [
    *((), ("tracks=total", "projects=nan", "practices=surrogate", "assessments=503x2")),
    *(("courses=401",), ("tracks=403", "courses=404"), ("courses=503",), ("courses=reset",)),
    *(("courses=html",), ("courses=renamed-ids",), ("courses=first-page",)),
]


@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: " ".join(faults) or "healthy")
def test_it_fails_when_and_as_a_sync_does(server, inspected, recorded, faults):
    """The exit status is 1 if a sync would fail, and the report ends with the same error."""
    server.set_faults(*faults)
    _, _, error = recorded(base_url=server.base_url, bearer_token=TOKEN)
    server.set_faults(*faults)
    status, output = inspected("--json")
    report = json.loads(output)
    assert (status, report["failure"]) == ((1, str(error)) if error else (0, None))
    assert any(facts["failure"] for facts in report["endpoints"]) == bool(error)


UNUSABLE = ['{"bearer_token": ""}', "{", None, '{"token": "x"}']


@pytest.mark.parametrize("text", UNUSABLE)
def test_an_unusable_configuration_ends_with_status_2(tmp_path, capsys, text):
    """A file that is missing, no JSON or invalid is one line on stderr, before any request."""
    path = tmp_path / "configuration.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert main(["--configuration", str(path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_an_encrypted_token_is_decrypted(inspected, tmp_path, monkeypatch):
    """A token that `fivetran configuration` encrypted can be used on the same machine."""
    monkeypatch.setenv("HOME", str(tmp_path))
    cipher = sdk.configuration_decryption
    token = cipher.encrypt_value(TOKEN, "bearer_token", cipher.get_or_create_key())
    assert inspected(bearer_token=token)[0] == 0


def test_the_sample_in_the_documents_is_up_to_date(inspected):
    """docs/inspecting.md shows the output of the command, except for the seconds."""
    skipped = ",".join(endpoint.name for endpoint in ENDPOINTS[:-1])
    status, output = inspected(skip_endpoints=skipped)
    assert status == 0
    assert max(map(len, output.splitlines())) <= 80
    document = (PROJECT / "docs" / "inspecting.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"```text\n(.*?)```", document, re.DOTALL)
    assert re.sub(r"seconds [\d.]+", "seconds 0.42", output) == sample
