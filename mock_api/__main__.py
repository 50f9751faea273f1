"""Serve a made-up DataCamp catalog until stopped: ``python -m mock_api --port 8080``."""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from aiohttp import web

from mock_api.catalog import catalog
from mock_api.fault_kinds import KIND_NAMES
from mock_api.faults import ENDPOINT_NAMES, Faults, known, parse_fault
from mock_api.server import Latency, make_app
from mock_api.serving import DEFAULT_TOKEN, listening

Value = TypeVar("Value")
Number = TypeVar("Number", int, float)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status, 2 if the address cannot be had."""
    options = _parser().parse_args(arguments)
    try:
        listener = socket.create_server((options.host, options.port))
    except OSError as error:
        address = f"{options.host}:{options.port}"
        print(f"mock_api: cannot listen on {address}: {_reason(error)}", file=sys.stderr)
        return 2
    # Where signals cannot be handled in the loop, as on Windows, Ctrl-C arrives in this way.
    with listener, suppress(KeyboardInterrupt):
        app = make_app(
            catalog(options.revision, options.scale),
            token=options.token,
            latency_seconds=options.latency,
            faults=Faults(options.fault),
        )
        asyncio.run(_serve(app, listener, options.token))
    return 0


async def _serve(app: web.Application, listener: socket.socket, token: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    host, port = listener.getsockname()[:2]
    async with listening(app, listener):
        print(
            f"DataCamp stand-in at http://{host}:{port} with token {token}; Ctrl-C stops it",
            flush=True,
        )
        await stop.wait()


def _reason(error: OSError) -> str:
    # Python appends the address, which the message has already.
    return (error.strerror or str(error)).partition(" (while")[0]


def parse_latency(text: str) -> Latency:
    """Read ``0.5``, for every endpoint, or ``courses=3,tracks=1``; raises ValueError."""
    if "=" not in text:
        return _seconds(text)
    latency = {}
    for part in text.split(","):
        name, _, seconds = part.strip().partition("=")
        latency[known(name)] = _seconds(seconds)
    return latency


def _seconds(text: str) -> float:
    return _number(text, float, "a number of seconds, 0 or more", lambda value: value >= 0)


def _scale(text: str) -> float:
    return _number(text, float, "a number above 0", lambda value: value > 0)


def _revision(text: str) -> int:
    return _number(text, int, "a whole number, 0 or more", lambda value: value >= 0)


def _port(text: str) -> int:
    return _number(text, int, "a port from 0 to 65535", lambda value: 0 <= value <= 65535)


def _number(
    text: str, read: Callable[[str], Number], wanted: str, valid: Callable[[Number], bool]
) -> Number:
    with suppress(ValueError):
        value = read(text)
        if math.isfinite(value) and valid(value):
            return value
    raise ValueError(f"{text!r} is not {wanted}")


def _argument(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """Let argparse show what a parser has to say; of a ValueError it shows nothing."""

    def parsed(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mock_api",
        description="Serve a made-up DataCamp catalog, for a demo or a test.",
        epilog=f"Endpoints: {', '.join(ENDPOINT_NAMES)}. Kinds of fault: {KIND_NAMES}.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", default=8080, type=_argument(_port), help="0 takes a free one (%(default)s)")
    add("--token", default=DEFAULT_TOKEN, help="the token to accept (%(default)s)")
    add(
        "--latency",
        default=0.0,
        type=_argument(parse_latency),
        metavar="SECONDS",
        help="before each answer, e.g. 0.5, or by endpoint, e.g. courses=3,tracks=1",
    )
    add("--scale", default=1.0, type=_argument(_scale), help="size of the catalog (%(default)s)")
    add("--revision", default=0, type=_argument(_revision), help="how far it has evolved (0)")
    add(
        "--fault",
        default=[],
        action="append",
        type=_argument(parse_fault),
        metavar="ENDPOINT=KIND[xTIMES]",
        help="misbehave, for ever or so many times; may be repeated; ENDPOINT may be all",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
