"""Write `dist/`, the folder to deploy: `python -m devkit.package`.

It uses the standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DIST = PROJECT / "dist"
# The only list of what is deployed. Of a folder, only the modules are. The `.gitignore` keeps
# Fivetran's commands from packaging a `configuration.local.json` that somebody puts into `dist/`.
SHIPPED = (
    ".gitignore",
    "connector.py",
    "endpoints.py",
    "report.py",
    "requirements.txt",
    "LICENSE",
    "async_client",
    "changes",
    "flatten",
)


def main() -> int:
    """Replace `dist/` and list its files; return the exit status."""
    for path in write(DIST):
        sys.stdout.write(f"{DIST.name}/{path.as_posix()}\n")
    return 0


def write(folder: Path) -> list[Path]:
    """Replace the content of `folder` with what production needs; return the relative paths.

    Existing files are deleted, so that no file of an earlier version is deployed.
    """
    if folder.exists():
        shutil.rmtree(folder)
    paths = list(files())
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / path, folder / path)
    return paths


def files() -> Iterator[Path]:
    """Yield the files of `SHIPPED`, relative to the project."""
    for name in SHIPPED:
        source = PROJECT / name
        found = sorted(source.rglob("*.py")) if source.is_dir() else [source]
        yield from (path.relative_to(PROJECT) for path in found)


if __name__ == "__main__":
    sys.exit(main())
