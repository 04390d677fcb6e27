"""The items of one request, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from arxiv_core._core import DeadlineError

__all__ = ["AT_ONCE", "together"]

AT_ONCE = 64
"""Items of a request that are under way: one request leaves room for others in the queue."""

Item = TypeVar("Item")
T = TypeVar("T")


async def together(
    work: Callable[[Item], Awaitable[T]],
    items: Sequence[Item],
    timeout: float | None = None,
    *,
    room: int = AT_ONCE,
) -> list[T]:
    """Do the same for every item.

    Parameters
    ----------
    work
        What to do.
    items
        For which.
    timeout
        Seconds for all of them; None: any time.
    room
        Items that may be under way for whoever asks: more at once would be refused, however often
        they are asked for.

    Returns
    -------
    list
        What `work` returned, in the order of `items`.

    Raises
    ------
    DeadlineError
        `timeout` has passed.
    Exception
        Whatever ends one item first; the others are cancelled.
    """
    gate = asyncio.Semaphore(min(AT_ONCE, room))

    async def one(item: Item) -> T:
        async with gate:
            try:
                return await work(item)
            except Exception:
                # At once, before those begin that have not: a full queue would refuse each.
                for task in tasks:
                    task.cancel()
                raise

    tasks = [asyncio.ensure_future(one(item)) for item in items]
    try:
        async with asyncio.timeout(timeout) as limit:
            return await asyncio.gather(*tasks)
    except TimeoutError:
        if not limit.expired():
            raise
        raise DeadlineError(f"not answered within {timeout:g} s") from None
    finally:
        # One refusal ends the request: what is left of it is dropped.
        for task in tasks:
            task.cancel()
