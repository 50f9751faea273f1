"""A program that runs while a block does: ready when the block begins, ended when it is left."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

LOOPBACK = "127.0.0.1"
SECOND_PORT = 10_000  # so far above a port is another that its owner may take
_READY_SECONDS = 180.0
_LOOK_AGAIN_SECONDS = 0.2
_END_SECONDS = 60.0
_LAST_LINES = 15
_WIDTH = 80
# Below those that systems draw from for outgoing connections, the second ones too.
_PORTS = range(12_000, 22_000)


class ProgramError(Exception):
    """A program ended too early or was not ready in time; the text ends with its last lines."""


@contextmanager
def running(
    command: Sequence[str],
    variables: Mapping[str, str],
    log: Path,
    is_ready: Callable[[], bool],
) -> Iterator[None]:
    """Run ``command`` in the folder of its ``log``; raises ProgramError if it is not ready.

    Of this process's environment it sees the PATH only, so that nobody's own credentials or
    settings reach it. Ctrl-C does not reach it either: it is ended here, last of all.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - a program of this environment
            command,
            cwd=log.parent,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(log.parent), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        trouble = _trouble(process, is_ready)
        if trouble:
            raise ProgramError(f"{Path(command[0]).name} {trouble}:\n{_last_lines(log)}")
        yield
    finally:
        _end(process)


def free_ports(count: int) -> list[int]:
    """Find ports of the loopback interface that are free, each with the one 10,000 above it."""
    tried = random.sample(_PORTS, len(_PORTS))
    free = (port for port in tried if _is_free(port) and _is_free(port + SECOND_PORT))
    return list(islice(free, count))


def answers(port: int) -> bool:
    """Tell whether something listens on a port of the loopback interface."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def _trouble(process: subprocess.Popen[bytes], is_ready: Callable[[], bool]) -> str | None:
    """Wait until the program is ready; tells what is wrong if that does not come to be."""
    end = time.monotonic() + _READY_SECONDS
    while not is_ready():
        if process.poll() is not None:
            return f"ended with status {process.returncode}"
        if time.monotonic() > end:
            return f"was not ready after {_READY_SECONDS:.0f} s"
        time.sleep(_LOOK_AGAIN_SECONDS)
    return None


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    folded = [part for line in lines for part in textwrap.wrap(line, _WIDTH)]
    return "\n".join([*folded[-_LAST_LINES:], f"The whole log: {log}"])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the program to end, wait, and then make it end; a second Ctrl-C skips the wait."""
    try:
        process.terminate()
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()
