"""The parts that the project is made of: its packages and its top level."""

from __future__ import annotations

import ast
import re

import pytest

from devkit.package import PROJECT

IMPORT_NAMES = {
    "aiohttp": "aiohttp",
    "aioresponses": "aioresponses",
    "backoff": "backoff",
    "fivetran-connector-sdk": "fivetran_connector_sdk",
    "pytest": "pytest",
    "pytest-asyncio": "pytest_asyncio",
}
TOP_LEVEL = ["connector.py", "configuration.json", "requirements.txt", "README.md"]
TOP_LEVEL_FOLDERS = ["async_client", "flatten", "tests"]


@pytest.mark.parametrize("package", IMPORT_NAMES)
def test_a_given_package_is_required_in_a_pinned_version(package):
    lines = [
        line
        for name in ("requirements.txt", "requirements-dev.txt")
        for line in (PROJECT / name).read_text(encoding="utf-8").splitlines()
    ]
    assert [line for line in lines if re.fullmatch(rf"{package}==[\d.]+", line)] != []


@pytest.mark.parametrize("package", IMPORT_NAMES)
def test_a_given_package_is_imported_by_the_product_or_the_tests(package):
    folders = ("async_client", "changes", "flatten", "tests")
    paths = [
        *PROJECT.glob("*.py"),
        *(p for name in folders for p in PROJECT.glob(f"{name}/**/*.py")),
    ]
    imported = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    assert IMPORT_NAMES[package] in imported


def test_the_top_level_has_the_given_names():
    assert [name for name in TOP_LEVEL if not (PROJECT / name).is_file()] == []
    assert [name for name in TOP_LEVEL_FOLDERS if not (PROJECT / name).is_dir()] == []
