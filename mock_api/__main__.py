"""Serve a generated DataCamp catalog until stopped: `python -m mock_api --port 8080`."""

from __future__ import annotations

import argparse
import signal
import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from mock_api.catalog import catalog
from mock_api.fault_kinds import KIND_NAMES
from mock_api.faults import ENDPOINT_NAMES, known
from mock_api.serving import DEFAULT_TOKEN, serving


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status, 2 for an argument that cannot be used."""
    parser = _parser()
    options = parser.parse_args(arguments)
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        try:
            running = serving(
                catalog(options.revision, options.scale),
                token=options.token,
                latency_seconds=parse_latency(options.latency),
                faults=options.fault,
                address=(options.host, options.port),
            )
            server = stack.enter_context(running)
        except (ValueError, OverflowError) as error:
            parser.error(str(error))
        except OSError as error:
            # The rest of the text names the address again.
            reason = (error.strerror or str(error)).partition(" (while")[0]
            parser.error(f"cannot listen on {options.host}:{options.port}: {reason}")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        greeting = f"Mock DataCamp API at {server.base_url}, token {server.token}."
        print(f"{greeting} Press Ctrl-C to stop.", flush=True)
        while True:
            time.sleep(3600)
    return 0


def parse_latency(text: str) -> dict[str, float]:
    """Parse `0.5` (every endpoint) or `courses=3,tracks=1`; raise ValueError."""
    if "=" not in text:
        return dict.fromkeys(ENDPOINT_NAMES, float(text))
    parts = [part.strip().partition("=") for part in text.split(",")]
    return {known(name): float(seconds) for name, _, seconds in parts}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mock_api",
        description="Run a mock server of DataCamp's LMS Catalog API with generated data.",
        epilog=f"Endpoints: {', '.join(ENDPOINT_NAMES)}.\n\n"
        + textwrap.fill(f"Kinds of faults: {KIND_NAMES}.", 80, break_on_hyphens=False),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", default=8080, type=int, help="port to listen on, 0 for a free one (%(default)s)")
    add("--token", default=DEFAULT_TOKEN, help="bearer token to accept (%(default)s)")
    add(
        "--latency",
        default="0",
        metavar="SECONDS",
        help="delay before each response, 0.5 for all or courses=3,tracks=1 by endpoint",
    )
    add("--scale", default=1.0, type=float, help="size of the catalog (%(default)s)")
    add("--revision", default=0, type=int, help="number of changes to the catalog (%(default)s)")
    add(
        "--fault",
        default=[],
        action="append",
        metavar="ENDPOINT=KIND[xTIMES]",
        help="return a fault, always or TIMES times; repeatable; ENDPOINT may be all",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
