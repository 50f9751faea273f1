"""Run the syncs to compare: `fivetran debug` and `fivetran run`, each with its own state."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb

from devkit import fivetran
from devkit.demo import readable
from lakehouse.program import ProgramError
from lakehouse.store import NAMESPACE, REGION, WAREHOUSE, Store

# Where the Makefile installs a DuckDB with the extensions that `fivetran run` needs.
OVERLAY = Path(sys.prefix) / "overlay"
_LONGEST_SYNC_SECONDS = 900.0
_LAST_LINES = 30
_KEY_ID = "LAKEHOUSE_KEY_ID"
_SECRET = "LAKEHOUSE_SECRET"  # noqa: S105 - the name of a variable


def debug(copy: Path) -> Path:
    """Sync into a DuckDB file; return its path."""
    _sync(copy, "debug", {})
    return copy / "files" / "warehouse.db"


def prepare_run(copy: Path, store: Store) -> None:
    """Add what `run` needs to sync into a store to a prepared connector."""
    destination = json.dumps(_destination(store), indent=2)
    (copy / "destination.json").write_text(destination, encoding="utf-8")
    _add_extensions(copy.parent / "home")


def run(copy: Path, store: Store) -> None:
    """Sync into the tables of the store's catalog."""
    keys = {_KEY_ID: store.key_id, _SECRET: store.secret}
    _sync(copy, "run", {**keys, "PYTHONPATH": str(OVERLAY)})


def _destination(store: Store) -> dict[str, str | bool]:
    """Return the store's `destination.json`; the credentials are read from the environment."""
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


def _add_extensions(home: Path) -> None:
    """Copy DuckDB's extensions to where DuckDB looks before it downloads them."""
    extensions = list(OVERLAY.glob("duckdb_extension_*/extensions/*/*.duckdb_extension"))
    if not extensions:
        raise ProgramError("DuckDB's extensions are not here: run `make lakehouse`.")
    (platform,) = duckdb.sql("PRAGMA platform").fetchone() or ("",)
    for extension in extensions:
        folder = home / ".duckdb" / "extensions" / extension.parent.name / platform
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(extension, folder)


def _sync(copy: Path, command: str, variables: Mapping[str, str]) -> None:
    """Run one sync to its end; raise ProgramError with the end of its log."""
    with fivetran.start(copy, [command], variables) as process:
        try:
            output, _ = process.communicate(timeout=_LONGEST_SYNC_SECONDS)
        finally:
            process.kill()
    if process.returncode:
        last = "\n".join(list(readable(output.splitlines()))[-_LAST_LINES:])
        raise ProgramError(f"fivetran {command} ended with {process.returncode}:\n{last}")
