"""A classifier that many callers share: single requests, answered in batches, for asyncio."""

from __future__ import annotations

import asyncio
import functools
import json
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Self, TypedDict

from arxiv_core import _core
from arxiv_core._core import DeadlineError, StoppingError
from arxiv_core.aside import aside
from arxiv_core.classifier import ranking

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from arxiv_core._core import Answer, Prediction
    from arxiv_core.classifier import Classifier

__all__ = ["LiveClassifier", "Submission"]


class Submission(TypedDict):
    """A paper that someone submits."""

    title: str
    abstract: str
    primary: NotRequired[str | None]
    """Category its author declared, under any name arXiv has for it."""


class LiveClassifier:
    """Answers single requests of many tasks; those that come together run together.

    Tokenization and the encoder run on threads of Rust's, which never hold the GIL. An answer is
    that of :meth:`arxiv_core.Classifier.scores`, whatever else is under way.

    Parameters
    ----------
    classifier
        What answers.
    capacity
        Requests under way at most; one more is refused.
    max_wait
        Seconds that a request waits at most for others to come, the encoder being free.
    batch_tokens
        Tokens a batch holds at most; None: what suits the device.
    tokenizer_threads
        Threads that tokenize ahead of the encoder.

    Raises
    ------
    OptionError
        A number that cannot be used.

    Examples
    --------
    >>> async with LiveClassifier(Classifier.load()) as live:  # doctest: +SKIP
    ...     prediction = await live.classify({"title": "Rings", "abstract": "Modules."})
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        capacity: int = 512,
        max_wait: float = 0.002,
        batch_tokens: int | None = None,
        tokenizer_threads: int = 1,
    ) -> None:
        self.classifier = classifier
        """What answers."""
        self.options: dict[str, Any] = {
            "capacity": capacity,
            "max_wait": max_wait,
            "batch_tokens": batch_tokens,
            "tokenizer_threads": tokenizer_threads,
        }
        """What it was started with."""
        self._core = _core.Engine(classifier._core, json.dumps(self.options))
        self._futures: dict[int, asyncio.Future[Answer]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._core.fileno(), self._collect)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Whoever wants the answers drains first; those still waiting are told.
        await self.drain(0)
        for future in self._futures.values():
            if not future.done():
                future.set_exception(StoppingError("the engine is stopping"))
        self._futures.clear()
        if self._loop is not None:
            self._loop.remove_reader(self._core.fileno())
            self._loop = None

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Answer:
        """Score a paper.

        Parameters
        ----------
        paper
            ``title``, ``abstract`` and, where its author declared one, ``primary``.
        timeout
            Seconds from now after which the answer is of no use; None: it always is.

        Returns
        -------
        Answer
            ``values`` are calibrated probabilities float32 [labels]; ``rank`` and ``decide`` say
            what they mean.

        Raises
        ------
        InputError
            arXiv has no such primary.
        OptionError
            `timeout` is negative or no number.
        OverloadedError
            As many requests are under way as may be; said at once.
        DeadlineError
            `timeout` has passed.
        StoppingError
            The engine drains.
        """
        title, abstract, primary = paper["title"], paper["abstract"], paper.get("primary")
        ticket = self._core.classify(title, abstract, primary, timeout)
        return await self._answer(ticket, timeout)

    async def embed(self, text: str, *, timeout: float | None = None) -> Answer:
        """Embed a text as it is.

        Parameters
        ----------
        text
            Any text.
        timeout
            As in :meth:`submit`.

        Returns
        -------
        Answer
            ``values`` is the embedding float32 [hidden].

        Raises
        ------
        OptionError, OverloadedError, DeadlineError, StoppingError
            As :meth:`submit`.
        """
        return await self._answer(self._core.embed(text, timeout), timeout)

    async def classify(
        self,
        paper: Submission,
        top_k: int | None = 5,
        *,
        all: bool = False,
        aliases: bool = False,
        level: Literal["category", "archive"] = "category",
        distribution: bool = False,
        thresholds: Mapping[str, float] | None = None,
        min_precision: float | None = None,
        timeout: float | None = None,
    ) -> Prediction:
        """Classify a paper.

        Parameters
        ----------
        paper
            ``title``, ``abstract`` and, where its author declared one, ``primary``.
        top_k, all, aliases, level, distribution, thresholds, min_precision
            As in :meth:`arxiv_core.Classifier.classify`.
        timeout
            As in :meth:`submit`.

        Returns
        -------
        Prediction
            What :meth:`arxiv_core.Classifier.classify` says of the paper.

        Raises
        ------
        OptionError
            What :meth:`arxiv_core.Classifier.classify` refuses, before the paper is scored.
        InputError, OverloadedError, DeadlineError, StoppingError
            As :meth:`submit`.
        """
        options = json.dumps(
            ranking(top_k, all, aliases, level, distribution, thresholds, min_precision)
        )
        _core.check_ranking(options)
        answer = await self.submit(paper, timeout=timeout)
        return answer.rank(options, paper.get("primary"))

    def info(self) -> dict[str, Any]:
        """Return what the model is and where it came from.

        Returns
        -------
        dict
            As :meth:`arxiv_core.Classifier.info`.
        """
        return self.classifier.info()

    @property
    def labels(self) -> list[str]:
        """Canonical categories, in the order of a paper's probabilities."""
        return self.classifier.labels

    async def drain(self, timeout: float) -> bool:
        """Accept no more requests and wait for those under way.

        Parameters
        ----------
        timeout
            Seconds to wait at most.

        Returns
        -------
        bool
            Whether none is left.
        """
        # The loop's own threads may all be busy with what others gave them.
        return await aside(functools.partial(self._core.drain, timeout))

    @property
    def depth(self) -> int:
        """Requests under way."""
        return self._core.depth

    def counters(self) -> dict[str, object]:
        """Return what has happened so far.

        Returns
        -------
        dict
            ``answered``, ``refused``, ``late``, ``cancelled``, ``failed``; histograms of seconds
            ``queue``, ``tokenize``, ``wait``, ``run`` and of ``batch_requests``,
            ``batch_tokens``, each with ``bounds``, ``counts`` (one more than bounds) and ``sum``.
        """
        counters: dict[str, object] = json.loads(self._core.counters())
        return counters

    async def _answer(self, ticket: int, timeout: float | None) -> Answer:
        if self._loop is None:
            self._core.cancel(ticket)
            raise StoppingError("not started: use it in an `async with` statement")
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._futures[ticket] = future
        timer = None
        if timeout is not None:
            timer = self._loop.call_later(timeout, self._expire, ticket, timeout)
        try:
            return await future
        finally:
            if timer is not None:
                timer.cancel()
            if self._futures.pop(ticket, None) is not None:
                # The caller went away: nobody needs what is left to do.
                self._core.cancel(ticket)

    def _expire(self, ticket: int, timeout: float) -> None:
        future = self._futures.pop(ticket, None)
        if future is not None and not future.done():
            self._core.expire(ticket)
            future.set_exception(DeadlineError(f"not answered within {timeout:g} s"))

    def _collect(self) -> None:
        for ticket, told in self._core.collect():
            future = self._futures.pop(ticket, None)
            if future is None or future.done():
                continue
            if isinstance(told, Exception):
                future.set_exception(told)
            else:
                future.set_result(told)
