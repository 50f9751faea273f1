"""A program that runs during a `with` block: ready at its start, ended at its end."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

LOOPBACK = "127.0.0.1"
SECOND_PORT = 10_000  # so far above each port is another that its owner may use
_READY_SECONDS = 180.0
_POLL_SECONDS = 0.2
_END_SECONDS = 60.0
_LAST_LINES = 15
_WIDTH = 80
# Below those that systems use for outgoing connections, the second ones too.
_PORTS = range(12_000, 22_000)


class ProgramError(Exception):
    """A program is missing, ended early or was not ready in time; see its last log lines."""


@contextmanager
def running(
    command: Sequence[str],
    variables: Mapping[str, str],
    log: Path,
    is_ready: Callable[[], bool],
) -> Iterator[None]:
    """Run a command of this Python's environment in the folder of its `log`.

    Raise ProgramError if it is not ready. Of this process's environment it gets the PATH only, so
    that nobody's credentials or settings reach it. Ctrl-C does not reach it either: it is ended
    here, after everything that uses it.
    """
    name, *arguments = command
    program = shutil.which(name, path=str(Path(sys.executable).parent))
    if program is None:
        raise ProgramError(f"There is no {name} command here: run `make lakehouse`.")
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
        problem = _problem(process, is_ready)
        if problem:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            wrapped = [part for line in lines for part in textwrap.wrap(line, _WIDTH)]
            last = "\n".join(wrapped[-_LAST_LINES:])
            raise ProgramError(f"{name} {problem}:\n{last}\nThe whole log: {log}")
        yield
    finally:
        _end(process)


def free_ports(count: int) -> list[int]:
    """Find ports of the loopback interface that are free, each with the one 10,000 above it."""
    candidates = random.sample(_PORTS, len(_PORTS))
    free = (port for port in candidates if _is_free(port) and _is_free(port + SECOND_PORT))
    return list(islice(free, count))


def accepts_connections(port: int) -> bool:
    """Return whether a program listens on a port of the loopback interface."""
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


def _problem(process: subprocess.Popen[bytes], is_ready: Callable[[], bool]) -> str | None:
    """Wait until the program is ready; return why it is not, if so."""
    end = time.monotonic() + _READY_SECONDS
    while not is_ready():
        if process.poll() is not None:
            return f"ended with status {process.returncode}"
        if time.monotonic() > end:
            return f"was not ready after {_READY_SECONDS:.0f} s"
        time.sleep(_POLL_SECONDS)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate the program, wait, and kill it; a second Ctrl-C skips the wait."""
    try:
        process.terminate()
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()
