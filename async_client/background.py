"""Fetch in a thread of its own while the caller writes what has arrived.

The event loop has a thread of its own because operations block: an upsert or a checkpoint can
take longer than the silence limit, and a loop that is blocked by one reads nothing, and lets
connections and downloads time out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from async_client.errors import EndpointError, TokenRejectedError
from async_client.events import Event
from async_client.fetch import Fetched, fetch_all
from async_client.limits import Limits
from async_client.response import Catalog
from async_client.settings import Settings

# What the thread of the event loop puts in, in the order in which it happened; last how it ended.
Arrivals = SimpleQueue[Event | Fetched | BaseException]


class Catalogs:
    """The catalogs of one sync, each of which can be taken once, as soon as it has arrived."""

    def __init__(self, arrivals: Arrivals, on_event: Callable[[Event], None]) -> None:
        self._arrivals = arrivals
        self._on_event = on_event
        self._results: dict[str, Catalog | Exception] = {}
        self._rejection: EndpointError | None = None
        self._end: BaseException | None = None

    def take(self, endpoint_name: str) -> Catalog | EndpointError:
        """Wait for an endpoint; return its catalog, which is not kept here, or its error.

        Once an endpoint rejected the token, its error is that of every endpoint. Events up to now
        are handled first, on the thread of the caller. Raise what else ended the fetching.
        """
        while True:
            is_here = endpoint_name in self._results or self._rejection or self._end
            try:
                arrival = self._arrivals.get(block=not is_here)
            except Empty:
                break
            if isinstance(arrival, BaseException):
                self._end = arrival
            elif not isinstance(arrival, Fetched):
                self._on_event(arrival)
            else:
                self._keep(*arrival)
        if self._rejection:
            return self._rejection
        result = self._results.pop(endpoint_name, None)
        if isinstance(result, Catalog | EndpointError):
            return result
        raise result or self._end or LookupError(endpoint_name)

    def _keep(self, endpoint_name: str, result: Catalog | Exception) -> None:
        self._results[endpoint_name] = result
        if isinstance(result, EndpointError) and isinstance(result.failure, TokenRejectedError):
            self._rejection = result


@contextmanager
def fetching(
    settings: Settings, limits: Limits, on_event: Callable[[Event], None]
) -> Iterator[Catalogs]:
    """Request all catalogs at once in a thread; yield the Catalogs from which they are taken.

    On exit, what is still in flight is cancelled, and the thread is waited for, so that no task
    and no connection is left.
    """
    arrivals: Arrivals = SimpleQueue()
    loop = asyncio.new_event_loop()
    work = loop.create_task(fetch_all(settings, limits, arrivals.put))
    thread = threading.Thread(
        target=_run, args=(loop, work, arrivals), name="catalogs", daemon=True
    )
    thread.start()
    try:
        yield Catalogs(arrivals, on_event)
    finally:
        with suppress(RuntimeError):  # the loop is closed already: all was fetched
            loop.call_soon_threadsafe(work.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None], arrivals: Arrivals) -> None:
    """Run to the end and put how it ended, so that nobody waits for what does not arrive."""
    end: BaseException = LookupError("every catalog has been taken")
    try:
        loop.run_until_complete(work)
    except BaseException as error:  # noqa: BLE001 (raised where a catalog is taken)
        end = error
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        arrivals.put(end)
