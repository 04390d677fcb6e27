"""Exchanges the model of a running service, and loses no request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from arxiv_core.aside import aside
from arxiv_core.live import Submission
from arxiv_core.serve.scoring import Embedded, LiveModel, Scored

__all__ = ["PROBE", "Swapping"]

PROBE: Submission = {"title": "On rings", "abstract": "Every ring is a module over itself."}
"""The paper that a model answers before it is used: one that loads may still not answer, and its
first answer is its slowest."""

LONGEST = 127
"""Looks that pass at most before a model that could not be used is tried again."""

log = logging.getLogger(__name__)


class Swapping:
    """A live classifier whose model is exchanged while it answers.

    A new model is loaded beside the old one and answers a paper first; then it takes every new
    request, and the old one is left when it has answered those it has. For that time both are in
    memory. A model that cannot be loaded or does not answer changes nothing but the log.

    Parameters
    ----------
    live
        What answers first.
    load
        Loads what is to answer now; runs on a thread of its own, which a
        stop does not wait for.
    stamp
        Says which model is meant now, by anything that differs when the model does; runs on a
        thread of its own.
    every
        Seconds between looks at it; None: only `reload` exchanges the model.
    seen
        What `stamp` said before the first model was loaded; None: it is asked when this is entered.
    drain
        Seconds that an old model may take for the requests it has.
    """

    def __init__(
        self,
        live: LiveModel,
        load: Callable[[], LiveModel],
        *,
        stamp: Callable[[], str],
        every: float | None = None,
        seen: str | None = None,
        drain: float = 30,
    ) -> None:
        self._live = live
        self._load, self._stamp = load, stamp
        self._every, self._limit = every, drain
        self._seen = seen
        self._bad: str | None = None
        self._pause = self._rest = 0
        self._left: list[LiveModel] = []
        self._past: Mapping[str, Any] = {}
        self._asked = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        if self._seen is None:
            self._seen = await aside(self._stamp)
        await self._live.__aenter__()
        self._spawn(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for live in (self._live, *self._left):
            await live.__aexit__(kind, error, trace)

    def reload(self) -> None:
        """Load the model again, whether or not it is another; from the event loop's thread."""
        self._asked.set()

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        """Score a paper, as :meth:`arxiv_core.live.LiveClassifier.submit`."""
        return await self._live.submit(paper, timeout=timeout)

    async def embed(self, text: str, *, timeout: float | None = None) -> Embedded:
        """Embed a text, as :meth:`arxiv_core.live.LiveClassifier.embed`."""
        return await self._live.embed(text, timeout=timeout)

    async def drain(self, timeout: float) -> bool:
        """Accept no more requests and wait for those under way, of every model."""
        for task in self._tasks:
            task.cancel()
        every = (self._live, *self._left)
        return all(await asyncio.gather(*(live.drain(timeout) for live in every)))

    @property
    def depth(self) -> int:
        """Requests under way, whichever model has them."""
        return sum(live.depth for live in (self._live, *self._left))

    @property
    def labels(self) -> Sequence[str]:
        """Canonical categories of the model that answers now, in its order."""
        return self._live.labels

    @property
    def options(self) -> Mapping[str, Any]:
        """What its engine was started with."""
        return self._live.options

    def info(self) -> dict[str, Any]:
        """Return what the model is that answers now."""
        return self._live.info()

    def counters(self) -> dict[str, Any]:
        """Return what has happened so far, under every model."""
        total = dict(self._past)
        for live in (self._live, *self._left):
            total = _sum(total, live.counters())
        return total

    async def swap(self) -> None:
        """Load what is meant now and let it answer from then on.

        Raises
        ------
        Exception
            Whatever loading it or its first answer raised; the old model answers on.
        """
        fresh = await aside(self._load)
        await fresh.__aenter__()
        try:
            await fresh.submit(PROBE)
        except BaseException:
            await fresh.__aexit__(None, None, None)
            raise
        old, self._live = self._live, fresh
        self._left.append(old)
        self._spawn(self._leave(old))
        log.info("another model answers now: %s", fresh.info().get("sha256"))

    async def _leave(self, old: LiveModel) -> None:
        if not await old.drain(self._limit):
            log.warning("a model was left with requests under way after %g s", self._limit)
        await old.__aexit__(None, None, None)
        # Without an await between them: no count sees the old model in both, or in neither.
        self._past = _sum(self._past, old.counters())
        self._left.remove(old)

    async def _watch(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), self._every)
                told = True
                self._asked.clear()
            except TimeoutError:
                told = False
            try:
                stamp = await aside(self._stamp)
                if told or (stamp != self._seen and self._is_due(stamp)):
                    self._bad = stamp
                    await self.swap()
                    self._seen, self._bad = stamp, None
            except Exception as error:
                log.error("the model stays as it was: %s", error)

    def _is_due(self, stamp: str) -> bool:
        """Whether to try a model now: after failures one passes over 1, 3, 7 … looks."""
        if stamp != self._bad:
            self._pause = self._rest = 0
        elif self._rest:
            self._rest -= 1
            return False
        else:
            self._pause = min(2 * self._pause + 1, LONGEST)
            self._rest = self._pause
        return True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Add up counters and histograms of the same bounds."""
    total: dict[str, Any] = {}
    for key, value in other.items():
        if key not in one:
            total[key] = value
        elif isinstance(value, Mapping):
            pairs = zip(one[key]["counts"], value["counts"], strict=True)
            counts = [before + now for before, now in pairs]
            total[key] = {
                "bounds": value["bounds"],
                "counts": counts,
                "sum": one[key]["sum"] + value["sum"],
            }
        else:
            total[key] = one[key] + value
    return total
