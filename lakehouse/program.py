"""Run a program during a `with` block: it is ready at the start and has ended at the end."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
SECOND_PORT = 10_000  # above each port, another one that its program may use
_READY_SECONDS = 180.0
_POLL_SECONDS = 0.2
_END_SECONDS = 60.0
# Both ports are below the range that systems use for outgoing connections.
_PORTS = range(12_000, 22_000)


class ProgramError(Exception):
    """A program is missing, failed or took too long."""


@contextmanager
def running(
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
        process = subprocess.Popen(  # noqa: S603 - a program of this environment
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


def free_ports(count: int) -> list[int]:
    """Return free ports of the loopback interface; the port 10,000 above each is free, too."""
    free = (
        port
        for port in random.sample(_PORTS, len(_PORTS))
        if not any(map(accepts_connections, (port, port + SECOND_PORT)))
    )
    return list(itertools.islice(free, count))


def accepts_connections(port: int) -> bool:
    """Return whether a program listens on a port of the loopback interface."""
    with suppress(OSError):
        socket.create_connection((LOOPBACK, port), timeout=1).close()
        return True
    return False
