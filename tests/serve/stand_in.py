"""A live classifier that needs no model."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

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
    truncated = False
    tokens = 7
    timing = (0.1, 0.2, 0.3, 0.4, 5)

    def rank(self, options: str = "{}", declared: str | None = None) -> Prediction:
        ranked = [Category(name, 0.9 - 0.1 * n) for n, name in enumerate(self.names)]
        best = ranked[: json.loads(options)["top_k"]]
        primary = {"eess.SY": "cs.SY"}.get(declared or "", declared)
        if primary is not None and primary not in {c.category for c in best}:
            best.append(Category(primary, 0.01, threshold=None))
        return Prediction(best)

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


class Fake:
    """Ranks six categories; refuses a primary that arXiv does not have, as the real one does."""

    def __init__(self) -> None:
        self.seen: list[Submission] = []
        self.timeouts: set[float | None] = set()
        self.drained: list[float] = []
        self.error: Exception | None = None
        self.names = [f"math.{name}" for name in ("AC", "AG", "AP", "AT", "CA", "CO")]

    depth = 3

    def counters(self) -> dict[str, Any]:
        ends = dict.fromkeys(("answered", "refused", "late", "cancelled", "failed"), 2)
        histogram = {"bounds": [0.1, 0.2], "counts": [1, 2, 3], "sum": 4.5}
        parts = ("queue", "tokenize", "wait", "run", "batch_requests", "batch_tokens")
        return ends | dict.fromkeys(parts, histogram)

    def info(self) -> dict[str, Any]:
        return {"labels": 6, "sha256": "0123"}

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
        return Scored(self.names)
