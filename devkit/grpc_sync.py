"""Run one sync through the gRPC service of SDK 2.13; `devkit.sdk.emit_on_grpc` starts it.

The interpreter needs that SDK. Configuration and state are read from standard input as JSON, and
an `Emitted` is written to standard output as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from fivetran_connector_sdk.protos import common_pb2, connector_sdk_pb2, connector_sdk_pb2_grpc
from fivetran_connector_sdk_common import constants

from connector import connector

# The types of cells in records of SDK 3.0, a byte before the text. This module uses the same.
_NULL, _SCALAR, _JSON, _FLOAT, _DOUBLE = (chr(kind) for kind in (0, 1, 2, 4, 5))


def main() -> None:
    """Serve the connector, call it as Fivetran does, and print the result."""
    request = json.load(sys.stdin)
    output, sys.stdout = sys.stdout, sys.stderr  # the log goes elsewhere
    port = free_port()
    server = serve(port)
    try:
        with stub_at(port) as stub:
            emitted = _sync(stub, request["configuration"], json.dumps(request["state"]))
    finally:
        server.stop(grace=None)  # otherwise the process would not exit
    json.dump(emitted, output)


def free_port() -> int:
    """Return a port of the loopback interface that is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def serve(port: int) -> Any:
    """Start the connector's service on a port of the loopback interface; return the server."""
    constants.DEBUGGING = True  # binds to loopback and returns instead of serving forever
    return connector.run(port)


@contextmanager
def stub_at(port: int) -> Iterator[Any]:
    """Yield the client of a service, once this is ready."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(timeout=60)
        yield connector_sdk_pb2_grpc.SourceConnectorStub(channel)


def update(stub: Any, configuration: Mapping[str, str], state_json: str) -> Iterator[Any]:
    """Yield the responses of one sync."""
    request = connector_sdk_pb2.UpdateRequest(configuration=configuration, state_json=state_json)
    yield from stub.Update(request)


def _sync(stub: Any, configuration: Mapping[str, str], state_json: str) -> dict[str, object]:
    schema = stub.Schema(connector_sdk_pb2.SchemaRequest(configuration=configuration))
    tables = {
        table.name: {
            column.name: [common_pb2.DataType.Name(column.type), column.primary_key]
            for column in table.columns
        }
        for table in schema.without_schema.tables
    }
    operations: list[list[Any]] = []
    error = None
    try:
        for response in update(stub, configuration, state_json):
            operations.extend(_operations(response))
    except grpc.RpcError as caught:
        error = caught.details()
    return {"operations": operations, "error": error, "tables": tables}


def _operations(response: Any) -> Iterator[list[Any]]:
    kind = response.WhichOneof("operation")
    if kind == "checkpoint":
        yield ["checkpoint", response.checkpoint.state_json]
    elif kind == "warning":
        yield ["warning", response.warning.message]
    for record in response.structured_records.structured_records:
        cells = {name: _cell(value) for name, value in record.data.items()}
        yield [common_pb2.RecordType.Name(record.type).lower(), record.table_name, cells]


def _cell(value: Any) -> str:
    kind = value.WhichOneof("inner")
    if kind == "null":
        return _NULL
    if kind == "bool":
        return _SCALAR + ("true" if value.bool else "false")
    if kind == "utc_datetime":
        return _SCALAR + str(value.utc_datetime.ToJsonString())
    prefixes = {"json": _JSON, "float": _FLOAT, "double": _DOUBLE}
    return prefixes.get(kind, _SCALAR) + str(getattr(value, kind))


if __name__ == "__main__":
    main()
