"""The documents say what the code does: generated parts are fresh, named files and texts exist."""

from __future__ import annotations

import re
import ssl
from collections import Counter
from importlib.metadata import PackageNotFoundError, metadata, requires

import pytest
from aiohttp import ClientConnectorCertificateError, ServerTimeoutError

import report
from async_client import Limits, validate_configuration
from async_client.errors import FetchError
from async_client.failures import fetch_error
from async_client.response import MAX_BODY_COMMAS, split
from async_client.status import TRANSIENT_STATUSES, check_status
from async_client.version import VERSION
from changes import MISSING_SYNCS_BEFORE_DELETE, Outcome, Progress, resume
from changes.plan import MASS_DELETE_MINIMUM
from devkit import documents
from endpoints import ENDPOINTS
from flatten import Rejected, flatten_item
from flatten.names import column_name
from tests.support.recording import failed, refused

DOCUMENTS = {
    path.relative_to(documents.PROJECT).as_posix(): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/*.md", "dbt/*.md")
    for path in documents.PROJECT.glob(pattern)
}
every_document = pytest.mark.parametrize("name", sorted(DOCUMENTS))


@pytest.mark.parametrize("path", documents.documents(), ids=lambda path: path.name)
def test_generated_documents_are_fresh(path):
    """Running the generator would change nothing: tables and diagram follow from ENDPOINTS."""
    assert path.read_text(encoding="utf-8") == documents.documents()[path]


def anchors(path):
    """Return the anchors of a document's headings: lower case, with hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_relative_links_have_a_target(name):
    """Each names an existing file, and a heading in it if it has an anchor."""
    prose = re.sub(r"(?ms)^\s*```.*?^\s*```$", "", DOCUMENTS[name])
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", prose):
        document = documents.PROJECT / name
        path = document.parent / target if target else document
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


@every_document
def test_commands_of_make_exist(name):
    """Each `make` command of a document is a target of the Makefile."""
    makefile = (documents.PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([\w-]+):", makefile))
    assert set(re.findall(r"(?m)(?:^|`)make ([a-z][\w-]*)", DOCUMENTS[name])) <= targets


@pytest.mark.parametrize(
    "name", ["docs/architecture.md", "docs/inspecting.md", "CONTRIBUTING.md", "CHANGELOG.md"]
)
def test_paths_named_in_the_text_exist(name):
    """Whatever is formatted as a path of the project is one."""
    shown = re.findall(r"`([\w./]+(?:\.(?:py|md|toml|yml)|/))`", DOCUMENTS[name])
    assert [path for path in shown if not (documents.PROJECT / path).exists()] == []


def test_the_changelog_is_headed_by_this_version():
    """The version that requests carry is the newest release, with a date; above it may be more."""
    heads = re.findall(r"^## (.+)$", DOCUMENTS["CHANGELOG.md"], re.MULTILINE)
    released = [head for head in heads if head != "Unreleased"]
    assert re.fullmatch(re.escape(VERSION) + r" \(20\d\d-[01]\d-[0-3]\d\)", released[0])
    assert "Unreleased" not in heads[1:]


def required(names):
    """Return some packages and all that they require on any Python, without extras."""
    found, waiting = set(), list(names)
    while waiting:
        name = re.match(r"[\w.-]+", waiting.pop())[0].replace("_", "-")
        if name not in found:
            found.add(name)
            try:
                lines = requires(name) or []
            except PackageNotFoundError:  # which another Python needs
                lines = []
            waiting += [line for line in lines if "extra ==" not in line]
    return found


def test_the_table_of_dependencies_is_complete():
    """SECURITY.md names all that `requirements.txt` installs, with its pins and their licenses."""
    row = r"(?m)^\| ([\w-]+) \| ([^|]+) \| ([^|]+) \|"
    rows = re.findall(row, DOCUMENTS["SECURITY.md"])
    table = {name: (version, license_) for name, version, license_ in rows if name != "package"}
    pins = (documents.PROJECT / "requirements.txt").read_text(encoding="utf-8").split()
    versions = dict(pin.split("==") for pin in pins)
    assert table.keys() == required(versions)
    for name, (version, license_) in table.items():
        assert version == versions.get(name, "not pinned")
        if name in versions:
            about = metadata(name)
            assert license_ in (about.get("License-Expression"), about.get("License"))


def limits_by_document():
    """Return what the documents state about limits, with the numbers of the code."""
    limits, words = Limits(), {3: "three", 5: "five"}
    attempts = f"p to {len(limits.wait_caps_seconds) + 1} attempts"
    *caps, last = (f"{cap:g}" for cap in limits.wait_caps_seconds)
    below_500 = ", ".join(str(status) for status in sorted(TRANSIENT_STATUSES) if status < 500)
    final = " and ".join(str(status) for status in sorted({*range(500, 600)} - TRANSIENT_STATUSES))
    minutes = f"{limits.endpoint_seconds / 60:g} minutes"
    body = f"{limits.body_bytes // 2**20} MiB"
    return {
        "README.md": [
            f"{attempts} are made, with random waits of at most {', '.join(caps)} and {last} s",
            f"HTTP {below_500} and every 5xx but {final}",
            f"the {minutes} that an endpoint has in total",
            f"if at least {words[MASS_DELETE_MINIMUM]}, and over a fifth, of the known items",
            f"missing in {words[MISSING_SYNCS_BEFORE_DELETE]} syncs in a row",
        ],
        "SECURITY.md": [f"Bodies are limited to {body} after decompression"],
        "CHANGELOG.md": [f"{attempts} are made after transient failures"],
        "docs/architecture.md": [
            f"{attempts} in {minutes} for an endpoint",
            f"A body above {body} fails its endpoint",
            f"If {MASS_DELETE_MINIMUM} or more and over a fifth of the known items",
        ],
    }


def test_limits_in_documents_are_those_of_the_code():
    """The document contains each sentence, wherever its lines break."""
    for name, sentences in limits_by_document().items():
        text = " ".join(DOCUMENTS[name].split())
        assert [sentence for sentence in sentences if sentence not in text] == []


def test_the_dbt_models_test_keys_and_parents():
    """NULL or repeated keys are errors, missing parents warnings; `make dbt` runs these tests."""
    staging = documents.PROJECT / "dbt" / "models" / "staging" / "staging.yml"
    text = staging.read_text(encoding="utf-8")
    tests = re.findall(r"- (not_null|unique|\w+(?=:$))", text, re.MULTILINE)
    keys = [table.primary_key for endpoint in ENDPOINTS for table in endpoint.tables]
    assert Counter(tests) == {
        "not_null": sum(map(len, keys)),
        "unique": sum(len(key) == 1 for key in keys),
        "datacamp_unique_together": sum(len(key) > 1 for key in keys),
        "relationships": sum(endpoint.child is not None for endpoint in ENDPOINTS),
    }
    assert text.count("severity: warn") == tests.count("relationships")


def never_null(table):
    """Read from the page of tables which columns of a table are never NULL, and which may be."""
    page = DOCUMENTS["docs/tables.md"].split(f"\n## {table.name}\n")[1].split("\n## ")[0]
    columns = re.findall(r"^\| `(\w+)`.* \| ([^|]+) \|$", page, re.MULTILINE)
    assert len(columns) == len(table.columns)
    return [name for name, when in columns if when == "never"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_bare_item_fills_what_is_said_to_be_never_null(endpoint):
    """Of an item and a child with keys alone the rest is NULL; a chapter still has its place."""
    child, item = endpoint.child, {"id": "x"}
    if child is not None:
        item[child.field] = [{} if child.key == "position" else {child.key: "x"}]
    flat = flatten_item(endpoint, item)
    rows = [flat.row, *flat.children.values()]
    for table, row in zip(endpoint.tables, rows, strict=True):
        filled = [column_name(name) for name, value in row.items() if value is not None]
        placed = ["position"] * (table.name == "course_chapter")
        assert sorted(filled) == sorted(never_null(table) + placed)


def reason(function, *arguments):
    """Return the text of the error that a function raises."""
    with pytest.raises((FetchError, ValueError)) as caught:
        function(*arguments)
    return getattr(caught.value, "reason", str(caught.value))


def messages():
    """Return the messages of the code in the cases that the README explains, line by line."""
    courses = ENDPOINTS[-1]
    certificate = ClientConnectorCertificateError(None, ssl.SSLCertVerificationError("no"))
    too_many_commas = b"," * (MAX_BODY_COMMAS + 1)
    responses = [(403, {}), (404, {}), (302, {"Location": "/b"}), (403, {"Retry-After": "1"})]
    bodies = [b"<html>", b'{"data": [], "next": "/2"}', b'{"data": [], "success": false}']
    outcome = Outcome(
        rejected=2,
        first_rejected=[Rejected("course", "?", "it has no id")],
        bad_values=Counter({("course", "live"): 2}),
        deferred=2,
    )
    yield reason(validate_configuration, {})
    for error in (ServerTimeoutError(), certificate):
        yield fetch_error(error, 30, 600).reason
    for status, headers in [*responses, (200, {"Content-Encoding": "br"})]:
        yield reason(check_status, courses, "http://a", status, headers)
    for body in (*bodies, b'[{"courseId": "1"}]', b"\xff", too_many_commas):
        yield reason(split, courses, body)
    yield report.failure([failed("courses"), failed("tracks")], 6)
    yield report.failure([refused("courses")], 6)
    yield report.concerns("courses", outcome)
    yield report.concerns("courses", Outcome(shortfall="total is 2"))
    yield from resume({"version": 2}, "http://a", ["courses"]).notes
    yield from resume(Progress("http://a").state("courses"), "http://a", ["courses"]).notes


def test_messages_in_the_error_table_are_those_of_the_code():
    """The code has every message that the README explains, word for word."""
    chapter = DOCUMENTS["README.md"].split("## Error handling")[1].split("\n## ")[0]
    explained = set(re.findall(r"(?m)^\| `(.+?)` \|", chapter))
    explained.remove("No such file or directory: 'pipreqs'")  # of Fivetran's command
    text = "\n".join(messages())
    for message in explained:
        pattern = re.escape(message).replace("…\\ ", r"[\d\w,]+ ").replace("\\ …", r" \w+")
        assert re.search(pattern, text), message
