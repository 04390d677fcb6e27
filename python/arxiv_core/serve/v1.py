"""``/v1``: everything that is known about papers, many at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

import arxiv_core
from arxiv_core._core import check_ranking
from arxiv_core.serve.body import json_body, parsed, while_connected
from arxiv_core.serve.refusals import MEANT, Refusal
from arxiv_core.serve.schemas import EXAMPLE, WHOLE, ArxivCategory, Paper, Strict
from arxiv_core.serve.scoring import Live
from arxiv_core.serve.service import Link, fails, leads, takes
from arxiv_core.serve.together import together

__all__ = [
    "CROSS_LISTS",
    "MAX_PAPERS",
    "Asked",
    "Category",
    "Classified",
    "Decision",
    "Limits",
    "Options",
    "Submitted",
    "answering",
    "router",
]

MAX_PAPERS = 64
"""Papers in a request."""

CROSS_LISTS = 20
"""Cross-lists that may be suggested at most."""

ONE_DECIDES: dict[str, Any] = {
    "required": ["thresholds", "min_precision"],
    "properties": {"thresholds": {"minProperties": 1}, "min_precision": {"type": "number"}},
}
"""What options cannot be: both say which categories are assigned."""


class Submitted(Paper):
    """A paper to classify, with no other field."""

    model_config = ConfigDict(extra="forbid", strict=True)

    primary: ArxivCategory | None = Field(default=None, description="Category its author declared")


class Limits(Strict):
    """From which probabilities on a moderator acts."""

    keep: float = Field(default=0.5, ge=0, le=1, description="A declared primary stays")
    propose: float = Field(default=0.57, ge=0, le=1, description="Another one is proposed")
    cross_list: float = Field(default=0.57, ge=0, le=1, description="A cross-list is suggested")
    cross_lists: Annotated[int, WHOLE] = Field(
        default=2, ge=0, le=CROSS_LISTS, description="Cross-lists at most"
    )


class Options(Strict):
    """What is to be said about each paper."""

    model_config = ConfigDict(json_schema_extra={"not": ONE_DECIDES})

    top_k: Annotated[int, Field(ge=1, le=1000), WHOLE] | None = Field(
        default=5, description="Categories; null: those assigned, at least the best"
    )
    all: bool = Field(default=False, description="Every label, best first")
    aliases: bool = Field(default=False, description="cs.IT=math.IT")
    level: Literal["category", "archive"] = "category"
    distribution: bool = Field(default=False, description="Shares of the primary, adding up to one")
    thresholds: dict[ArxivCategory, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict,
        max_length=1000,
        description="Probabilities from which categories are assigned, in place of the model's",
    )
    min_precision: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Assign the best categories as long as their mean probability is this at "
        "least: the precision to be expected of them; not together with thresholds",
    )
    limits: Limits = Field(default_factory=Limits, description="For the decision")


class Asked(Options):
    """Papers, and what is to be said about each."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": ONE_DECIDES,
            "examples": [{"papers": [EXAMPLE | {"primary": "math.RA"}], "top_k": 3}],
        }
    )

    papers: list[Submitted] = Field(min_length=1, max_length=MAX_PAPERS)


class Category(BaseModel):
    """One category, or archive, of an answer."""

    category: str
    name: str
    probability: float = Field(description="Calibrated; a share where a distribution was asked for")
    assigned: bool = Field(
        description="The probability reaches the label's threshold, or what was asked to decide"
    )
    threshold: float | None = Field(
        description="From which probability it is assigned; null: an archive, a category that the "
        "model does not know, or min_precision decided"
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
    decision: Decision = Field(description="By the limits and the model's own thresholds")
    model: str = Field(description="SHA-256 of the manifest of the model that answered")
    timing: Timing


class Answered(BaseModel):
    """Answers in the order of the papers."""

    version: str = Field(description="arxiv-core's")
    papers: list[Classified]


EXPLAIN = Link(
    "explain",
    "Which sentences of the first paper mattered",
    {"title": "$request.body#/papers/0/title", "abstract": "$request.body#/papers/0/abstract"},
)


def answering(
    classifier: Live, *, timeout: float | None, limits: Limits, field: str = "papers"
) -> Callable[[Sequence[Submitted], Options], Awaitable[list[Classified]]]:
    """Build what answers a request's papers.

    Parameters
    ----------
    classifier
        Answers every paper.
    timeout
        Seconds after which a request is answered 504; None: never.
    limits
        Of the decision, each where a request does not give it.
    field
        What a refusal calls the papers.

    Returns
    -------
    collections.abc.Callable
        Papers and options to what is said about each, in their order.
    """

    async def one(number: int, paper: Submitted, options: str, within: str) -> Classified:
        try:
            scored = await classifier.submit(paper.submission(), timeout=timeout)
        except arxiv_core.InputError as error:
            raise arxiv_core.InputError(f"{field}.{number}.{error}") from None
        ranked = scored.rank(options, paper.primary).categories
        names = ("queue", "tokenize", "wait", "run", "batch")
        return Classified(
            categories=[Category.model_validate(label, from_attributes=True) for label in ranked],
            truncated=scored.truncated,
            tokens=scored.tokens,
            decision=Decision.model_validate_json(scored.decide(paper.primary, within)),
            model=scored.model,
            timing=Timing.model_validate(dict(zip(names, scored.timing, strict=True))),
        )

    async def every(papers: Sequence[Submitted], asked: Options) -> list[Classified]:
        options = asked.model_dump_json(exclude={"papers", "limits"})
        # What is wrong is said before the encoder's work.
        check_ranking(options)
        own = asked.limits.model_dump(exclude_unset=True)
        within = limits.model_copy(update=own).model_dump_json()

        async def each(numbered: tuple[int, Submitted]) -> Classified:
            return await one(*numbered, options, within)

        room = classifier.options["capacity"]
        return await together(each, list(enumerate(papers)), timeout, room=room)

    return every


def router(classifier: Live, *, max_body: int, timeout: float | None, limits: Limits) -> APIRouter:
    """Build the routes.

    Parameters
    ----------
    classifier
        Answers every request.
    max_body
        Largest request body in bytes.
    timeout
        Seconds after which a request is answered 504; None: never.
    limits
        Of the decision, each where a request does not give it.

    Returns
    -------
    fastapi.APIRouter
        ``POST /v1/classify``.
    """
    routes = APIRouter(prefix="/v1")
    every = answering(classifier, timeout=timeout, limits=limits)

    @routes.post(
        "/classify",
        name="classify_papers",
        summary="Classify papers, many at a time",
        response_model=Answered,
        responses=leads(EXPLAIN) | fails(Refusal, MEANT),
        openapi_extra=takes(Asked),
    )
    async def classify(request: Request) -> Answered:
        asked = parsed(Asked, await json_body(request, max_body))
        return Answered(
            version=arxiv_core.__version__,
            papers=await while_connected(request, every(asked.papers, asked)),
        )

    return routes
