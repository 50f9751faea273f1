"""The modules of the project: what they import, what they may do, and what is deployed."""

from __future__ import annotations

import ast
import json
import re
import sys
from configparser import ConfigParser
from importlib.metadata import version
from pathlib import Path

import pytest

import connector
from devkit import package

ROOT = Path(connector.__file__).parent
PRODUCT = {"connector", "report", "endpoints", "async_client", "changes", "flatten"}
# The other parts that each part imports.
MAY_IMPORT = {
    "connector": {"report", "async_client", "changes", "endpoints", "flatten"},
    "report": {"async_client", "changes", "endpoints"},
    "changes": {"endpoints", "flatten"},
    "async_client": {"endpoints"},
    "endpoints": set(),
    "flatten": {"endpoints"},
    "mock_api": {"endpoints"},
    "devkit": {*PRODUCT, "mock_api"},
    "lakehouse": {"devkit", "mock_api"},
    "benchmarks": {*PRODUCT, "devkit", "mock_api"},
    "tests": {*PRODUCT, "benchmarks", "devkit", "mock_api"},
}
# The modules that import the SDK's internals, on behalf of all others.
DOORS_TO_THE_SDK = {"devkit/sdk.py", "devkit/grpc_sync.py"}
# The third-party packages that each module imports.
THIRD_PARTY = {
    "connector.py": {"fivetran_connector_sdk"},
    "changes/snapshot.py": {"msgspec"},
    "async_client/client.py": {"aiohttp"},
    "async_client/environment.py": {"certifi"},
    "async_client/failures.py": {"aiohttp"},
    "async_client/items.py": {"msgspec"},
    "async_client/response.py": {"msgspec"},
    "async_client/retry.py": {"backoff"},
}
KINDS = ("upsert", "delete", "truncate", "checkpoint", "warning")


def modules():
    """Return the syntax tree of each module of the project, by path."""
    paths = [
        path
        for part in sorted({name.split(".")[0] for name in MAY_IMPORT})
        for path in sorted([*ROOT.glob(f"{part}.py"), *ROOT.glob(f"{part}/**/*.py")])
    ]
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


ALL_MODULES = modules()
DEPLOYED = [path.as_posix() for path in package.files() if path.suffix == ".py"]
MODULES = {path: ALL_MODULES[path] for path in DEPLOYED}


def imported(tree):
    """Return the dotted names of the modules that a tree imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import of ours is absolute"
            yield node.module


def part_of(module):
    """Return the part of the project that a dotted name belongs to, or None."""
    top = module.split(".")[0]
    return top if top in MAY_IMPORT else None


def dotted(path):
    """Return the dotted name of a module."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def calls(tree):
    """Return the calls in a tree as (name of the function, node)."""
    return [
        (ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)
    ]


def test_only_the_product_is_deployed():
    """A deployed module belongs to a part of the product, and every such part is deployed."""
    assert {path.split("/")[0].removesuffix(".py") for path in DEPLOYED} == PRODUCT


@pytest.mark.parametrize("path", ALL_MODULES)
def test_imports_point_one_way(path):
    """A module imports its own part and the parts in the table; the product imports no tools."""
    part = part_of(dotted(path))
    parts = {part_of(module) for module in imported(ALL_MODULES[path])} - {None, part}
    assert parts <= MAY_IMPORT[part]


def test_the_internals_of_the_sdk_have_one_door():
    """Only `devkit` imports undocumented modules of Fivetran's SDK."""
    internals = ("fivetran_connector_sdk.", "fivetran_connector_sdk_")
    found = {
        path
        for path, tree in ALL_MODULES.items()
        if any(module.startswith(internals) for module in imported(tree))
    }
    assert found == DOORS_TO_THE_SDK


@pytest.mark.parametrize("path", MODULES)
def test_third_parties_are_read_where_they_belong(path):
    """Only the connector imports the SDK, and only one module each aiohttp and backoff."""
    ours = {module for module in imported(MODULES[path]) if part_of(module)}
    others = {module.split(".")[0] for module in set(imported(MODULES[path])) - ours}
    assert others - sys.stdlib_module_names == THIRD_PARTY.get(path, set())


@pytest.mark.parametrize("path", MODULES)
def test_nothing_prints_logs_by_itself_or_exits(path):
    """All messages use the SDK's log, and a sync fails with an exception."""
    called = {name for name, _ in calls(MODULES[path])}
    assert called.isdisjoint(
        {"print", "input", "exit", "quit", "sys.exit", "os._exit", "breakpoint"}
    )
    assert set(imported(MODULES[path])).isdisjoint({"logging", "sys", "warnings"})


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.split("/")[0] in ("flatten", "changes")]
)
def test_pure_modules_do_no_io(path):
    """Flattening and planning use no files, clock or random numbers."""
    reads = {module.split(".")[0] for module in imported(MODULES[path])}
    assert reads.isdisjoint({"os", "pathlib", "io", "time", "random", "asyncio", "threading"})
    assert "open" not in {name for name, _ in calls(MODULES[path])}


def operations(tree):
    """Return the calls of the SDK's operations as (kind, node)."""
    return [
        (name.removeprefix("op."), node) for name, node in calls(tree) if name.startswith("op.")
    ]


def test_each_operation_has_one_call_site():
    """Every kind of operation is emitted in one place, and that place is in connector.py."""
    found = {path: sorted(kind for kind, _ in operations(tree)) for path, tree in MODULES.items()}
    assert {path: kinds for path, kinds in found.items() if kinds} == {
        "connector.py": sorted(KINDS)
    }


def test_no_operation_stands_in_a_try_that_catches():
    """An operation that raises fails the sync even if the exception is caught."""
    for node in ast.walk(MODULES["connector.py"]):
        if isinstance(node, ast.Try) and node.handlers:
            assert operations(node) == []


def test_every_operation_has_a_comment_that_says_what_it_does():
    """The line above each call is a comment."""
    lines = (ROOT / "connector.py").read_text(encoding="utf-8").splitlines()
    for kind, node in operations(MODULES["connector.py"]):
        assert lines[node.lineno - 2].strip().startswith("# "), kind


def test_no_pyproject_hides_the_requirements():
    """With a pyproject.toml at the root, Fivetran would not read requirements.txt."""
    assert not (ROOT / "pyproject.toml").exists()


def test_requirements_are_pins_of_what_is_installed():
    """Each requirement is pinned to the tested version; packages of Fivetran are not listed."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert pins == {name: version(name) for name in pins}
    assert set(pins) == set().union(*THIRD_PARTY.values()) - {"fivetran_connector_sdk"}


def test_the_configuration_holds_placeholders_for_the_fields_of_the_form():
    """The file under version control has every key of the setup form, and placeholders only."""
    configuration = json.loads((ROOT / "configuration.json").read_text(encoding="utf-8"))
    fields = connector.configuration_form().to_response().fields
    assert list(configuration) == [field.name for field in fields]
    assert list(configuration) == [
        "bearer_token",
        "base_url",
        "request_timeout_seconds",
        "skip_endpoints",
    ]
    assert all(re.fullmatch(r"<[A-Z0-9_]+>", value) for value in configuration.values())


def test_the_coverage_of_the_product_is_gated():
    """Without a tracked `.coveragerc`, branches are not measured and there is no threshold."""
    gate = ConfigParser()
    gate.read(ROOT / ".coveragerc")
    assert gate.getboolean("run", "branch")
    assert set(gate["run"]["source"].split()) == PRODUCT
    assert gate.getint("report", "fail_under") >= 95
