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
from lakehouse.servers import NAMESPACE, REGION, WAREHOUSE, Store

# Where the Makefile installs a DuckDB with the extensions that `fivetran run` needs.
OVERLAY = Path(sys.prefix) / "overlay"
_LAST_LINES = 30


def debug(copy: Path) -> Path:
    """Sync into a DuckDB file; return its path."""
    _sync(copy, "debug", {})
    return copy / "files" / "warehouse.db"


def prepare_run(copy: Path, store: Store) -> None:
    """Add what `run` needs to sync into a store to a prepared connector.

    The destination's credentials are read from the environment. DuckDB looks for its extensions
    in the home directory before it downloads them.
    """
    key_id, secret = "${LAKEHOUSE_KEY_ID}", "${LAKEHOUSE_SECRET}"
    destination = {
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
    (copy / "destination.json").write_text(json.dumps(destination), encoding="utf-8")
    extensions = list(OVERLAY.glob("duckdb_extension_*/extensions/*/*.duckdb_extension"))
    if not extensions:
        raise ProgramError("DuckDB's extensions are not installed: run `make lakehouse`.")
    (platform,) = duckdb.sql("PRAGMA platform").fetchone() or ("",)
    for extension in extensions:
        folder = Path(copy.parent, "home/.duckdb/extensions", extension.parent.name, platform)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(extension, folder)


def run(copy: Path, store: Store) -> None:
    """Sync into the tables of the store's catalog."""
    keys = {"LAKEHOUSE_KEY_ID": store.key_id, "LAKEHOUSE_SECRET": store.secret}
    _sync(copy, "run", {**keys, "PYTHONPATH": str(OVERLAY)})


def _sync(copy: Path, command: str, variables: Mapping[str, str]) -> None:
    """Run one sync to its end; raise ProgramError with the end of its log."""
    status, output = fivetran.run(copy, [command], variables)
    if status:
        last = "\n".join(list(readable(output.splitlines()))[-_LAST_LINES:])
        raise ProgramError(f"fivetran {command} exited with {status}:\n{last}")
