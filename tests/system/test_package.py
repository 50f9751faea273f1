"""What `dist/` and its package hold, and that a sync runs from that alone."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from devkit import fivetran, sdk
from endpoints import ENDPOINTS
from mock_api.catalog import catalog
from mock_api.serving import serving

# Not in one piece, as this file ships too.
SECRET = "token that must not ship".replace(" ", "-")
SERVER_TOKEN = "t0ken-of-the-stand-in"

# What the SDK's commands leave in a project folder, and what local runs, tools and people do;
# each with the secret inside.
LEFT_BY_THE_SDK = (
    "configuration.json",
    "destination.json",
    "options.toml",
    "files/state.json",
    "files/warehouse.db",
    "crash-reports/crash_20260101-000000.log",
    "__pycache__/connector.cpython-311.pyc",
    "async_client/__pycache__/client.cpython-311.pyc",
)
LEFTOVERS = (
    *LEFT_BY_THE_SDK,
    "state.json",
    "production.local.json",
    ".env",
    "tmp_requirements.txt",
    ".demo/connector/connector.py",
    ".venv/pyvenv.cfg",
    "environment/pyvenv.cfg",
    "environment/module.py",
    ".pytest_cache/README.md",
    ".coverage",
)


def tracked():
    """List the files under version control that are there, by their paths in the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=fivetran.PROJECT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    names = filter(None, listed.stdout.split("\0"))
    return [name for name in names if (fivetran.PROJECT / name).exists()]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Copy the tracked files of the project, and let it look lived in."""
    folder = tmp_path_factory.mktemp("packaged")
    fivetran.surround(folder)
    copy = folder / "checkout"
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(fivetran.PROJECT / name, copy / name)
    leave(copy, *LEFTOVERS)
    return copy


@pytest.fixture(scope="module")
def dist(checkout):
    """Write the `dist/` of the checkout twice, with leftovers in between; return its path."""
    for _ in range(2):
        leave(checkout / "dist", *LEFTOVERS, "earlier.py", "async_client/earlier.py")
        written = subprocess.run(
            [sys.executable, "-m", "devkit.package"],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": ""},
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
    listed = written.stdout.splitlines()
    assert sorted(listed) == sorted(f"dist/{name}" for name in contents(checkout / "dist"))
    return checkout / "dist"


@pytest.fixture(scope="module")
def package(dist):
    """Package a copy of `dist/` in which the SDK has run; return the path of the zip."""
    copy = shutil.copytree(dist, dist.parent.parent / "dist")
    leave(copy, *LEFT_BY_THE_SDK)
    return packaged(copy)


def contents(folder):
    """Return the bytes of each file in a folder, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def leave(copy, *names):
    """Leave files with the secret in a project folder."""
    for name in names:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(json.dumps({"bearer_token": SECRET}), encoding="utf-8")


def packaged(copy):
    """Run ``fivetran package``; gives the path of the zip."""
    status, output = fivetran.run(copy, ["package", "--non-interactive"])
    assert status == 0, output
    return copy / "files" / f"{copy.name}.zip"


def modules(names):
    """Return the dotted names of the modules among some paths."""
    return {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in names
        if name.endswith(".py")
    }


def test_dist_holds_tracked_files_alone(dist):
    """Each file is a tracked one, unchanged: no leftover, no configuration, nothing of before."""
    found = contents(dist)
    assert found == {
        name: (fivetran.PROJECT / name).read_bytes() for name in tracked() if name in found
    }
    assert {name for name in found if not name.endswith(".py")} == {
        *("LICENSE", "README.md", "requirements.txt")
    }


