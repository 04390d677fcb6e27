"""What routes need of whatever scores papers and embeds texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from arxiv_core.live import Submission
from arxiv_core.serve.embedding import Embedded, Embedding

__all__ = ["TOP", "Live", "Passing", "Scored", "Scoring"]

TOP = '{"top_k": 5}'
"""Categories in an answer, before a declared primary that is not among them."""


class Ranked(Protocol):
    """One category of an answer."""

    @property
    def category(self) -> str:
        """Canonical name."""
        ...

    @property
    def name(self) -> str:
        """Name as people read it."""
        ...

    @property
    def probability(self) -> float:
        """Calibrated."""
        ...

    @property
    def assigned(self) -> bool:
        """Whether it is assigned."""
        ...

    @property
    def threshold(self) -> float | None:
        """The probability from which it is."""
        ...


class Ranking(Protocol):
    """Categories of a paper."""

    @property
    def categories(self) -> Sequence[Ranked]:
        """Best first."""
        ...


class Scored(Protocol):
    """What a model found about one paper."""

    @property
    def truncated(self) -> bool:
        """Whether the text was longer than the model reads."""
        ...

    @property
    def tokens(self) -> int:
        """Tokens that the model read."""
        ...

    @property
    def timing(self) -> tuple[float, float, float, float, int]:
        """Seconds in the queue, of tokenization, of waiting, of the batch; requests in it."""
        ...

    @property
    def model(self) -> str:
        """SHA-256 of the manifest of the model that answered."""
        ...

    def assigned(self) -> Sequence[str]:
        """Return the categories that the model's thresholds assign."""
        ...

    def rank(self, options: str = ..., declared: str | None = ...) -> Ranking:
        """Return categories as `options` ask for: JSON."""
        ...

    def decide(self, declared: str | None = ..., limits: str = ...) -> str:
        """Return what a moderator may do, within `limits`: JSON."""
        ...

    def explain(self, without: list[Any], options: str = ...) -> str:
        """Return what the parts contribute, by the answers without each: JSON."""
        ...


class Scoring(Protocol):
    """What these routes need of a live classifier."""

    async def submit(self, paper: Submission, *, timeout: float | None = ...) -> Scored:
        """Score a paper."""
        ...


class Live(Scoring, Embedding, Protocol):
    """A live classifier, and what it was started with."""

    @property
    def labels(self) -> Sequence[str]:
        """Canonical categories, in the model's order."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """What the engine was started with."""
        ...


class Passing:
    """Passes everything on to another; what stands around a live classifier begins here."""

    def __init__(self, inner: Live) -> None:
        self._inner = inner

    @property
    def labels(self) -> Sequence[str]:
        """Canonical categories, in the model's order."""
        return self._inner.labels

    @property
    def options(self) -> Mapping[str, Any]:
        """What the engine was started with."""
        return self._inner.options

    def info(self) -> dict[str, Any]:
        """Return what the model is."""
        return self._inner.info()

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        """Score a paper."""
        return await self._inner.submit(paper, timeout=timeout)

    async def embed(self, text: str, *, timeout: float | None = None) -> Embedded:
        """Embed a text as it is."""
        return await self._inner.embed(text, timeout=timeout)
