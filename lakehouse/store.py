"""An Iceberg REST catalog with its S3 storage: one SeaweedFS on loopback, with random keys."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from lakehouse.program import LOOPBACK, SECOND_PORT, free_ports, running

WAREHOUSE = "lake"
NAMESPACE = "datacamp"
REGION = "us-east-1"  # any, but signatures and clients need one
_RESPONSE_SECONDS = 10.0
# The parts that listen on a port. Each has a second one for internal traffic, 10,000 above.
_PARTS = ("s3.port.iceberg", "s3.port", "master.port", "volume.port", "filer.port", "admin.port")


@dataclass(frozen=True)
class Store:
    """The addresses of the catalog and the storage, and the keys that both accept."""

    catalog_port: int
    s3_port: int
    key_id: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def catalog_url(self) -> str:
        """The address of the Iceberg REST catalog."""
        return f"http://{LOOPBACK}:{self.catalog_port}"

    @property
    def s3_url(self) -> str:
        """The address of the storage."""
        return f"http://{LOOPBACK}:{self.s3_port}"

    def token(self) -> str:
        """Sign in to the catalog, for clients that cannot; the token lasts an hour."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.key_id,
            "client_secret": self.secret,
        }
        return str(
            self._request("/v1/oauth/tokens", data=urlencode(form).encode())["access_token"]
        )

    def is_ready(self) -> bool:
        """Return whether the catalog lists namespaces, which it does once the warehouse exists."""
        try:
            bearer = {"Authorization": f"Bearer {self.token()}"}
            self._request(f"/v1/{WAREHOUSE}/namespaces", bearer)
        except (OSError, HTTPException, ValueError, KeyError):
            return False
        return True

    def _request(
        self, path: str, headers: dict[str, str] | None = None, data: bytes | None = None
    ) -> dict[str, object]:
        request = Request(self.catalog_url + path, data, headers or {})  # noqa: S310 - http
        with urlopen(request, timeout=_RESPONSE_SECONDS) as response:  # noqa: S310 - http
            body: dict[str, object] = json.load(response)
        return body


@contextmanager
def open_store(folder: Path) -> Iterator[Store]:
    """Run a store that keeps its data, settings and log in `folder`, which must not exist."""
    (folder / "data").mkdir(parents=True)
    ports = dict(zip(_PARTS, free_ports(len(_PARTS)), strict=True))
    store = Store(
        ports["s3.port.iceberg"], ports["s3.port"], secrets.token_hex(8), secrets.token_hex(24)
    )
    settings = folder / "s3.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps(_identities(store)), encoding="utf-8")
    command = _command(folder / "data", settings, ports)
    try:
        with running(command, {}, folder / "store.log", store.is_ready):
            yield store
    finally:
        _remove_sockets(ports.values())


def _identities(store: Store) -> dict[str, object]:
    return {
        "identities": [
            {
                "name": "lakehouse",
                "credentials": [{"accessKey": store.key_id, "secretKey": store.secret}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
        ]
    }


def _command(data: Path, settings: Path, ports: Mapping[str, int]) -> list[str]:
    return [
        "weed",
        "mini",
        f"-dir={data}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        *(f"-{part}={port}" for part, port in ports.items()),
        f"-s3.config={settings}",
        f"-tableBucket={WAREHOUSE}",
        # No telemetry, and nothing that is not needed.
        "-master.telemetry=false",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.lance=0",
    ]


def _remove_sockets(ports: Iterable[int]) -> None:
    """Remove the socket files that SeaweedFS leaves behind: one, and more if it is killed."""
    for port in ports:
        for number in (port, port + SECOND_PORT):
            for left in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):  # noqa: S108 - it puts them there
                left.unlink(missing_ok=True)