def test_dist_and_its_requirements_agree(dist):
    """Its modules import what `requirements.txt` names and the SDK, and no more or less.

    `fivetran deploy` compares the two as well, but asks the package index about them.
    """
    trees = [ast.parse(path.read_bytes()) for path in dist.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    ours = {name.split(".")[0] for name in modules(contents(dist))}
    others = {name.split(".")[0] for name in names} - ours - sys.stdlib_module_names
    pins = (dist / "requirements.txt").read_text(encoding="utf-8").split()
    assert others == {pin.split("==")[0] for pin in pins} | {"fivetran_connector_sdk"}


def test_the_package_is_dist_and_the_setup_form(dist, package):
    """A configuration in it and what `fivetran debug dist` leaves there are not packaged."""
    with ZipFile(package) as archive:
        assert archive.testzip() is None
        shipped = {name: archive.read(name) for name in archive.namelist()}
    form = shipped.pop("configuration_form.pb")
    assert b"skip_endpoints" in form
    assert shipped == contents(dist)


def test_nothing_that_local_runs_leave_in_the_checkout_is_packaged_with_it(checkout, dist):
    """Deployed itself, the checkout ships neither token, state, warehouse, caches nor `dist/`.

    A second configuration ships with its token, unless it is called `*.local.json`.
    """
    leave(checkout, "production.json")
    with ZipFile(packaged(checkout)) as archive:
        names = archive.namelist()
        assert "tests/system/test_package.py" in names
        assert not [name for name in names if name in LEFTOVERS or name.startswith("dist/")]
        leaked = [name for name in names if SECRET.encode() in archive.read(name)]
    assert leaked == ["production.json"]


@pytest.fixture
def fresh_scripts(tmp_path):
    """Make a virtual environment with `requirements.txt` and the SDK; gives its folder of scripts.

    It takes seconds from pip's cache and needs the package index, as the project's own did.
    """
    environment = tmp_path / "environment"
    context = venv.EnvBuilder(with_pip=False).ensure_directories(environment)
    venv.EnvBuilder(with_pip=False).create(environment)
    installed = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", context.env_exe, "install"),
            *("--quiet", "--no-compile", "--disable-pip-version-check"),
            *("--requirement", fivetran.PROJECT / "requirements.txt"),
            f"fivetran-connector-sdk=={version('fivetran-connector-sdk')}",
        ],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
    )
    assert installed.returncode == 0, installed.stdout
    return Path(context.bin_path)


def test_the_package_syncs_in_an_environment_of_its_own(package, fresh_scripts, tmp_path):
    """Unpacked elsewhere, with just its requirements and the SDK, it fills all ten tables.

    The sync imports every module of the package.
    """
    fivetran.surround(tmp_path)
    unpacked = tmp_path / "unpacked"
    with ZipFile(package) as archive:
        archive.extractall(unpacked)
    items = catalog(scale=0.05)
    with serving(items, token=SERVER_TOKEN) as server:
        configuration = {"bearer_token": SERVER_TOKEN, "base_url": server.base_url}
        (unpacked / "configuration.json").write_text(json.dumps(configuration), encoding="utf-8")
        variables = {"PYTHONPATH": "", "PYTHONPROFILEIMPORTTIME": "1"}
        status, output = fivetran.run(unpacked, ["debug"], variables, scripts=fresh_scripts)
    assert (status, "SYNC SUCCEEDED" in output) == (0, True), output
    counts = sdk.counts(unpacked)
    assert {e.table.name: counts[e.table.name] for e in ENDPOINTS} == {
        e.table.name: len(items[e.name]) for e in ENDPOINTS
    }
    assert len(counts) == 10
    assert min(counts.values()) > 0
    imported = set(re.findall(r"^import time: .* \| +([\w.]+)$", output, re.MULTILINE))
    assert modules(contents(unpacked)) - imported <= {"connector"}  # which the SDK loads by path
    assert {Path(origin).is_relative_to(tmp_path) for origin in _origins(fresh_scripts)} == {True}


def _origins(scripts):
    """List the files from which this environment imports the connector's libraries."""
    modules = "aiohttp, backoff, certifi, msgspec, fivetran_connector_sdk"
    listed = subprocess.run(
        [
            scripts / ("python.exe" if os.name == "nt" else "python"),
            "-c",
            f"import {modules}; print(*(module.__file__ for module in ({modules})), sep='\\n')",
        ],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": ""},
    )
    return listed.stdout.splitlines()
