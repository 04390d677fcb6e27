"""The items of one request, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

__all__ = ["AT_ONCE", "together"]

AT_ONCE = 64
"""Items of a request that are under way: one request leaves room for others in the queue."""

Item = TypeVar("Item")
T = TypeVar("T")


async def together(work: Callable[[Item], Awaitable[T]], items: Sequence[Item]) -> list[T]:
    """Do the same for every item.

    Parameters
    ----------
    work
        What to do.
    items
        For which.

    Returns
    -------
    list
        What `work` returned, in the order of `items`.

    Raises
    ------
    Exception
        Whatever ends one item first; the others are cancelled.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> T:
        async with gate:
            return await work(item)

    tasks = [asyncio.ensure_future(one(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    finally:
        # One refusal ends the request: what is left of it is dropped.
        for task in tasks:
            task.cancel()
