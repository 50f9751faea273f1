"""Run the syncs to compare, and prepare those that write into a store."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb

from devkit import fivetran
from devkit.demo import readable
from lakehouse.servers import NAMESPACE, REGION, WAREHOUSE, ProgramError, Store

# Where the Makefile installs a DuckDB with the extensions that `fivetran run` needs.
OVERLAY = Path(sys.prefix) / "overlay"
_LAST_LINES = 30


def prepare_run(copy: Path, store: Store) -> dict[str, str]:
    """Let a prepared connector sync into a store with `run`; return the variables that it needs.

    The destination's credentials are among them. DuckDB looks for its extensions in the home
    directory before it downloads them.
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
    keys = {"LAKEHOUSE_KEY_ID": store.key_id, "LAKEHOUSE_SECRET": store.secret}
    return {**keys, "PYTHONPATH": str(OVERLAY)}


def sync(copy: Path, command: str, variables: Mapping[str, str] | None = None) -> None:
    """Run `fivetran` with a command; raise ProgramError with the end of its log if it fails."""
    status, output = fivetran.run(copy, [command], variables)
    if status:
        last = "\n".join(list(readable(output.splitlines()))[-_LAST_LINES:])
        raise ProgramError(f"fivetran {command} exited with {status}:\n{last}")
