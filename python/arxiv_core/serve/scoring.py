"""What the service needs of whatever scores papers and embeds texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from arxiv_core.live import Submission

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TOP", "Embedded", "Live", "LiveModel", "Passing", "Scored"]

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


class Answered(Protocol):
    """What every answer of a model says of itself."""

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


class Embedded(Answered, Protocol):
    """A text's embedding."""

    @property
    def values(self) -> NDArray[np.float32]:
        """The vector [hidden]."""
        ...


class Scored(Answered, Protocol):
    """What a model found about one paper."""

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


class Live(Protocol):
    """What answers papers and texts."""

    @property
    def labels(self) -> Sequence[str]:
        """Canonical categories, in the model's order."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """What the engine was started with."""
        ...

    def info(self) -> dict[str, Any]:
        """Return what the model is."""
        ...

    async def submit(self, paper: Submission, *, timeout: float | None = ...) -> Scored:
        """Score a paper."""
        ...

    async def embed(self, text: str, *, timeout: float | None = ...) -> Embedded:
        """Embed a text as it is."""
        ...


class LiveModel(Live, Protocol):
    """A live classifier, which is entered while it serves."""

    async def __aenter__(self) -> object: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def drain(self, timeout: float) -> bool:
        """Accept no more requests and wait for those under way; whether none is left."""
        ...

    @property
    def depth(self) -> int:
        """Requests under way."""
        ...

    def counters(self) -> Mapping[str, Any]:
        """Return what has happened so far: counts and histograms."""
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
