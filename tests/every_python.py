"""Run the tests on every supported Python that is there, each in a virtual environment of its own.

A program: ``python tests/every_python.py``. Interpreters are looked for on the path and where
pyenv keeps them; a missing one is named loudly, as untested. The status is 1 if any run fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SUPPORTED = ("3.10", "3.11", "3.12", "3.13", "3.14")


def main() -> int:
    """Test on each version but the one that runs this program, which `make test` covers."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    results = {own: "tested by make test"}
    for version in SUPPORTED:
        if version != own:
            interpreter = find(version)
            results[version] = run(version, interpreter) if interpreter else "NOT HERE, UNTESTED"
    print("\n".join(f"Python {version}: {results[version]}" for version in SUPPORTED))
    return int("FAILED" in results.values())


def find(version: str) -> str | None:
    """Find an interpreter of this version that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        shutil.which(f"python{version}"),
        *map(str, pyenv.glob(f"{version}.*/bin/python")),
    ]
    for candidate in filter(None, candidates):
        answer = subprocess.run(
            [candidate, "--version"], capture_output=True, text=True, check=False
        )
        if answer.returncode == 0 and answer.stdout.startswith(f"Python {version}."):
            return candidate
    return None


def run(version: str, interpreter: str) -> str:
    """Install into ``.venv-<version>`` and run the tests there; gives the result in a word."""
    folder = PROJECT / f".venv-{version}"
    python = folder / "bin" / "python"
    requirements = PROJECT / "requirements-dev.txt"
    installed = folder / "installed"
    if not installed.exists() or installed.stat().st_mtime < requirements.stat().st_mtime:
        print(f"Installing into {folder.name} ...", flush=True)
        subprocess.run([interpreter, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
        subprocess.run([*pip, requirements], check=True)
        installed.touch()
    print(f"Testing on Python {version} ...", flush=True)
    tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    return (
        "passed" if subprocess.run(tests, cwd=PROJECT, check=False).returncode == 0 else "FAILED"
    )


if __name__ == "__main__":
    sys.exit(main())
