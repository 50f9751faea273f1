"""What `fivetran package` makes of the project, and that a sync runs from that alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from endpoints import ENDPOINTS
from mock_api import fivetran
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests import sdk

# Not in one piece, as this file ships too.
SECRET = "token that must not ship".replace(" ", "-")
SERVER_TOKEN = "t0ken-of-the-stand-in"

# What local runs, tools and people leave in a project folder, each with the secret inside.
LEFTOVERS = (
    "configuration.json",
    "destination.json",
    "options.toml",
    "state.json",
    "production.local.json",
    ".env",
    "files/state.json",
    "files/warehouse.db",
    "crash-reports/crash_20260101-000000.log",
    "tmp_requirements.txt",
    ".demo/connector/connector.py",
    ".venv/pyvenv.cfg",
    "environment/pyvenv.cfg",
    "environment/module.py",
    "__pycache__/connector.cpython-311.pyc",
    "async_client/__pycache__/client.cpython-311.pyc",
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
def package(tmp_path_factory):
    """Package a lived-in copy of the project; gives the path of the zip."""
    copy = fivetran.prepare(tmp_path_factory.mktemp("packaged"), {})
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(fivetran.PROJECT / name, copy / name)
    leave(copy, *LEFTOVERS)
    return packaged(copy)


def leave(copy, *names):
    """Leave files with the secret in a project folder."""
    for name in names:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(json.dumps({"bearer_token": SECRET}), encoding="utf-8")


def packaged(copy):
    """Run ``fivetran package``; gives the path of the zip."""
    status, output = fivetran.run(copy, ["package", "--non-interactive"])
    assert status == 0, output
    return copy / "files" / "connector.zip"


def test_the_package_holds_the_project_and_nothing_else(package):
    """Every tracked file ships unchanged, tests included; hidden files and the configuration stay.

    The SDK adds the setup form, and keeps `.gitignore` although it is hidden.
    """
    with ZipFile(package) as archive:
        assert archive.testzip() is None
        shipped = {name: archive.read(name) for name in archive.namelist()}
    form = shipped.pop("configuration_form.pb")
    assert b"skip_endpoints" in form
    assert shipped == {
        name: (fivetran.PROJECT / name).read_bytes()
        for name in tracked()
        if name == ".gitignore" or not (name.startswith(".") or name == "configuration.json")
    }


def test_the_package_holds_all_that_the_connector_imports(package):
    """The modules that a sync needs, and what installs their libraries, are in the zip."""
    with ZipFile(package) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert set(fivetran.SHIPPED) <= tops
    assert "pyproject.toml" not in tops  # Fivetran would read it in place of requirements.txt


def test_nothing_that_local_runs_leave_behind_is_packaged(package):
    """Neither token, state, warehouse, caches nor environments ship, wherever they lie."""
    with ZipFile(package) as archive:
        assert not {name for name in archive.namelist() if name in LEFTOVERS}
        assert not [name for name in archive.namelist() if SECRET.encode() in archive.read(name)]


def test_files_of_other_names_do_ship(tmp_path):
    """A configuration called neither `configuration.json` nor `*.local.json` ships its token."""
    copy = fivetran.prepare(tmp_path, {})
    shutil.copy(fivetran.PROJECT / ".gitignore", copy)
    leave(copy, "production.json", "production.local.json")
    with ZipFile(packaged(copy)) as archive:
        assert "production.json" in archive.namelist()
        assert "production.local.json" not in archive.namelist()


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
    """Unpacked elsewhere, with just its requirements and the SDK, it fills all ten tables."""
    fivetran.surround(tmp_path)
    unpacked = tmp_path / "unpacked"
    with ZipFile(package) as archive:
        archive.extractall(unpacked)
    items = catalog(scale=0.05)
    with serving(items, token=SERVER_TOKEN) as server:
        configuration = {"bearer_token": SERVER_TOKEN, "base_url": server.base_url}
        (unpacked / "configuration.json").write_text(json.dumps(configuration), encoding="utf-8")
        status, output = fivetran.run(
            unpacked, ["debug"], {"PYTHONPATH": ""}, scripts=fresh_scripts
        )
    assert (status, "SYNC SUCCEEDED" in output) == (0, True), output
    counts = sdk.counts(unpacked)
    assert {e.table.name: counts[e.table.name] for e in ENDPOINTS} == {
        e.table.name: len(items[e.name]) for e in ENDPOINTS
    }
    assert len(counts) == 10
    assert min(counts.values()) > 0
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
