"""A mock server of Fivetran's REST API on loopback: what `fivetran deploy` requests, no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

SetupTest = Callable[[Mapping[str, str]], "str | None"]
Response = tuple[int, object]

_FIXED = {
    "connector-sdk/migration/connections": {"items": []},
    "destinations/group_1": {"id": "group_1", "hybrid_deployment_agent_id": None},
}


@dataclass
class FivetranApi:
    """An account with one destination: its connections by name, its packages by id.

    A connection holds what was last sent for it, as the API spells it, and the package that it
    runs. `calls` lists every request as (method, path). `setup_test` is run on the configuration
    of a new or changed connection and returns why it fails; `refusal`, if set, is the reason for
    which no connection can be made.
    """

    api_key: str
    setup_test: SetupTest
    destination: str = "warehouse"
    refusal: str | None = None
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    packages: dict[str, bytes] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def configuration(self, name: str) -> dict[str, str]:
        """Return the configuration of a connection as the connector would get it."""
        return _configuration(self.connections[name])

    def package_names(self, name: str) -> list[str]:
        """List the files of the package that a connection runs."""
        package = self.packages[self.connections[name]["config"]["package_id"]]
        with ZipFile(BytesIO(package)) as archive:
            assert archive.testzip() is None
            return archive.namelist()

    def respond(self, method: str, url: str, authorization: str | None, body: bytes) -> Response:
        """Return the status, and the data or the message, of the response to a request."""
        parts = urlsplit(url)
        self.calls.append((method, parts.path))
        if authorization != f"Basic {self.api_key}":
            return 401, "Invalid authorization credentials"
        path = parts.path.removeprefix("/v1/").split("/")
        if method == "GET":
            return self._get(path, parse_qs(parts.query))
        return self._change(method, path, body)

    def _get(self, path: list[str], query: dict[str, list[str]]) -> Response:
        match path:
            case ["groups"]:
                return 200, {"items": [{"id": "group_1", "name": self.destination}]}
            case ["groups", "group_1", "connectors"]:
                names = query.get("schema", list(self.connections))
                return 200, {"items": [c for n, c in self.connections.items() if n in names]}
            case ["connections" | "connectors", connection_id]:
                return 200, self._by_id(connection_id)
            case ["connector-sdk", "packages", package_id]:
                return 200, {"id": package_id, "connection_ids": []}
        return 200, _FIXED["/".join(path)]

    def _change(self, method: str, path: list[str], body: bytes) -> Response:
        match method, path:
            case "POST", ["connector-sdk", "packages"]:
                package_id = f"package_{len(self.packages) + 1}"
                self.packages[package_id] = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
                return 200, {"id": package_id}
            case "DELETE", ["connector-sdk", "packages", package_id]:
                del self.packages[package_id]
                return 200, None
            case "POST", ["connectors"] if self.refusal:
                return 400, self.refusal
            case "POST", ["connectors"]:
                connection = json.loads(body)
                connection["id"] = f"connection_{len(self.connections) + 1}"
                self.connections[connection["config"].pop("schema")] = connection
                return 201, self._tested(connection)
            case "PATCH", ["connectors", connection_id]:
                connection, sent = self._by_id(connection_id), json.loads(body)
                sent["config"].pop("schema")
                connection["config"].update(sent.pop("config"))
                connection.update(sent)
                return 200, self._tested(connection)
        raise NotImplementedError(f"{method} {path}")

    def _tested(self, connection: dict[str, Any]) -> dict[str, Any]:
        problem = self.setup_test(_configuration(connection))
        status = "FAILED" if problem else "PASSED"
        test = {"title": "Read every catalog", "status": status, "message": problem}
        return {**connection, "setup_tests": [test]}

    def _by_id(self, connection_id: str) -> dict[str, Any]:
        return next(c for c in self.connections.values() if c["id"] == connection_id)


def _configuration(connection: Mapping[str, Any]) -> dict[str, str]:
    return {secret["key"]: secret["value"] for secret in connection["config"]["secrets_list"]}


@contextmanager
def fivetran_api(api_key: str, setup_test: SetupTest) -> Iterator[FivetranApi]:
    """Run the mock server on loopback."""
    api = FivetranApi(api_key, setup_test)

    class Handler(Quiet):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, data = api.respond(
                self.command, self.path, self.headers.get("Authorization"), body
            )
            content = {"data" if status < 400 else "message": data}
            self.send(status, json.dumps({"code": str(status), **content}).encode())

    with answering(Handler) as api.url:
        yield api


class Quiet(BaseHTTPRequestHandler):
    """Handles every request with `respond` and prints nothing about it."""

    def respond(self) -> None:
        """Respond to the request, by `send`."""
        raise NotImplementedError

    def _do(self) -> None:
        self.respond()

    do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815

    def send(self, status: int, content: bytes = b"", **headers: str) -> None:
        """Send a whole response."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep requests out of the test's output."""


@contextmanager
def answering(handler: type[Quiet]) -> Iterator[str]:
    """Serve requests in threads, on a free port of the loopback interface; yield the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), name=handler.__qualname__)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
