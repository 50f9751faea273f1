"""The connector twice, each in a folder and with a state of its own: debug and run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb

from devkit import fivetran
from devkit.demo import readable
from lakehouse.store import NAMESPACE, REGION, WAREHOUSE, Store

# Where the Makefile puts a DuckDB with its extensions, which `fivetran run` needs.
OVERLAY = Path(sys.prefix) / "overlay"
_LONGEST_SYNC_SECONDS = 900.0
_LAST_LINES = 30
_KEY_ID = "LAKEHOUSE_KEY_ID"
_SECRET = "LAKEHOUSE_SECRET"  # noqa: S105 - the name of a variable


class SyncError(Exception):
    """A sync failed or took too long; the text ends with the last lines of its log."""


class Debug:
    """Syncs into a DuckDB file, as ``fivetran debug`` does."""

    def __init__(self, folder: Path, configuration: Mapping[str, str]) -> None:
        self._copy = fivetran.prepare(folder, configuration)
        self.warehouse = self._copy / "files" / "warehouse.db"

    def sync(self) -> None:
        """Run one sync to its end; raises SyncError."""
        _sync(self._copy, "debug", {})


class Run:
    """Syncs into the tables of a catalog, as ``fivetran run`` does."""

    def __init__(self, folder: Path, configuration: Mapping[str, str], store: Store) -> None:
        self._copy = fivetran.prepare(folder, configuration)
        self._variables = {
            _KEY_ID: store.key_id,
            _SECRET: store.secret,
            "PYTHONPATH": str(OVERLAY),
        }
        destination = json.dumps(_destination(store), indent=2)
        (self._copy / "destination.json").write_text(destination, encoding="utf-8")
        _give_extensions(folder / "home")

    def sync(self) -> None:
        """Run one sync to its end; raises SyncError."""
        _sync(self._copy, "run", self._variables)


def _destination(store: Store) -> dict[str, str | bool]:
    """Describe the store as the SDK wants it; the keys come from the environment."""
    key_id, secret = f"${{{_KEY_ID}}}", f"${{{_SECRET}}}"
    return {
        "uri": store.catalog_url,
        "warehouse": WAREHOUSE,
        "namespace": NAMESPACE,
        "client_id": key_id,
        "client_secret": secret,
        "s3.region": REGION,
        "s3.endpoint": store.s3_url,
        "s3.force-virtual-addressing": False,
        "s3.access-key-id": key_id,
        "s3.secret-access-key": secret,
    }


def _give_extensions(home: Path) -> None:
    """Put DuckDB's extensions where it looks for them before it would download them."""
    extensions = list(OVERLAY.glob("duckdb_extension_*/extensions/*/*.duckdb_extension"))
    if not extensions:
        raise FileNotFoundError("DuckDB's extensions are not here: run `make lakehouse`.")
    (platform,) = duckdb.sql("PRAGMA platform").fetchone() or ("",)
    for extension in extensions:
        folder = home / ".duckdb" / "extensions" / extension.parent.name / platform
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(extension, folder)


def _sync(copy: Path, command: str, variables: Mapping[str, str]) -> None:
    log = copy.parent / f"{command}.log"
    with fivetran.start(copy, [command], variables) as process:
        try:
            output, _ = process.communicate(timeout=_LONGEST_SYNC_SECONDS)
        except subprocess.TimeoutExpired:
            raise SyncError(
                f"fivetran {command} took over {_LONGEST_SYNC_SECONDS:.0f} s"
            ) from None
        finally:
            process.kill()
    with log.open("a", encoding="utf-8") as file:
        file.write(output)
    if process.returncode:
        text = f"fivetran {command} ended with status {process.returncode}"
        lines = list(readable(output.splitlines()))
        raise SyncError("\n".join([f"{text}:", *lines[-_LAST_LINES:], f"The whole log: {log}"]))
