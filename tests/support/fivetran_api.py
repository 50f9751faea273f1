"""A stand-in for Fivetran's REST API on loopback: what `fivetran deploy` asks of it, no more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

SetupTest = Callable[[Mapping[str, str]], "str | None"]


@dataclass
class FivetranApi:
    """An account with one destination: its connections by name, its packages by id.

    A connection holds what it was last told, as the API spells it, and the package that it runs.
    `calls` lists every request as (method, path). `setup_test` is run on the configuration of a
    new or changed connection and gives why it fails; `refusal`, if set, is why none can be made.
    """

    api_key: str
    setup_test: SetupTest
    destination: str = "warehouse"
    refusal: str | None = None
    connections: dict[str, dict] = field(default_factory=dict)
    packages: dict[str, bytes] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def configuration(self, name: str) -> dict[str, str]:
        """Give the secrets of a connection as the connector would see them."""
        secrets = self.connections[name]["config"]["secrets_list"]
        return {secret["key"]: secret["value"] for secret in secrets}

    def package_names(self, name: str) -> list[str]:
        """List the files of the package that a connection runs."""
        package = self.packages[self.connections[name]["config"]["package_id"]]
        with ZipFile(BytesIO(package)) as archive:
            assert archive.testzip() is None
            return archive.namelist()

    def answer(self, method: str, path: str, query: dict, body: bytes) -> tuple[int, object]:
        """Give the status and the data of the answer to a request with a valid key."""
        for route, respond in _ROUTES.items():
            match = re.fullmatch(route, f"{method} {path}")
            if match:
                return respond(self, query, body, *match.groups())
        return 404, f"no such endpoint: {method} {path}"

    def _found(self, query, body, *_):
        names = query.get("schema", self.connections)
        return 200, {"items": [self.connections[n] for n in names if n in self.connections]}

    def _destinations(self, query, body):
        return 200, {"items": [{"id": "group_1", "name": self.destination}]}

    def _nothing_listed(self, query, body):
        return 200, {"items": []}

    def _destination(self, query, body):
        return 200, {"id": "group_1", "hybrid_deployment_agent_id": None}

    def _connection(self, query, body, connection_id):
        return 200, self._by_id(connection_id)

    def _package(self, query, body, package_id):
        return 200, {"id": package_id, "connection_ids": []}

    def _uploaded(self, query, body):
        package_id = f"package_{len(self.packages) + 1}"
        self.packages[package_id] = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
        return 200, {"id": package_id}

    def _deleted(self, query, body, package_id):
        del self.packages[package_id]
        return 200, None

    def _created(self, query, body):
        if self.refusal:
            return 400, self.refusal
        told = json.loads(body)
        name = told["config"].pop("schema")
        told["id"] = f"connection_{len(self.connections) + 1}"
        self.connections[name] = told
        return 201, self._tested(told)

    def _changed(self, query, body, connection_id):
        connection = self._by_id(connection_id)
        told = json.loads(body)
        told["config"].pop("schema")
        connection["config"].update(told.pop("config"))
        connection.update(told)
        return 200, self._tested(connection)

    def _tested(self, connection):
        secrets = connection["config"]["secrets_list"]
        problem = self.setup_test({secret["key"]: secret["value"] for secret in secrets})
        status = "FAILED" if problem else "PASSED"
        test = {"title": "Read every catalog", "status": status, "message": problem}
        return {**connection, "setup_tests": [test]}

    def _by_id(self, connection_id):
        return next(c for c in self.connections.values() if c["id"] == connection_id)


_ROUTES = {
    r"GET /v1/connector-sdk/migration/connections": FivetranApi._nothing_listed,
    r"GET /v1/groups": FivetranApi._destinations,
    r"GET /v1/groups/group_1/connectors": FivetranApi._found,
    r"GET /v1/destinations/group_1": FivetranApi._destination,
    r"GET /v1/connections/(\w+)": FivetranApi._connection,
    r"GET /v1/connectors/(\w+)": FivetranApi._connection,
    r"GET /v1/connector-sdk/packages/(\w+)": FivetranApi._package,
    r"POST /v1/connector-sdk/packages": FivetranApi._uploaded,
    r"DELETE /v1/connector-sdk/packages/(\w+)": FivetranApi._deleted,
    r"POST /v1/connectors": FivetranApi._created,
    r"PATCH /v1/connectors/(\w+)": FivetranApi._changed,
}


@contextmanager
def fivetran_api(api_key: str, setup_test: SetupTest) -> Iterator[FivetranApi]:
    """Run the stand-in on loopback."""
    api = FivetranApi(api_key, setup_test)
    with answering(_handler(api)) as api.url:
        yield api


class Quiet(BaseHTTPRequestHandler):
    """Handles every request with `respond`, and prints nothing about it."""

    def respond(self) -> None:
        """Answer the request, by `send`."""
        raise NotImplementedError

    def _do(self):
        self.respond()

    do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815

    def send(self, status: int, content: bytes = b"", **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Keep requests out of the test's output."""


@contextmanager
def answering(handler: type[Quiet]) -> Iterator[str]:
    """Answer requests in threads, on a free port of the loopback interface; gives the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), name=handler.__qualname__)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _handler(api: FivetranApi) -> type[Quiet]:
    class Handler(Quiet):
        def respond(self):
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            api.calls.append((self.command, url.path))
            if self.headers.get("Authorization") == f"Basic {api.api_key}":
                status, data = api.answer(self.command, url.path, parse_qs(url.query), body)
            else:
                status, data = 401, "Invalid authorization credentials"
            content = {"data": data} if status < 400 else {"message": data}
            self.send(status, json.dumps({"code": str(status), **content}).encode())

    return Handler
