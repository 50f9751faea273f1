"""The documents match the code: generated parts, paths, commands, limits and messages."""

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

README = documents.README.read_text(encoding="utf-8")
DOCUMENTS = {
    path.relative_to(documents.PROJECT).as_posix(): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/*.md", "dbt/*.md")
    for path in documents.PROJECT.glob(pattern)
}
every_document = pytest.mark.parametrize("name", sorted(DOCUMENTS))


@pytest.mark.parametrize("path", documents.documents(), ids=lambda path: path.name)
def test_generated_documents_are_fresh(path):
    """Running the generator would change nothing."""
    assert path.read_text(encoding="utf-8") == documents.documents()[path]


@every_document
def test_links_lead_somewhere(name):
    """Each relative link leads to an existing file, and to an existing heading if it names one."""
    folder = (documents.PROJECT / name).parent
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", prose(name)):
        path = folder / target if target else documents.PROJECT / name
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{target}#{anchor}"


def prose(name):
    """Return a document without its code blocks."""
    return re.sub(r"^\s*```.*?^\s*```$", "", DOCUMENTS[name], flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """Return the anchors of a document's headings: lower-case letters, digits and dashes."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_files_named_in_the_text_exist(name):
    """Each path of the project in a document exists."""
    shown = re.findall(r"`([\w./]+(?:\.(?:py|md|toml|yml)|/))`", DOCUMENTS[name])
    assert [path for path in shown if not (documents.PROJECT / path).exists()] == []
    assert shown or name == "CHANGELOG.md"


@every_document
def test_commands_of_make_exist(name):
    """Each `make` command of a document is a target of the Makefile."""
    makefile = (documents.PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z][\w-]*)", DOCUMENTS[name], re.MULTILINE)) <= targets


def test_the_changelog_is_headed_by_this_version():
    """The newest release is the version in `User-Agent`, with a date; only Unreleased is above."""
    heads = re.findall(r"^## (.+)$", DOCUMENTS["CHANGELOG.md"], re.MULTILINE)
    released = [head for head in heads if head != "Unreleased"]
    assert re.fullmatch(re.escape(VERSION) + r" \(20\d\d-[01]\d-[0-3]\d\)", released[0])
    assert "Unreleased" not in heads[1:]


def required(names):
    """Return packages and all their requirements on any Python, without extras."""
    found, waiting = set(), list(names)
    while waiting:
        name = re.match(r"[\w.-]+", waiting.pop())[0].replace("_", "-")
        if name not in found:
            found.add(name)
            try:
                lines = requires(name) or []
            except PackageNotFoundError:  # required on another Python only
                lines = []
            waiting += [line for line in lines if "extra ==" not in line]
    return found


def test_the_table_of_dependencies_is_complete():
    """SECURITY.md lists all packages of `requirements.txt` with their versions and licenses."""
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


def numbers():
    """List the sentences on limits in documents, with the numbers of the code."""
    limits, words = Limits(), {3: "three", 5: "five"}
    attempts = f"p to {len(limits.wait_caps_seconds) + 1} attempts"
    *caps, last = (f"{cap:g}" for cap in limits.wait_caps_seconds)
    below_500 = ", ".join(str(status) for status in sorted(TRANSIENT_STATUSES) if status < 500)
    final = " and ".join(str(status) for status in sorted({*range(500, 600)} - TRANSIENT_STATUSES))
    minutes = f"{limits.endpoint_seconds / 60:g} minutes"
    body = f"{limits.body_bytes // 2**20} MiB"
    return [
        (
            "README.md",
            f"{attempts} are made, with random waits of at most {', '.join(caps)} and {last} s",
        ),
        ("README.md", f"HTTP {below_500} and every 5xx but {final}"),
        ("README.md", f"the {minutes} that an endpoint has in total"),
        (
            "README.md",
            f"if at least {words[MASS_DELETE_MINIMUM]}, and over a fifth, of the known items",
        ),
        ("README.md", f"missing in {words[MISSING_SYNCS_BEFORE_DELETE]} syncs in a row"),
        ("SECURITY.md", f"Bodies are limited to {body} after decompression"),
        ("CHANGELOG.md", f"{attempts} are made after transient failures"),
        ("docs/architecture.md", f"{attempts} in {minutes} for an endpoint"),
        ("docs/architecture.md", f"A body above {body} fails its endpoint"),
        (
            "docs/architecture.md",
            f"If {MASS_DELETE_MINIMUM} or more and over a fifth of the known items",
        ),
    ]


@pytest.mark.parametrize(("name", "sentence"), numbers())
def test_limits_in_documents_are_those_of_the_code(name, sentence):
    """The document contains the sentence; line breaks are ignored."""
    assert sentence in " ".join(DOCUMENTS[name].split())


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
    """Return the columns of a table that docs/tables.md describes as never NULL."""
    page = DOCUMENTS["docs/tables.md"].split(f"\n## {table.name}\n")[1].split("\n## ")[0]
    columns = re.findall(r"^\| `(\w+)`.* \| ([^|]+) \|$", page, re.MULTILINE)
    assert len(columns) == len(table.columns)
    return [name for name, when in columns if when == "never"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_a_bare_item_fills_what_is_said_to_be_never_null(endpoint):
    """Item and child with keys only have NULL in all other columns, but a chapter its position."""
    child, item = endpoint.child, {"id": "x"}
    if child is not None:
        item[child.field] = [{} if child.key == "position" else {child.key: "x"}]
    flat = flatten_item(endpoint, item)
    rows = [flat.row, *flat.children.values()]
    for table, row in zip(endpoint.tables, rows, strict=True):
        filled = [column_name(name) for name, value in row.items() if value is not None]
        placed = ["position"] * (table.name == "course_chapter")
        assert sorted(filled) == sorted(never_null(table) + placed)


def said():
    """Return the messages of the code in the cases that the README explains."""
    courses = ENDPOINTS[-1]
    certificate = ClientConnectorCertificateError(None, ssl.SSLCertVerificationError("no"))
    texts = [fetch_error(e, 30, 600).reason for e in (ServerTimeoutError(), certificate)]
    texts += [
        _failure(check_status, courses, "http://a", status, {"Location": "/b"})
        for status in (403, 404, 302)
    ]
    texts.append(_failure(check_status, courses, "http://a", 403, {"Retry-After": "1"}))
    texts.append(_failure(check_status, courses, "http://a", 200, {"Content-Encoding": "br"}))
    texts += [
        _failure(split, courses, body)
        for body in (
            b"<html>",
            b'{"data": [], "next": "/2"}',
            b'{"data": [], "success": false}',
            b'[{"courseId": "1"}]',
            b"\xff",
            b"," * (MAX_BODY_COMMAS + 1),
        )
    ]
    texts += [report.failure([failed("courses"), failed("tracks")], 6)]
    texts += [report.failure([refused("courses")], 6)]
    outcome = Outcome(
        rejected=2, deferred=2, suspicion="x", first_rejected=[Rejected("course", "?", "x")]
    )
    outcome.bad_values["course", "live"] = 2
    texts.append(report.concerns("courses", outcome))
    texts.append(report.concerns("courses", Outcome(shortfall="total is 2")))
    texts += resume({"version": 2}, "http://a", ["courses"]).notes
    interrupted = Progress("http://a").state("courses")
    texts += resume(interrupted, "http://a", ["courses"]).notes
    with pytest.raises(ValueError, match="bearer_token") as missing:
        validate_configuration({})
    return "\n".join([*texts, str(missing.value)])


def _failure(function, *arguments):
    with pytest.raises(FetchError) as caught:
        function(*arguments)
    return caught.value.reason


OF_THE_SDK = "No such file or directory: 'pipreqs'"


def explained():
    """List the messages that the README's error table explains."""
    chapter = README.split("## Error handling")[1].split("\n## ")[0]
    messages = re.findall(r"^\| `(.+?)` \|", chapter, re.MULTILINE)
    return [message for message in messages if message != OF_THE_SDK]


@pytest.mark.parametrize("message", explained())
def test_messages_in_the_error_table_are_those_of_the_code(message):
    """Every message that the README explains occurs in the code's messages."""
    pattern = re.escape(message).replace("…\\ ", r"[\d\w,]+ ").replace("\\ …", r" \w+")
    assert re.search(pattern, said())


def test_the_error_table_is_found():
    """The rows of the test above are read from the README."""
    assert "bearer_token is missing" in explained()
