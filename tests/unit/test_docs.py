"""The documents match the code: generated parts, links, paths, commands and limits."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, metadata, requires

import pytest

from async_client import Limits
from async_client.limits import MAX_HEADER_BYTES, MAX_HEADERS, MAX_ITEMS, MAX_VALUES
from async_client.settings import DEFAULT_REQUEST_TIMEOUT_SECONDS
from async_client.status import TRANSIENT_STATUSES
from async_client.version import VERSION
from changes import SYNCS_BEFORE_ACCEPTANCE, State
from changes.limits import MAX_STATE_BYTES
from changes.plan import MASS_DELETE_MINIMUM, MASS_DELETE_SHARE
from devkit import documents
from endpoints import ENDPOINTS
from flatten import Flattener
from flatten.limits import (
    MAX_DIGITS,
    MAX_FIELD_NAME_LENGTH,
    MAX_FLOAT,
    MAX_KEY_LENGTH,
    MAX_LEVELS,
    MAX_UNDECLARED_COLUMNS,
)
from flatten.names import column_name

DOCUMENTS = {
    path.relative_to(documents.PROJECT).as_posix(): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/*.md", "dbt/*.md")
    for path in documents.PROJECT.glob(pattern)
}
GENERATED = documents.documents()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_generated_documents_are_up_to_date(path):
    assert path.read_text(encoding="utf-8") == GENERATED[path]


def anchors(path):
    """Return the anchors of a document's headings: lower case, with hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_links_and_commands_of_make_resolve(name):
    """Each relative link names an existing file or heading, each `make` command a target."""
    prose = re.sub(r"(?ms)^\s*```.*?^\s*```$", "", DOCUMENTS[name])
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", prose):
        document = documents.PROJECT / name
        path = document.parent / target if target else document
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"
    makefile = (documents.PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([\w-]+):", makefile))
    assert set(re.findall(r"(?m)(?:^|`)make ([a-z][\w-]*)", DOCUMENTS[name])) <= targets


def test_paths_named_in_the_text_exist():
    names = ("architecture", "behavior", "inspecting", "messages", "operating")
    for name in (*(f"docs/{name}.md" for name in names), "CONTRIBUTING.md", "CHANGELOG.md"):
        shown = re.findall(r"`([\w./]+(?:\.(?:py|md|toml|yml)|/))`", DOCUMENTS[name])
        assert [path for path in shown if not (documents.PROJECT / path).exists()] == []


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


def test_limits_in_documents_are_those_of_the_code():
    """Each document contains these sentences and rows; line breaks are ignored."""
    limits, words = Limits(), {3: "three", 5: "five"}
    attempts = len(limits.wait_caps_seconds) + 1
    *caps, last = (f"{cap:g}" for cap in limits.wait_caps_seconds)
    below_500 = ", ".join(str(status) for status in sorted(TRANSIENT_STATUSES) if status < 500)
    final = " and ".join(str(status) for status in sorted({*range(500, 600)} - TRANSIENT_STATUSES))
    minutes, body = limits.endpoint_seconds / 60, limits.body_bytes // 2**20
    share = {Fraction(1, 5): "a fifth"}[MASS_DELETE_SHARE]
    expected = {
        "README.md": [f"up to {attempts} attempts within {minutes:g} minutes for a catalog"],
        "SECURITY.md": [f"limited to {body} MiB after decompression"],
        "docs/behavior.md": [
            f"Up to {attempts} attempts are made",
            f"random waits of at most {', '.join(caps)} and {last} s",
            f"the endpoint's {minutes:g}-minute limit",
            f"HTTP {below_500} and every 5xx but {final}",
            f"or for {limits.rate_limit_wait_seconds:g} s",
            f"at least {words[MASS_DELETE_MINIMUM]}, and over {share}, of the known items",
            f"at least {words[MASS_DELETE_MINIMUM]}, and over {share}, of the known children",
            f"missing in {words[SYNCS_BEFORE_ACCEPTANCE]} syncs in a row",
            f"| attempts for a catalog | {attempts} |",
            f"| time for a catalog, retries included | {minutes:g} minutes |",
            f"{DEFAULT_REQUEST_TIMEOUT_SECONDS:g} s by default",
            f"| body, decompressed | {body} MiB |",
            f"commas and opening brackets | {MAX_VALUES:,} |",
            f"| items | {MAX_ITEMS:,} |",
            f"| {MAX_HEADERS:,} lines of {MAX_HEADER_BYTES // 1024} KiB |",
            f"| saved state | {MAX_STATE_BYTES / 1e6:g} MB |",
            f"| key | {MAX_KEY_LENGTH:,} characters |",
            f"| field name | {MAX_FIELD_NAME_LENGTH:,} characters |",
            f"| undeclared columns of a table in a response | {MAX_UNDECLARED_COLUMNS} |",
            f"| nesting | {MAX_LEVELS} levels |",
            f"| text of digits alone | {MAX_DIGITS:,} digits |",
            f"| undeclared decimal numbers | ±{MAX_FLOAT:g}".replace("e+", "e"),
        ],
    }
    for name, sentences in expected.items():
        text = " ".join(DOCUMENTS[name].split())
        assert [sentence for sentence in sentences if sentence not in text] == []


def test_the_filter_in_the_readme_leaves_out_the_state():
    pattern = re.search(r"grep -v '(.+)'", DOCUMENTS["README.md"])[1]
    assert json.dumps(State("https://a").to_json()).startswith(pattern)


def never_null(table):
    """Return the columns of a table that docs/tables.md describes as never NULL."""
    sections = dict(re.findall(r"(?ms)^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENTS["docs/tables.md"]))
    page = sections[table.name]
    if "(#columns-of-all-items)" in page:
        page += sections["Columns of all items"]
    columns = re.findall(r"^\| `(\w+)`.* \| ([^|]+) \|$", page, re.MULTILINE)
    assert len(columns) == len(table.columns)
    return [name for name, when in columns if when == "never"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_columns_documented_as_never_null_have_values(endpoint):
    """Item and child with keys only have NULL in all other columns, but a chapter its position."""
    child, item = endpoint.child, {"id": "x"}
    if child is not None:
        item[child.field] = [{} if child.key == "position" else {child.key: "x"}]
    flat = Flattener(endpoint).flatten_item(item)
    rows = [flat.row, *flat.children.values()]
    for table, row in zip(endpoint.tables, rows, strict=True):
        filled = [column_name(name) for name, value in row.items() if value is not None]
        placed = ["position"] * (table.name == "course_chapter")
        assert sorted(filled) == sorted(never_null(table) + placed)
