"""Work on a thread that nobody waits for when the service stops."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["aside"]

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Do something long on a thread of its own.

    Event loop and interpreter wait for the threads of ``asyncio.to_thread`` before they end; this
    one they leave behind. A caller that is cancelled does not stop the work.

    Parameters
    ----------
    work
        What to do.

    Returns
    -------
    object
        What `work` returned.

    Raises
    ------
    Exception
        Whatever `work` raised; a RuntimeError in place of what is no Exception.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:
            failed = error
        except BaseException as error:
            # A panic of the core is one: without an end, whoever waits would wait for ever.
            failed = RuntimeError(f"{type(error).__name__}: {error}")
            failed.__cause__ = error
        # The loop may have ended since: then nobody asks.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await future
