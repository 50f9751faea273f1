"""Fetch in a thread of its own while the caller writes; each catalog arrives as a future.

The event loop has a thread of its own because operations block: an upsert or a checkpoint can
take longer than the silence limit, and a loop that is blocked by one lets healthy downloads time
out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from async_client.client import Catalogs, OnEvent, fetch_all
from async_client.limits import Limits
from async_client.settings import Settings


@contextmanager
def fetching(
    settings: Settings,
    limits: Limits,
    on_event: OnEvent,
) -> Iterator[Catalogs]:
    """Request all catalogs at once; yield a future per endpoint name, in replay order.

    A future returns a Catalog or raises EndpointError. On exit, what is still in flight is
    cancelled, and the thread, its tasks and its connections are waited for. `on_event` is called
    on the event-loop thread.
    """
    catalogs: Catalogs = {endpoint.name: Future() for endpoint in settings.endpoints}
    loop = asyncio.new_event_loop()
    # Both threads remove finished futures to free their bodies, so each needs its own dict.
    pending = dict(catalogs)
    work = loop.create_task(fetch_all(settings, limits, pending, on_event))
    thread = threading.Thread(
        target=_run, args=(loop, work, pending), name="catalogs", daemon=True
    )
    thread.start()
    try:
        yield catalogs
    finally:
        with suppress(RuntimeError):  # the loop is closed already: all was fetched
            loop.call_soon_threadsafe(work.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None], pending: Catalogs) -> None:
    """Run to the end and resolve every future, so that nobody waits for ever."""
    error: BaseException | None = None
    try:
        loop.run_until_complete(work)
    except BaseException as caught:  # noqa: BLE001 (raised where a catalog is waited for)
        error = caught
    finally:
        for future in pending.values():
            if not future.done():
                future.set_exception(error or RuntimeError("the catalog was never fetched"))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
