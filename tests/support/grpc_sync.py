"""Run one sync on the gRPC SDK, through its service, and print what it emits as JSON.

A program for an interpreter that has SDK 2.13: it reads configuration and state from standard
input and writes the tables of `Schema`, the operations of `Update` and the error, if any.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import grpc
from fivetran_connector_sdk.protos import common_pb2, connector_sdk_pb2, connector_sdk_pb2_grpc
from fivetran_connector_sdk_common import constants

from connector import connector

# The cells of the newer SDK's records, to which the values of this one are brought: a byte for the
# kind, then text.
_NULL, _SCALAR, _JSON, _FLOAT, _DOUBLE = (bytes([kind]) for kind in (0, 1, 2, 4, 5))


def main() -> None:
    """Serve the connector on a free port, call it as Fivetran does, and print the outcome."""
    request = json.load(sys.stdin)
    constants.DEBUGGING = True  # binds to loopback and returns instead of serving for ever
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    output, sys.stdout = sys.stdout, sys.stderr  # the log goes elsewhere
    server = connector.run(port, request["configuration"], request["state"])
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            outcome = _sync(connector_sdk_pb2_grpc.SourceConnectorStub(channel), request)
    finally:
        server.stop(grace=None)  # without this the process would not end
    json.dump(outcome, output)


def _sync(stub, request):
    outcome = {"tables": _tables(stub, request), "operations": [], "error": None}
    try:
        for response in stub.Update(
            connector_sdk_pb2.UpdateRequest(
                configuration=request["configuration"], state_json=json.dumps(request["state"])
            )
        ):
            outcome["operations"].extend(_operations(response))
    except grpc.RpcError as error:
        outcome["error"] = error.details()
    return outcome


def _tables(stub, request):
    response = stub.Schema(connector_sdk_pb2.SchemaRequest(configuration=request["configuration"]))
    return {
        table.name: {
            column.name: [common_pb2.DataType.Name(column.type), column.primary_key]
            for column in table.columns
        }
        for table in response.without_schema.tables
    }


def _operations(response):
    kind = response.WhichOneof("operation")
    if kind == "checkpoint":
        return [["checkpoint", response.checkpoint.state_json]]
    if kind == "warning":
        return [["warning", response.warning.message]]
    return [
        [
            common_pb2.RecordType.Name(record.type).lower(),
            record.table_name,
            {name: _cell(value).decode() for name, value in record.data.items()},
        ]
        for record in response.structured_records.structured_records
    ]


def _cell(value):
    kind = value.WhichOneof("inner")
    if kind == "null":
        return _NULL
    if kind == "bool":
        return _SCALAR + (b"true" if value.bool else b"false")
    if kind == "utc_datetime":
        return _SCALAR + value.utc_datetime.ToJsonString().encode()
    if kind == "json":
        return _JSON + value.json.encode()
    if kind in ("float", "double"):
        return (_FLOAT if kind == "float" else _DOUBLE) + str(getattr(value, kind)).encode()
    return _SCALAR + str(getattr(value, kind)).encode()


if __name__ == "__main__":
    main()
