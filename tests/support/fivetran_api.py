"""Mock the endpoints of Fivetran's REST API that `fivetran deploy` calls, on loopback."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

import connector
from devkit import fivetran

API_KEY = "a2V5LW9mLXRoZS10ZXN0czpzZWNyZXQtb2YtdGhlLXRlc3Rz"


@dataclass
class FivetranApi:
    """An account with one destination, called `warehouse`, and at most one connection.

    `connection` is the connection as the API returns it; `files` has the content of the files in
    the last uploaded package, by name.
    """

    connection: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def configuration(self) -> dict[str, str]:
        """The configuration that the connector would receive."""
        secrets = self.connection["config"]["secrets_list"]
        return {secret["key"]: secret["value"] for secret in secrets}

    def respond(self, method: str, path: str, body: bytes) -> object:
        """Return the data of the response to a request."""
        if method == "GET" and path.endswith("/connection_1"):
            return self.connection
        if method == "GET":
            destination = {"id": "group_1", "name": "warehouse"}
            found = destination if path == "/v1/groups" else self.connection
            return {"items": [found] if found else []}
        if path.endswith("/packages"):
            content = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
            with ZipFile(BytesIO(content)) as archive:
                self.files = {name: archive.read(name) for name in archive.namelist()}
            return {"id": "package_1"}
        self.connection |= {**json.loads(body), "id": "connection_1"}
        result: Any = connector.connection_test(self.configuration)
        status = "FAILED" if result.failure else "PASSED"
        test = {"title": "Read every catalog", "status": status, "message": result.failure}
        return {**self.connection, "setup_tests": [test]}


@contextmanager
def fivetran_api(copy: Path) -> Iterator[FivetranApi]:
    """Run the mock, and make the `fivetran` command of a prepared project use it.

    The command runs the real pipreqs, to which every installed version is the newest on PyPI.
    """
    api = FivetranApi()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(api)) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        fivetran.set_api_url(copy, url)
        command = f'exec "{sys.executable}" -m pipreqs.pipreqs "$@" --pypi-server {url}/index/'
        pipreqs = copy.parent / "bin" / "pipreqs"
        pipreqs.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        thread = Thread(target=server.serve_forever, args=(0.01,), name="fivetran_api")
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def _handler(api: FivetranApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path
            if path.startswith("/index/"):
                name = path.split("/")[2]
                about = {"name": name, "version": metadata.version(name), "package_url": ""}
                response: dict[str, object] = {"info": about, "releases": {}}
            else:
                assert self.headers["Authorization"] == f"Basic {API_KEY}"
                response = {"data": api.respond(self.command, path, body)}
            content = json.dumps(response).encode()
            self.send_response(201 if self.command == "POST" else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _respond  # noqa: N815 (names that http.server requires)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
            """Print nothing about requests."""

    return Handler
