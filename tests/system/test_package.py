"""The content of `dist/` and of its package, and a sync in a fresh environment from that alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from importlib.metadata import version
from zipfile import ZipFile

import pytest

from devkit import fivetran, sdk
from devkit.package import PROJECT
from mock_api.catalog import catalog
from mock_api.serving import serving

SECRET = b"token-that-must-not-ship"
# What the SDK's commands and other tools leave in a project folder.
LEFTOVERS = [
    *("configuration.json", "configuration.local.json", "files/state.json", "files/warehouse.db"),
    *("options.toml", ".env"),
    *("crash-reports/crash_20260101-000000.log", "__pycache__/connector.cpython-311.pyc"),
]


def run(arguments, folder):
    """Run a command that must succeed in a folder; return its output."""
    environment = {**os.environ, "PYTHONPATH": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.check_output(arguments, cwd=folder, env=environment, encoding="utf-8")


def tracked():
    """Return the content of each file under version control that exists, by its path."""
    names = run(["git", "ls-files", "-z"], PROJECT).rstrip("\0").split("\0")
    paths = {name: PROJECT / name for name in names}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def contents(folder):
    """Return the content of each file in a folder, by its path in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def write(folder, files):
    """Write the content of each file of a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def packaged(project):
    """Run `fivetran package`; return the content of each file in the zip, by its name."""
    status, output = fivetran.run(project, ["package", "--non-interactive"])
    assert status == 0, output
    with ZipFile(project / "files" / f"{project.name}.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """Return a `dist/` that was written twice, in a copy of the tracked files with leftovers."""
    folder = tmp_path_factory.mktemp("packaged")
    fivetran.surround(folder)
    copy = folder / "checkout"
    write(copy, tracked() | dict.fromkeys(LEFTOVERS, SECRET))
    for _ in range(2):
        write(copy / "dist", dict.fromkeys([*LEFTOVERS, "async_client/earlier.py"], SECRET))
        run([sys.executable, "-m", "devkit.package"], copy)
    return copy / "dist"


@pytest.fixture(scope="module")
def package(dist):
    """Return the content of the package of a `dist/` in which the SDK has run."""
    used = shutil.copytree(dist, dist.parent.with_name("used"))
    write(used, dict.fromkeys(LEFTOVERS, SECRET))
    return packaged(used)


def test_dist_holds_modules_and_three_other_tracked_files(dist):
    """Each file is an unchanged tracked one; neither leftovers nor earlier files remain."""
    found = contents(dist)
    assert found.items() <= tracked().items()
    others = {name for name in found if not name.endswith(".py")}
    assert others == {".gitignore", "LICENSE", "requirements.txt"}


def test_the_package_is_dist_and_the_setup_form(dist, package):
    """Configurations in `dist/` and what `fivetran debug dist` leaves there are not packaged."""
    form = package["configuration_form.pb"]
    assert b"skip_endpoints" in form
    assert package == {**contents(dist), "configuration_form.pb": form}


def test_a_package_of_the_checkout_has_no_token(dist):
    """Only in a second configuration a token is packaged, unless it is called `*.local.json`."""
    write(dist.parent, dict.fromkeys(("production.json", "production.local.json"), SECRET))
    leaked = [name for name, content in packaged(dist.parent).items() if content == SECRET]
    assert leaked == ["production.json"]


def test_the_package_syncs_in_an_environment_of_its_own(package, tmp_path):
    """Unpacked elsewhere, with its requirements and the SDK only, it fills all ten tables.

    Installing them takes seconds from pip's cache, and needs the package index.
    """
    scripts, unpacked = tmp_path / "environment" / "bin", tmp_path / "unpacked"
    venv.EnvBuilder(with_pip=False).create(scripts.parent)
    pip = [sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--no-compile"]
    the_sdk = f"fivetran-connector-sdk=={version('fivetran-connector-sdk')}"
    run([*pip, "--requirement", "requirements.txt", the_sdk], PROJECT)
    fivetran.surround(tmp_path)
    with serving(catalog(scale=0.05)) as server:
        configuration = {"bearer_token": server.token, "base_url": server.base_url}
        write(unpacked, package | {"configuration.json": json.dumps(configuration).encode()})
        isolated = {"PYTHONPATH": ""}
        status, output = fivetran.run(unpacked, ["debug"], isolated, scripts=scripts)
    assert (status, "SYNC SUCCEEDED" in output) == (0, True), output
    assert [count > 0 for count in sdk.counts(unpacked).values()] == [True] * 10
