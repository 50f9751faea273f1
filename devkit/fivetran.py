"""The real ``fivetran`` command on a copy of the connector, in need of nothing but loopback.

The SDK would ask the package index for newer releases and about the project's imports; a scratch
home and a ``pipreqs`` that does nothing keep it from that, so that a run works without a network.
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

__all__ = ["PROJECT", "prepare", "run", "start", "surround"]
_NEVER_CHECK_AGAIN = 4_102_444_800  # seconds since the epoch, in the year 2100
_LONGEST_RUN_SECONDS = 60.0


def prepare(folder: Path, configuration: Mapping[str, str]) -> Path:
    """Copy the connector into ``folder`` with a configuration; gives the copy's path."""
    copy = folder / "connector"
    package.write(copy)
    (copy / "configuration.json").write_text(json.dumps(configuration), encoding="utf-8")
    surround(folder)
    return copy


def surround(folder: Path) -> None:
    """Put the home and the pipreqs into ``folder`` that `start` uses for a project in it."""
    _scratch_home(folder / "home")
    _idle_pipreqs(folder / "bin")


def run(
    copy: Path,
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    *,
    answers: str | None = None,
    scripts: Path | None = None,
) -> tuple[int, str]:
    """Run ``fivetran`` to its end, a minute at most; gives its exit status and output.

    See `start`; ``answers`` holds a line for each of its questions, the last one ended too.
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
    """Start ``fivetran`` in a folder that `prepare` made; its output comes as one stream of text.

    It is the command of this Python's environment or the one in ``scripts``. When ``asking``, it
    takes its answers from a pipe, and in a session of its own, or it would ask the terminal for
    the password.
    """
    scripts = scripts or Path(sys.executable).parent
    command = shutil.which("fivetran", path=str(scripts))
    if command is None:
        raise FileNotFoundError(f"no fivetran command in {scripts}: install requirements-dev.txt")
    return subprocess.Popen(  # noqa: S603 - the SDK's command, with arguments from this project
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


def _environment(folder: Path, scripts: Path) -> dict[str, str]:
    home = str(folder / "home")
    path = os.pathsep.join((str(folder / "bin"), str(scripts), os.environ.get("PATH", "")))
    return {
        **os.environ,
        "PATH": path,
        "HOME": home,
        "USERPROFILE": home,  # what HOME is called on Windows
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
    }


def _scratch_home(home: Path) -> None:
    """Make a home in which the SDK has just looked for newer releases."""
    sdk = home / ".fivetran" / "connector_sdk"
    core = home / ".fivetran" / "connector_sdk_core"
    sdk.mkdir(parents=True)
    core.mkdir()
    (sdk / "_last_version_check").write_text(str(_NEVER_CHECK_AGAIN), encoding="utf-8")
    seen = {"lastVersionCheck": _NEVER_CHECK_AGAIN, "licenseNoticeShown": True}
    (core / "_config.json").write_text(json.dumps(seen), encoding="utf-8")


def _idle_pipreqs(folder: Path) -> None:
    """Put a pipreqs first on the path that finds nothing; Windows runs the real one."""
    folder.mkdir()
    script = folder / "pipreqs"
    script.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    script.chmod(0o755)
