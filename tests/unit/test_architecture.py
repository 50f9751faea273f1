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
    "tests": {*PRODUCT, "benchmarks", "devkit", "lakehouse", "mock_api"},
}
# The modules that import what Fivetran's SDK does not document.
SDK_INTERNALS = {"devkit/sdk.py", "devkit/grpc_sync.py"}
# The third-party packages that each module imports.
THIRD_PARTY = {
    "connector.py": {"fivetran_connector_sdk"},
    "changes/snapshot.py": {"msgspec"},
    "async_client/client.py": {"aiohttp"},
    "async_client/environment.py": {"certifi"},
    "async_client/failures.py": {"aiohttp"},
    "async_client/fetch.py": {"aiohttp"},
    "async_client/response.py": {"msgspec"},
    "async_client/retry.py": {"backoff"},
}


def modules():
    """Return the syntax tree of each module of the project, by path."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for part in sorted(MAY_IMPORT)
        for path in sorted([*ROOT.glob(f"{part}.py"), *ROOT.glob(f"{part}/**/*.py")])
    }


def imported(tree):
    """Return the dotted names of the modules that a tree imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports of the project are absolute"
            names.add(node.module)
    return names


def calls(tree):
    """Return the calls in a tree as (name of the function, node)."""
    return [
        (ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)
    ]


def operations(tree):
    """Return the calls of the SDK's operations as (kind, node)."""
    return [(name[3:], node) for name, node in calls(tree) if name.startswith("op.")]


ALL_MODULES = modules()
IMPORTS = {path: imported(tree) for path, tree in ALL_MODULES.items()}
DEPLOYED = [path.as_posix() for path in package.files() if path.suffix == ".py"]
CALLS = {path: {name for name, _ in calls(ALL_MODULES[path])} for path in DEPLOYED}


def parts(modules):
    """Return the part of the project or the package that each module belongs to."""
    return {module.split(".")[0] for module in modules}


def test_only_the_product_is_deployed():
    """A deployed module belongs to a part of the product, and every such part is deployed."""
    assert {path.split("/")[0].removesuffix(".py") for path in DEPLOYED} == PRODUCT


@pytest.mark.parametrize("path", ALL_MODULES)
def test_imports_point_one_way(path):
    """A module imports from its own part and those that the table names."""
    part = path.split("/")[0].removesuffix(".py")
    assert parts(IMPORTS[path]) & MAY_IMPORT.keys() - {part} <= MAY_IMPORT[part]


def test_only_devkit_imports_the_internals_of_the_sdk():
    """All other modules use what Fivetran documents."""
    internals = ("fivetran_connector_sdk.", "fivetran_connector_sdk_")
    found = {
        path for path, names in IMPORTS.items() if any(n.startswith(internals) for n in names)
    }
    assert found == SDK_INTERNALS


@pytest.mark.parametrize("path", DEPLOYED)
def test_third_party_packages_are_imported_where_they_belong(path):
    """Only the connector imports the SDK, and only one module backoff."""
    others = parts(IMPORTS[path]) - MAY_IMPORT.keys() - sys.stdlib_module_names
    assert others == THIRD_PARTY.get(path, set())


@pytest.mark.parametrize("path", DEPLOYED)
def test_nothing_prints_exits_or_uses_another_log(path):
    """All messages use the SDK's log, and a sync fails with an exception."""
    forbidden = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "breakpoint"}
    assert not CALLS[path] & forbidden
    assert not IMPORTS[path] & {"logging", "sys", "warnings"}


@pytest.mark.parametrize("path", [p for p in DEPLOYED if p.startswith(("flatten/", "changes/"))])
def test_pure_modules_do_no_io(path):
    """Flattening and planning use no files, clock or random numbers."""
    io = {"os", "pathlib", "io", "time", "random", "asyncio", "threading"}
    assert not parts(IMPORTS[path]) & io
    assert "open" not in CALLS[path]


def test_each_operation_has_one_call_site():
    """Every kind of operation is emitted in one place, and that place is in connector.py."""
    found = sorted((kind, path) for path in DEPLOYED for kind, _ in operations(ALL_MODULES[path]))
    kinds = ("checkpoint", "delete", "truncate", "upsert", "warning")
    assert found == [(kind, "connector.py") for kind in kinds]


def test_no_operation_is_inside_a_try_with_handlers():
    """An operation that raises fails the sync even if the exception is caught."""
    for node in ast.walk(ALL_MODULES["connector.py"]):
        if isinstance(node, ast.Try) and node.handlers:
            assert operations(node) == []


def test_every_operation_has_a_comment_that_says_what_it_does():
    """The line above each call is a comment."""
    lines = (ROOT / "connector.py").read_text(encoding="utf-8").splitlines()
    for kind, node in operations(ALL_MODULES["connector.py"]):
        assert lines[node.lineno - 2].strip().startswith("# "), kind


def test_requirements_are_pinned_to_the_installed_versions():
    """Packages of Fivetran are not listed; a pyproject.toml would hide the file from Fivetran."""
    assert not (ROOT / "pyproject.toml").exists()
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = set().union(*THIRD_PARTY.values()) - {"fivetran_connector_sdk"}
    pins = sorted(f"{name}=={version(name)}" for name in names)
    assert sorted(line for line in lines if not line.startswith("#")) == pins


def test_the_configuration_file_has_placeholders_for_the_fields_of_the_form():
    """The file under version control has every key of the setup form, and placeholders only."""
    configuration = json.loads((ROOT / "configuration.json").read_text(encoding="utf-8"))
    fields = connector.configuration_form().to_response().fields
    assert list(configuration) == [field.name for field in fields]
    assert all(re.fullmatch(r"<[A-Z0-9_]+>", value) for value in configuration.values())


def test_the_coverage_of_the_product_is_gated():
    """Without a tracked `.coveragerc`, branches are not measured and there is no threshold."""
    gate = ConfigParser()
    gate.read(ROOT / ".coveragerc")
    assert gate.getboolean("run", "branch")
    assert set(gate["run"]["source"].split()) == PRODUCT
    assert gate.getint("report", "fail_under") >= 95
