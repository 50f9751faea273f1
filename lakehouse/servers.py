"""Run SeaweedFS, an Iceberg REST catalog with S3 storage, and Sail, a distributed engine.

They listen on loopback, and accept credentials that are random for each run.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

LOOPBACK = "127.0.0.1"
_SECOND_PORT = 10_000  # above each port, another one that its program may use
_READY_SECONDS = 180.0
_POLL_SECONDS = 0.2
_END_SECONDS = 60.0
# Both ports are below the range that systems use for outgoing connections.
_PORTS = range(12_000, 22_000)
CATALOG = WAREHOUSE = "lake"
NAMESPACE = "datacamp"
REGION = "us-east-1"  # arbitrary, but required by signatures and clients
_RESPONSE_SECONDS = 10.0
# The parts that listen on a port; each uses another for internal traffic, 10,000 above.
_PARTS = ("s3.port.iceberg", "s3.port", "master.port", "volume.port", "filer.port", "admin.port")
# No telemetry, and nothing that is not needed.
_SWITCHED_OFF = ("-master.telemetry=false", "-admin.ui=false", "-webdav=false", "-s3.port.lance=0")


class ProgramError(Exception):
    """A program is missing, failed or took too long."""


@dataclass(frozen=True)
class Store:
    """The URLs of the catalog and the storage, and the credentials that both accept."""

    catalog_url: str
    s3_url: str
    key_id: str = field(repr=False)
    secret: str = field(repr=False)

    def token(self) -> str:
        """Request a token from the catalog, for clients that cannot; it is valid for an hour."""
        keys = {"client_id": self.key_id, "client_secret": self.secret}
        form = {"grant_type": "client_credentials", **keys}
        url = f"{self.catalog_url}/v1/oauth/tokens"
        return str(requests.post(url, form, timeout=_RESPONSE_SECONDS).json()["access_token"])

    def is_ready(self) -> bool:
        """Return whether the catalog lists namespaces, which it does once the warehouse exists."""
        url = f"{self.catalog_url}/v1/{WAREHOUSE}/namespaces"
        with suppress(requests.RequestException, KeyError):
            bearer = {"Authorization": f"Bearer {self.token()}"}
            return requests.get(url, headers=bearer, timeout=_RESPONSE_SECONDS).ok
        return False


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Run a store with its data, settings and log in `folder`, which must not exist."""
    (folder / "data").mkdir(parents=True)
    ports = dict(zip(_PARTS, _free_ports(len(_PARTS)), strict=True))
    catalog_url, s3_url = (f"http://{LOOPBACK}:{ports[part]}" for part in _PARTS[:2])
    store = Store(catalog_url, s3_url, secrets.token_hex(8), secrets.token_hex(24))
    identity = {
        "name": "lakehouse",
        "credentials": [{"accessKey": store.key_id, "secretKey": store.secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    settings = folder / "s3.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    command = [
        *("weed", "mini", f"-dir={folder / 'data'}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"),
        *(f"-{part}={port}" for part, port in ports.items()),
        *(f"-s3.config={settings}", f"-tableBucket={WAREHOUSE}", *_SWITCHED_OFF),
    ]
    try:
        with _running(command, {}, folder / "store.log", store.is_ready):
            yield store
    finally:
        # SeaweedFS leaves a socket file behind, and more if it is killed.
        for number in (port + above for port in ports.values() for above in (0, _SECOND_PORT)):
            for left in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):  # noqa: S108 - its folder
                left.unlink(missing_ok=True)


@contextmanager
def open_sail(folder: Path, store: Store) -> Iterator[str]:
    """Run an engine with four workers that reads the store; log to `folder`, yield its address."""
    folder.mkdir(parents=True)
    (port,) = _free_ports(1)
    command = ["sail", "spark", "server", "--ip", LOOPBACK, "--port", str(port)]
    catalog = (
        f'{{name="{CATALOG}", type="iceberg-rest", uri="{store.catalog_url}", '
        f'warehouse="{WAREHOUSE}", oauth_access_token="{store.token()}"}}'
    )
    variables = {
        "SAIL_MODE": "local-cluster",
        "SAIL_CATALOG__LIST": f"[{catalog}]",
        "RUST_LOG": "info",
        "AWS_ACCESS_KEY_ID": store.key_id,
        "AWS_SECRET_ACCESS_KEY": store.secret,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT": store.s3_url,
        "AWS_ALLOW_HTTP": "true",
    }
    with _running(command, variables, folder / "sail.log", lambda: _accepts_connections(port)):
        yield f"sc://{LOOPBACK}:{port}"


@contextmanager
def _running(
    command: Sequence[str], variables: Mapping[str, str], log: Path, is_ready: Callable[[], bool]
) -> Iterator[None]:
    """Run a command of this Python's environment in the folder of its `log`.

    Raise ProgramError if it does not become ready. Of this process's environment it inherits PATH
    only, so that it sees no credentials or settings of the user. Ctrl-C does not reach it: it is
    terminated here, after everything that uses it.
    """
    name, *arguments = command
    program = shutil.which(name, path=str(Path(sys.executable).parent))
    if program is None:
        raise ProgramError(f"The {name} command is not installed: run `make lakehouse`.")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, *arguments],
            cwd=log.parent,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(log.parent), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + _READY_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > end:
                raise ProgramError(f"{name} did not start; see {log}")
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    """Return free ports of the loopback interface; the port 10,000 above each is free, too."""
    free = (
        port
        for port in random.sample(_PORTS, len(_PORTS))
        if not any(map(_accepts_connections, (port, port + _SECOND_PORT)))
    )
    return list(itertools.islice(free, count))


def _accepts_connections(port: int) -> bool:
    """Return whether a program listens on a port of the loopback interface."""
    with suppress(OSError):
        socket.create_connection((LOOPBACK, port), timeout=1).close()
        return True
    return False
