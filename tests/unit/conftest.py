"""What all unit tests have: no socket, and for those of fetching a mocked API and its clock."""

from __future__ import annotations

import asyncio
import sys

import pytest
import pytest_asyncio
from aioresponses import aioresponses

from tests.support.mocked_api import MockedApi, VirtualClock

_NETWORK_EVENTS = {
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyaddr",
    "socket.gethostbyname",
    "socket.getnameinfo",
    "socket.sendmsg",
    "socket.sendto",
}
_running = False


class SocketInUnitTestError(Exception):
    """A unit test connects, binds or looks up a name; such a test belongs into tests/system."""


def _refuse_sockets(event: str, arguments: object) -> None:
    if _running and event in _NETWORK_EVENTS:
        raise SocketInUnitTestError(f"{event}{arguments}")


# Unlike a patched `socket`, it sees what C code does. The socket pair of an event loop needs none.
sys.addaudithook(_refuse_sockets)


@pytest.fixture(autouse=True)
def _no_sockets():
    """Refuse sockets of any family while a unit test runs."""
    global _running  # noqa: PLW0603 (an audit hook cannot be removed)
    _running = True
    yield
    _running = False


@pytest.fixture
def mocked():
    """Replace the network by aioresponses."""
    with aioresponses() as responses:
        yield responses


@pytest.fixture
def api(mocked):
    """Return a mocked API that has two items for each endpoint."""
    return MockedApi(mocked)


@pytest_asyncio.fixture
async def clock():
    """Let the waits of the test's event loop take no time."""
    return VirtualClock(asyncio.get_running_loop())
