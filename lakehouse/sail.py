"""Run Sail, a distributed engine that speaks Spark's protocol, with four workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.program import LOOPBACK, accepts_connections, free_ports, running
from lakehouse.store import REGION, WAREHOUSE, Store

CATALOG = "lake"


@contextmanager
def open_sail(folder: Path, store: Store) -> Iterator[str]:
    """Run an engine that reads the store and logs to `folder`; yield its address."""
    folder.mkdir(parents=True)
    (port,) = free_ports(1)
    command = ["sail", "spark", "server", "--ip", LOOPBACK, "--port", str(port)]
    log = folder / "sail.log"
    with running(command, _variables(store), log, lambda: accepts_connections(port)):
        yield f"sc://{LOOPBACK}:{port}"


def _variables(store: Store) -> dict[str, str]:
    catalog = {
        "name": CATALOG,
        "type": "iceberg-rest",
        "uri": store.catalog_url,
        "warehouse": WAREHOUSE,
        "oauth_access_token": store.token(),
    }
    listed = ", ".join(f'{name}="{value}"' for name, value in catalog.items())
    return {
        "SAIL_MODE": "local-cluster",
        "SAIL_CATALOG__LIST": f"[{{{listed}}}]",
        "RUST_LOG": "info",
        "AWS_ACCESS_KEY_ID": store.key_id,
        "AWS_SECRET_ACCESS_KEY": store.secret,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT": store.s3_url,
        "AWS_ALLOW_HTTP": "true",
    }
