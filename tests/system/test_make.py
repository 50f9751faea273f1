"""The Makefile on machines that are set up otherwise, with a `python3` that only logs."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from devkit.package import PROJECT

# It logs two variables and its arguments, and creates of an environment what make uses.
PYTHON = """\
#!/bin/sh
echo "$PIP_USER,$PYTHONSAFEPATH $*" | cut -d ' ' -f 1-5 >> ../log
if [ "$2" = venv ]; then
    mkdir -p "$4/bin"
    cp ../bin/python3 "$4/bin/python"
fi
"""
CREATED = ["-m venv --clear .venv", "-m pip install --quiet"]


@pytest.fixture
def make(tmp_path):
    """Return a function that runs make in a folder, and returns the new lines of the log."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(PYTHON, encoding="utf-8")
    python.chmod(0o755)
    project = tmp_path / "it's a project"
    project.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copyfile(PROJECT / name, project / name)
    log = tmp_path / "log"

    def run(*arguments, folder=project, **variables):
        log.write_text("", encoding="utf-8")
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, **variables}
        subprocess.run(["make", *arguments], cwd=folder, env=environment, check=True)
        return [tuple(line.split(" ", 1)) for line in log.read_text(encoding="utf-8").splitlines()]

    run.project = project
    return run


def commands(logged):
    """Return what Python was asked to do, without checks of its version and of environments."""
    return [command for _, command in logged if not command.startswith("-c")]


def test_an_environment_is_created_once(make):
    """The second command finds it."""
    assert commands(make("install")) == CREATED
    assert commands(make("install")) == []


def test_an_environment_whose_python_is_gone_is_created_again(make):
    """After an upgrade of Python, for example."""
    make("install")
    (make.project / ".venv" / "bin" / "python").unlink()
    assert commands(make("install")) == CREATED
    assert commands(make("install")) == []


def test_an_environment_of_a_renamed_folder_is_created_again(make, tmp_path):
    """The commands in it name the Python of the earlier folder."""
    make("install")
    renamed = make.project.rename(tmp_path / "renamed")
    assert commands(make("install", folder=renamed)) == CREATED
    assert commands(make("install", folder=renamed)) == []


def test_an_empty_python_is_the_default(make):
    """On the command line and in the environment."""
    assert commands(make("package", "PYTHON=")) == ["-m devkit.package"]
    assert commands(make("package", PYTHON="")) == ["-m devkit.package"]


def test_settings_that_break_an_installation_are_not_passed_on(make):
    """`PIP_USER` forbids environments; under `PYTHONSAFEPATH` no module of the folder is found."""
    logged = make("demo", PIP_USER="1", PYTHONSAFEPATH="1")
    assert commands(logged) == [*CREATED, "-m devkit.demo"]
    # What is called before a recipe, while the Makefile is read, imports and installs nothing.
    assert {variables for variables, command in logged if "-m" in command} == {"0,"}
