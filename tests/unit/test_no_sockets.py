"""Unit tests open no socket."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.unit.conftest import SocketInUnitTestError


def test_a_socket_in_a_unit_test_is_an_error():
    with socket.socket() as internet, socket.socket(socket.AF_UNIX) as local:
        for use in (
            lambda: internet.bind(("127.0.0.1", 0)),
            lambda: internet.connect(("127.0.0.1", 1)),
            lambda: local.connect("/tmp/none"),
            lambda: socket.getaddrinfo("localhost", 80),
        ):
            with pytest.raises(SocketInUnitTestError):
                use()


def test_an_event_loop_may_have_its_socket_pair():
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
