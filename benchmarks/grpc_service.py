"""One sync through the gRPC service of SDK 2.13.1, which Fivetran's production uses.

`python -m benchmarks.grpc_service`, with the Python of `.venv-grpc`, prints its `Run`. The service
is a process of its own, so that time and memory are those of the connector and its SDK. Arguments:
those of `benchmarks.worker`, then what the command of the service begins with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.results import Run, peak_bytes
from devkit import grpc_sync


def main() -> None:
    """Run the service if there is only a port, else the sync that the arguments name."""
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the SDK logs to it
    run = _serve(int(sys.argv[1])) if len(sys.argv) == 2 else _sync(*sys.argv[2:])
    os.write(output, msgspec.json.encode(run))


def _serve(port: int) -> Run:
    """Serve until standard input ends; return what resources were used."""
    server, cpu_started = grpc_sync.serve(port), time.process_time()
    sys.stdin.read()
    run = Run(cpu_seconds=time.process_time() - cpu_started, peak_bytes=peak_bytes())
    server.stop(grace=None)  # without this the process would not end
    return run


def _sync(folder: str, base_url: str, token: str, *prefix: str) -> Run:
    """Sync from the state that the last sync left."""
    configuration, path = {"bearer_token": token, "base_url": base_url}, Path(folder, "state.json")
    state = path.read_text(encoding="utf-8") if path.exists() else "{}"
    path.parent.mkdir(parents=True, exist_ok=True)
    port = grpc_sync.free_port()
    command = [*prefix, sys.executable, "-m", "benchmarks.grpc_service", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as service:
        with grpc_sync.stub_at(port) as stub:
            started = time.perf_counter()
            for response in grpc_sync.update(stub, configuration, state):
                if response.WhichOneof("operation") == "checkpoint":
                    path.write_text(response.checkpoint.state_json, encoding="utf-8")
            seconds = time.perf_counter() - started
        output, _ = service.communicate()
    run = msgspec.json.decode(output, type=Run)
    run.seconds = seconds
    return run


if __name__ == "__main__":
    main()
