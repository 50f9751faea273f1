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


# What the project was asked to be made of: distributions with their modules, files and folders.
GIVEN = {
    "aiohttp": "aiohttp",
    "aioresponses": "aioresponses",
    "backoff": "backoff",
    "fivetran-connector-sdk": "fivetran_connector_sdk",
    "pytest": "pytest",
    "pytest-asyncio": "pytest_asyncio",
}
TOP_LEVEL = [
    *("connector.py", "configuration.json", "requirements.txt", "README.md"),
    *("async_client", "flatten", "tests"),
]


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
    """Return the names of the functions that a tree calls, in order."""
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def operations(tree):
    """Return the calls of the SDK's operations."""
    return [name for name in calls(tree) if name.startswith("op.")]


def parts(modules):
    """Return the part of the project or the package that each module belongs to."""
    return {module.split(".")[0] for module in modules}


MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for part in MAY_IMPORT
    for path in (*ROOT.glob(f"{part}.py"), *ROOT.glob(f"{part}/**/*.py"))
}
IMPORTS = {path: imported(tree) for path, tree in MODULES.items()}
DEPLOYED = [path.as_posix() for path in package.files() if path.suffix == ".py"]


def pins(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if not line.startswith("#")}


def test_only_the_product_is_deployed():
    assert {path.split("/")[0].removesuffix(".py") for path in DEPLOYED} == PRODUCT


@pytest.mark.parametrize("path", MODULES)
def test_imports_point_one_way(path):
    part = path.split("/")[0].removesuffix(".py")
    assert parts(IMPORTS[path]) & MAY_IMPORT.keys() - {part} <= MAY_IMPORT[part]


def test_only_devkit_imports_the_internals_of_the_sdk():
    internals = ("fivetran_connector_sdk.", "fivetran_connector_sdk_")
    found = {path for path in IMPORTS if any(n.startswith(internals) for n in IMPORTS[path])}
    assert found == SDK_INTERNALS


@pytest.mark.parametrize("path", DEPLOYED)
def test_third_party_packages_are_imported_where_they_belong(path):
    others = parts(IMPORTS[path]) - MAY_IMPORT.keys() - sys.stdlib_module_names
    assert others == THIRD_PARTY.get(path, set())


@pytest.mark.parametrize("path", DEPLOYED)
def test_nothing_prints_exits_or_uses_another_log(path):
    forbidden = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "breakpoint"}
    assert not set(calls(MODULES[path])) & forbidden
    assert not IMPORTS[path] & {"logging", "sys", "warnings"}


@pytest.mark.parametrize("path", [p for p in DEPLOYED if p.startswith(("flatten/", "changes/"))])
def test_flattening_and_planning_use_no_files_clock_or_random_numbers(path):
    io = {"os", "pathlib", "io", "time", "random", "asyncio", "threading"}
    assert not parts(IMPORTS[path]) & io
    assert "open" not in calls(MODULES[path])


def test_each_operation_has_one_call_site():
    found = sorted((name, path) for path in DEPLOYED for name in operations(MODULES[path]))
    kinds = ("checkpoint", "delete", "truncate", "upsert", "warning")
    assert found == [(f"op.{kind}", "connector.py") for kind in kinds]


def test_no_operation_is_inside_a_try_with_handlers():
    """An operation that raises fails the sync even if the exception is caught."""
    for node in ast.walk(MODULES["connector.py"]):
        if isinstance(node, ast.Try) and node.handlers:
            assert operations(node) == []


def test_requirements_are_pinned_to_the_installed_versions():
    """Packages of Fivetran are not listed; a pyproject.toml would hide the file from Fivetran."""
    assert not (ROOT / "pyproject.toml").exists()
    names = set().union(*THIRD_PARTY.values()) - {"fivetran_connector_sdk"}
    assert pins("requirements.txt") == {f"{name}=={version(name)}" for name in names}


def test_what_was_given_is_there_pinned_and_imported():
    assert [name for name in TOP_LEVEL if not (ROOT / name).exists()] == []
    pinned = pins("requirements.txt") | pins("requirements-dev.txt")
    assert GIVEN.keys() <= {pin.split("==")[0] for pin in pinned}
    assert set(GIVEN.values()) <= parts(set().union(*IMPORTS.values()))


def test_the_configuration_file_has_placeholders_for_the_fields_of_the_form():
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
