"""Run the `fivetran` command on a copy of the connector, with connections to loopback only.

The SDK would request newer releases and the project's imports from the package index. A temporary
home directory and a `pipreqs` that does nothing prevent that, so a run needs no network.
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
from devkit.package import PROJECT

__all__ = ["PROJECT", "environment", "prepare", "run", "set_api_url", "start", "surround"]
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
    """Create the home directory and the `pipreqs` that `environment` uses, in `folder`."""
    sdk, core = folder / _SETTINGS / "connector_sdk", folder / _SETTINGS / "connector_sdk_core"
    sdk.mkdir(parents=True)
    core.mkdir()
    (sdk / "_last_version_check").write_text(str(_NEVER_CHECK_AGAIN), encoding="utf-8")
    seen = {"lastVersionCheck": _NEVER_CHECK_AGAIN, "licenseNoticeShown": True}
    (core / "_config.json").write_text(json.dumps(seen), encoding="utf-8")
    pipreqs = folder / "bin" / "pipreqs"  # reports nothing; Windows runs the real one
    pipreqs.parent.mkdir()
    pipreqs.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    pipreqs.chmod(0o755)


def set_api_url(copy: Path, url: str) -> None:
    """Send the requests of a prepared project to `url` instead of Fivetran's REST API."""
    settings = copy.parent / _SETTINGS / "connector_sdk" / "_config.json"
    settings.write_text(json.dumps({"production_base_url": url}), encoding="utf-8")


def environment(folder: Path, scripts: Path | None = None) -> dict[str, str]:
    """Return the environment variables of a process that uses what `surround` created.

    Its commands are those of this Python's environment, or those in `scripts`.
    """
    home = str(folder / "home")
    paths = (folder / "bin", scripts or _SCRIPTS, os.environ.get("PATH", ""))
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
    scripts: Path | None = None,
) -> tuple[int, str]:
    """Run `fivetran` for a minute at most; return its exit status and output.

    `answers` has a line for each question, with a newline after the last. For the other arguments,
    see `start`.
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
    scripts: Path | None = None,
) -> subprocess.Popen[str]:
    """Start `fivetran` in a folder that `prepare` created; stdout and stderr are one text stream.

    `variables` are added to `environment`. If `asking`, the command reads replies from a pipe, in
    its own session; otherwise it would read the password from the terminal.
    """
    command = shutil.which("fivetran", path=str(scripts or _SCRIPTS))
    if command is None:
        raise FileNotFoundError("no fivetran command: install requirements-dev.txt")
    return subprocess.Popen(  # noqa: S603 - the SDK's command, with arguments from this project
        [command, *arguments],
        cwd=copy,
        env={**environment(copy.parent, scripts), **(variables or {})},
        stdin=subprocess.PIPE if asking else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=asking,
    )
