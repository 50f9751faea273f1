"""What the tests of both environments use: dbt, and a project that installs the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent


def run_dbt(folder, *arguments, target, variables=(), environment=()):
    """Run dbt in a project's folder; return its exit status and output."""
    options = ("--target", target, "--vars", json.dumps(dict(variables)), "--no-use-colors")
    finished = subprocess.run(
        [Path(sys.executable).with_name("dbt"), *arguments, *options],
        cwd=folder,
        env={
            **os.environ,
            "DO_NOT_TRACK": "1",
            "DBT_TARGET_PATH": f"target/{target}",
            "DATACAMP_PACKAGE": str(PACKAGE),
            **dict(environment),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stdout + finished.stderr


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Return the folder of a project in which `dbt deps` has installed the package."""
    folder = tmp_path_factory.mktemp("analytics") / "project"
    shutil.copytree(PACKAGE / "integration_tests" / "installed", folder)
    status, output = run_dbt(folder, "deps", target="duckdb")
    assert status == 0, output
    return folder
