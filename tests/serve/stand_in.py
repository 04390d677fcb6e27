"""A live classifier that needs no model."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from arxiv_core import InputError
from arxiv_core.live import Submission


@dataclass
class Category:
    category: str
    probability: float
    name: str = ""
    assigned: bool = False
    threshold: float | None = 0.5


@dataclass
class Prediction:
    categories: list[Category]


@dataclass
class Scored:
    """Ranks categories as they are named."""

    names: list[str]
    truncated: bool = False
    model: str = "0123"
    tokens = 7
    timing = (0.1, 0.2, 0.3, 0.4, 5)

    def rank(self, options: str = "{}", declared: str | None = None) -> Prediction:
        ranked = [Category(name, 0.9 - 0.1 * n) for n, name in enumerate(self.names)]
        asked = json.loads(options)
        best = ranked if asked.get("all") else ranked[: asked["top_k"]]
        primary = {"eess.SY": "cs.SY"}.get(declared or "", declared)
        if primary is not None and primary not in {c.category for c in best}:
            best.append(Category(primary, 0.01, threshold=None))
        return Prediction(best)

    def assigned(self) -> list[str]:
        return self.names[:2]

    def decide(self, declared: str | None = None, limits: str = "{}") -> str:
        keep = json.loads(limits)["keep"]
        verdict = "accept" if keep < 0.9 else "abstain"
        primary = asdict(Category(declared or self.names[0], 0.9)) if verdict == "accept" else None
        return json.dumps({"verdict": verdict, "primary": primary, "cross_lists": []})

    def explain(self, without: list[Scored], options: str = "{}") -> str:
        asked = json.loads(options)
        names = asked["categories"] or self.names[: asked["top_k"]]
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise InputError(f"categories.{names.index(unknown[0])}: {unknown[0]!r}")
        contributions = [(-1) ** n * (2 - n / 2) for n in range(len(without))]
        return json.dumps(
            [asdict(Category(name, 0.9)) | {"contributions": contributions} for name in names]
        )


@dataclass
class Embedded:
    values: np.ndarray
    truncated: bool = False
    tokens: int = 7
    model: str = "0123"
    timing: tuple[float, float, float, float, int] = (0.1, 0.2, 0.3, 0.4, 5)


STUCK = "stuck"
"""A text that is never done."""


class Fake:
    """Ranks six categories; refuses a primary that arXiv does not have, as the real one does.

    A text's embedding has its length as the first of four numbers.
    """

    def __init__(self) -> None:
        self.seen: list[Submission] = []
        self.timeouts: set[float | None] = set()
        self.drained: list[float] = []
        self.embedded: list[str] = []
        self.cancelled: list[str] = []
        self.truncated = False
        self.options = {"capacity": 512, "batch_tokens": None, "tokenizer_threads": 2}
        self.error: Exception | None = None
        self.names = [f"math.{name}" for name in ("AC", "AG", "AP", "AT", "CA", "CO")]

    depth = 3

    @property
    def labels(self) -> list[str]:
        return self.names

    def counters(self) -> dict[str, Any]:
        ends = dict.fromkeys(("answered", "refused", "late", "cancelled", "failed"), 2)
        histogram = {"bounds": [0.1, 0.2], "counts": [1, 2, 3], "sum": 4.5}
        parts = ("queue", "tokenize", "wait", "run", "batch_requests", "batch_tokens")
        return ends | dict.fromkeys(parts, histogram)

    def info(self) -> dict[str, Any]:
        encoder = {"source": "minilm", "name": "sentence-transformers/all-MiniLM-L6-v2"}
        about = {"labels": 6, "sha256": "0123", "dtype": "f32", "max_length": 512}
        return about | {"encoder": encoder, "pooling": "mean"}

    async def __aenter__(self) -> Fake:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def drain(self, timeout: float) -> bool:
        self.drained.append(timeout)
        return True

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        self.timeouts.add(timeout)
        self.seen.append(paper)
        if self.error is not None:
            raise self.error
        if paper.get("primary") == "cs.XX":
            raise InputError("primary: 'cs.XX' is not a category of arXiv")
        await self.pause(paper["abstract"])
        return Scored(self.names, self.truncated)

    async def embed(self, text: str, *, timeout: float | None = None) -> Embedded:
        self.timeouts.add(timeout)
        self.embedded.append(text)
        if self.error is not None:
            raise self.error
        await self.pause(text)
        values = np.array([len(text), 1, 2, 2], dtype=np.float32)
        return Embedded(values, self.truncated)

    async def pause(self, text: str) -> None:
        if text == STUCK:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.append(text)
                raise
