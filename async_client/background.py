"""Fetch in a thread of its own while the caller writes: each catalog comes back as a future."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from async_client.client import Catalog, Catalogs, OnEvent, OnResponse, fetch_all
from async_client.settings import Limits, Settings


@contextmanager
def fetching(
    settings: Settings,
    limits: Limits,
    on_event: OnEvent,
    on_response: OnResponse = lambda _: None,
) -> Iterator[dict[str, Future[Catalog]]]:
    """Request all catalogs at once; gives a future per endpoint name, in replay order.

    A future gives a Catalog or raises EndpointError. Leaving cancels what is still in flight and
    waits until the thread, its tasks and its connections are gone. `on_event` and `on_response`
    are called on the event-loop thread.
    """
    catalogs: dict[str, Future[Catalog]] = {
        endpoint.name: Future() for endpoint in settings.endpoints
    }
    loop = asyncio.new_event_loop()
    # A copy: here and there a future is taken out when done with, so that its body is released.
    waited_for = dict(catalogs)
    work = loop.create_task(fetch_all(settings, limits, waited_for, on_event, on_response))
    thread = threading.Thread(
        target=_run, args=(loop, work, waited_for), name="catalogs", daemon=True
    )
    thread.start()
    try:
        yield catalogs
    finally:
        with suppress(RuntimeError):  # the loop is closed already: all was fetched
            loop.call_soon_threadsafe(work.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None], waited_for: Catalogs) -> None:
    """Run to the end and leave no future open, so that nobody waits for ever."""
    error: BaseException | None = None
    try:
        loop.run_until_complete(work)
    except BaseException as caught:  # noqa: BLE001 (it is handed to whoever waits)
        error = caught
    finally:
        for future in waited_for.values():
            if not future.done():
                future.set_exception(error or RuntimeError("the catalog was never fetched"))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
