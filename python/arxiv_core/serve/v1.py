"""``/v1``: everything that is known about papers, many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

import arxiv_core
from arxiv_core.live import Submission
from arxiv_core.serve.body import body, parsed, while_connected
from arxiv_core.serve.refusals import Refusal
from arxiv_core.serve.service import COMPONENTS

__all__ = [
    "MAX_TEXT",
    "Asked",
    "Category",
    "Decision",
    "Limits",
    "Scoring",
    "Submitted",
    "router",
]

MAX_PAPERS = 64
"""Papers in a request."""

MAX_TEXT = 100_000
"""Characters of a title or an abstract; a model reads the first few thousand at most."""


class Strict(BaseModel):
    """A body in which every field is known."""

    model_config = ConfigDict(extra="forbid")


class Submitted(Strict):
    """A paper to classify."""

    title: str = Field(max_length=MAX_TEXT, description="Title, LaTeX allowed")
    abstract: str = Field(max_length=MAX_TEXT, description="Abstract, LaTeX allowed")
    primary: str | None = Field(
        default=None, max_length=64, description="Category its author declared"
    )


class Limits(Strict):
    """From which probabilities on a moderator acts."""

    keep: float = Field(default=0.5, ge=0, le=1, description="A declared primary stays")
    propose: float = Field(default=0.57, ge=0, le=1, description="Another one is proposed")
    cross_list: float = Field(default=0.57, ge=0, le=1, description="A cross-list is suggested")
    cross_lists: int = Field(default=2, ge=0, le=20, description="Cross-lists at most")


class Asked(Strict):
    """Papers, and what is to be said about each."""

    papers: list[Submitted] = Field(min_length=1, max_length=MAX_PAPERS)
    top_k: int | None = Field(
        default=5, ge=1, le=1000, description="Categories; null: those assigned, at least the best"
    )
    all: bool = Field(default=False, description="Every label, best first")
    aliases: bool = Field(default=False, description="cs.IT=math.IT")
    level: Literal["category", "archive"] = "category"
    distribution: bool = Field(default=False, description="Shares of the primary, adding up to one")
    limits: Limits = Field(default_factory=Limits, description="For the decision")


class Category(BaseModel):
    """One category, or archive, of an answer."""

    category: str
    name: str
    probability: float = Field(description="Calibrated; a share where a distribution was asked for")
    assigned: bool = Field(description="The probability reaches the label's threshold")
    threshold: float | None = Field(
        description="From which probability it is assigned; null: an archive, or not the model's"
    )


class Decision(BaseModel):
    """What a moderator may do."""

    verdict: Literal["accept", "propose", "abstain"]
    primary: Category | None = Field(description="The primary that stays or is proposed")
    cross_lists: list[Category] = Field(description="Suggested, best first")


class Timing(BaseModel):
    """Where the time went, in seconds."""

    queue: float
    tokenize: float
    wait: float
    run: float
    batch: int = Field(description="Requests that ran together")


class Classified(BaseModel):
    """What is said about one paper."""

    categories: list[Category]
    truncated: bool = Field(description="The text was longer than the model reads")
    tokens: int = Field(description="Tokens that the model read")
    decision: Decision
    timing: Timing


class Answered(BaseModel):
    """Answers in the order of the papers."""

    version: str
    model: str = Field(description="SHA-256 of the model's manifest")
    papers: list[Classified]


class Ranked(Protocol):
    """One category of an answer."""

    @property
    def category(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def probability(self) -> float: ...
    @property
    def assigned(self) -> bool: ...
    @property
    def threshold(self) -> float | None: ...


class Ranking(Protocol):
    """Categories of a paper."""

    @property
    def categories(self) -> Sequence[Ranked]: ...


class Scored(Protocol):
    """What a model found about one paper."""

    @property
    def truncated(self) -> bool: ...
    @property
    def tokens(self) -> int: ...
    @property
    def timing(self) -> tuple[float, float, float, float, int]: ...
    def rank(self, options: str = ..., declared: str | None = ...) -> Ranking: ...
    def decide(self, declared: str | None = ..., limits: str = ...) -> str: ...


class Scoring(Protocol):
    """What these routes need of a live classifier."""

    def info(self) -> dict[str, Any]:
        """Return what the model is."""
        ...

    async def submit(self, paper: Submission, *, timeout: float | None = ...) -> Scored:
        """Score a paper."""
        ...


def router(classifier: Scoring, *, max_body: int, timeout: float | None) -> APIRouter:
    """Build the routes.

    Parameters
    ----------
    classifier
        Answers every request.
    max_body
        Largest request body in bytes.
    timeout
        Seconds after which a request is answered 504; None: never.

    Returns
    -------
    fastapi.APIRouter
        ``POST /v1/classify``.
    """
    routes = APIRouter(prefix="/v1")
    model = str(classifier.info()["sha256"])

    async def one(number: int, paper: Submitted, options: str, limits: str) -> Classified:
        submission: Submission = {
            "title": paper.title,
            "abstract": paper.abstract,
            "primary": paper.primary,
        }
        try:
            scored = await classifier.submit(submission, timeout=timeout)
        except arxiv_core.InputError as error:
            raise arxiv_core.InputError(f"papers.{number}.{error}") from None
        ranked = scored.rank(options, paper.primary).categories
        names = ("queue", "tokenize", "wait", "run", "batch")
        return Classified(
            categories=[
                Category(
                    category=label.category,
                    name=label.name,
                    probability=label.probability,
                    assigned=label.assigned,
                    threshold=label.threshold,
                )
                for label in ranked
            ],
            truncated=scored.truncated,
            tokens=scored.tokens,
            decision=Decision.model_validate_json(scored.decide(paper.primary, limits)),
            timing=Timing.model_validate(dict(zip(names, scored.timing, strict=True))),
        )

    async def every(asked: Asked) -> list[Classified]:
        options = asked.model_dump_json(
            include={"top_k", "all", "aliases", "level", "distribution"}
        )
        limits = asked.limits.model_dump_json()
        papers = enumerate(asked.papers)
        tasks = [asyncio.ensure_future(one(at, paper, options, limits)) for at, paper in papers]
        try:
            return await asyncio.gather(*tasks)
        finally:
            # One refusal ends the request: what is left of it is dropped.
            for task in tasks:
                task.cancel()

    @routes.post(
        "/classify",
        response_model=Answered,
        responses={
            status: {"model": Refusal, "description": text}
            for status, text in (
                (400, "Not JSON, or an unknown primary"),
                (413, "Body too large"),
                (415, "Not application/json"),
                (422, "A field is missing, unknown or wrong"),
                (429, "As many requests are under way as may be"),
                (500, "A fault of the service"),
                (503, "The service is stopping"),
                (504, "Not answered in time"),
            )
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": f"{COMPONENTS}Asked"}}},
            }
        },
    )
    async def classify(request: Request) -> Answered:
        form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if form != "application/json":
            raise HTTPException(415, f"Content-Type {form!r}: must be application/json")
        asked = parsed(Asked, await body(request, max_body))
        return Answered(
            version=arxiv_core.__version__,
            model=model,
            papers=await while_connected(request, every(asked)),
        )

    return routes
