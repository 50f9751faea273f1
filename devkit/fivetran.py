"""Run the `fivetran` command on a copy of the connector, without any host but loopback.

The SDK would ask the package index for newer releases and about the project's imports. A scratch
home and a `pipreqs` that does nothing prevent that, so that a run needs no network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devkit import package

_NEVER_CHECK_AGAIN = 4_102_444_800  # seconds since the epoch, in the year 2100
_LONGEST_RUN_SECONDS = 60.0
_SETTINGS = Path("home", ".fivetran")
_SCRIPTS = Path(sys.executable).parent


def prepare(folder: Path, configuration: Mapping[str, str]) -> Path:
    """Copy the connector into `folder` with a configuration; return the copy's path."""
    copy = folder / "connector"
    package.write(copy)
    (copy / "configuration.json").write_text(json.dumps(configuration), encoding="utf-8")
    surround(folder)
    return copy


def surround(folder: Path) -> None:
    """Put the home and the `pipreqs` into `folder` that the command uses."""
    sdk, core = folder / _SETTINGS / "connector_sdk", folder / _SETTINGS / "connector_sdk_core"
    sdk.mkdir(parents=True)
    core.mkdir()
    (sdk / "_last_version_check").write_text(str(_NEVER_CHECK_AGAIN), encoding="utf-8")
    seen = {"lastVersionCheck": _NEVER_CHECK_AGAIN, "licenseNoticeShown": True}
    (core / "_config.json").write_text(json.dumps(seen), encoding="utf-8")
    pipreqs = folder / "bin" / "pipreqs"  # finds nothing; Windows runs the real one
    pipreqs.parent.mkdir()
    pipreqs.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    pipreqs.chmod(0o755)


def set_api_url(copy: Path, url: str) -> None:
    """Send the requests of a prepared project to `url` in place of Fivetran's REST API."""
    settings = copy.parent / _SETTINGS / "connector_sdk" / "_config.json"
    settings.write_text(json.dumps({"production_base_url": url}), encoding="utf-8")


def _environment(folder: Path, scripts: Path) -> dict[str, str]:
    home = str(folder / "home")
    paths = (folder / "bin", scripts, os.environ.get("PATH", ""))
    return {
        **os.environ,
        "PATH": os.pathsep.join(map(str, paths)),
        "HOME": home,
        "USERPROFILE": home,  # the name of HOME on Windows
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
    }


def run(
    copy: Path,
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    *,
    answers: str | None = None,
    scripts: Path = _SCRIPTS,
) -> tuple[int, str]:
    """Run `fivetran` to its end, a minute at most; return its exit status and output.

    `answers` has a line for each of its questions; for the other arguments see `start`.
    """
    with start(copy, arguments, variables, asking=answers is not None, scripts=scripts) as process:
        try:
            output, _ = process.communicate(answers, timeout=_LONGEST_RUN_SECONDS)
        finally:
            process.kill()
    return process.returncode, output


def start(
    copy: Path,
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    *,
    asking: bool = False,
    scripts: Path = _SCRIPTS,
) -> subprocess.Popen[str]:
    """Start `fivetran` in a folder that `prepare` made; its output is one stream of text.

    `scripts` is the folder of the command, and `variables` are added to its environment. When
    `asking`, it reads answers from a pipe and has a session of its own, as it would otherwise ask
    the terminal for the password.
    """
    command = shutil.which("fivetran", path=str(scripts))
    if command is None:
        raise FileNotFoundError("no fivetran command: install requirements-dev.txt")
    return subprocess.Popen(
        [command, *arguments],
        cwd=copy,
        env={**_environment(copy.parent, scripts), **(variables or {})},
        stdin=subprocess.PIPE if asking else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=asking,
    )
