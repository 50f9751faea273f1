"""Run an Iceberg REST catalog with S3 storage: SeaweedFS on loopback, with random credentials."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from lakehouse.program import LOOPBACK, SECOND_PORT, free_ports, running

WAREHOUSE = "lake"
NAMESPACE = "datacamp"
REGION = "us-east-1"  # arbitrary, but required by signatures and clients
_RESPONSE_SECONDS = 10.0
# The parts that listen on a port; each uses another for internal traffic, 10,000 above.
_PARTS = ("s3.port.iceberg", "s3.port", "master.port", "volume.port", "filer.port", "admin.port")
# No telemetry, and nothing that is not needed.
_SWITCHED_OFF = ("-master.telemetry=false", "-admin.ui=false", "-webdav=false", "-s3.port.lance=0")


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
        form = urlencode({"grant_type": "client_credentials", **keys}).encode()
        return str(_request(f"{self.catalog_url}/v1/oauth/tokens", data=form)["access_token"])

    def is_ready(self) -> bool:
        """Return whether the catalog lists namespaces, which it does once the warehouse exists."""
        try:
            bearer = {"Authorization": f"Bearer {self.token()}"}
            _request(f"{self.catalog_url}/v1/{WAREHOUSE}/namespaces", bearer)
        except (OSError, HTTPException, ValueError, KeyError):
            return False
        return True


def _request(
    url: str, headers: dict[str, str] | None = None, data: bytes | None = None
) -> dict[str, object]:
    request = Request(url, data, headers or {})  # noqa: S310 - http on loopback
    with urlopen(request, timeout=_RESPONSE_SECONDS) as response:  # noqa: S310 - the same
        body: dict[str, object] = json.load(response)
    return body


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Run a store with its data, settings and log in `folder`, which must not exist."""
    (folder / "data").mkdir(parents=True)
    ports = dict(zip(_PARTS, free_ports(len(_PARTS)), strict=True))
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
        with running(command, {}, folder / "store.log", store.is_ready):
            yield store
    finally:
        _remove_sockets(ports.values())


def _remove_sockets(ports: Iterable[int]) -> None:
    """Remove the socket files that SeaweedFS leaves behind: one, and more if it is killed."""
    for port in ports:
        for number in (port, port + SECOND_PORT):
            for left in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):  # noqa: S108 - it puts them there
                left.unlink(missing_ok=True)
