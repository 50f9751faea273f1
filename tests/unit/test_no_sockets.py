"""Unit tests open no socket."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.support.cases import cases
from tests.unit.conftest import SocketInUnitTestError


def bind():
    """Bind a socket to a free port."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))


def connect_locally():
    """Connect to a socket of the file system."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.connect("/tmp/none")


@cases(
    "attempt, event",
    {
        "connect": (lambda: socket.create_connection(("127.0.0.1", 1)), "socket.getaddrinfo"),
        "connect to a file": (connect_locally, "socket.connect"),
        "bind": (bind, "socket.bind"),
        "look up": (lambda: socket.getaddrinfo("localhost", 80), "socket.getaddrinfo"),
    },
)
def test_a_socket_in_a_unit_test_is_an_error(attempt, event):
    with pytest.raises(SocketInUnitTestError, match=f"^{event}"):
        attempt()


def test_an_event_loop_may_have_its_socket_pair():
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
