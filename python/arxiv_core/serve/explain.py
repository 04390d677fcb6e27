"""``/v1/explain``: which sentences of a paper speak for its categories, and which against."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.exceptions import HTTPException

import arxiv_core
from arxiv_core import _core
from arxiv_core.live import Submission
from arxiv_core.serve.body import body, parsed, while_connected
from arxiv_core.serve.refusals import Refusal
from arxiv_core.serve.service import COMPONENTS
from arxiv_core.serve.v1 import MAX_TEXT, Category, Scored

__all__ = ["Explained", "Explainer", "Explaining", "Questioned", "Span", "router"]

MOST = 24
"""Parts into which a paper is taken apart; neighbouring sentences go together beyond that."""

TOGETHER = 4
"""Variants of a paper that are under way at once: the queue stays open to whoever classifies."""

AT_ONCE = 8
"""Explanations under way; one more is refused. Each costs as much as several papers."""


class Questioned(BaseModel):
    """A paper to explain."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(max_length=MAX_TEXT, description="Title, LaTeX allowed")
    abstract: str = Field(max_length=MAX_TEXT, description="Abstract, LaTeX allowed")
    categories: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=32,
        description="Categories to explain; null: the best ones",
    )
    top_k: int = Field(default=5, ge=1, le=32, description="How many, where none are named")


class Span(BaseModel):
    """A part of the paper: its title, or a sentence or several of its abstract."""

    field: Literal["title", "abstract"]
    start: int = Field(description="First character, counted in code points")
    end: int = Field(description="The character behind the last one")


class Explained(Category):
    """A category, and what each part contributes to it."""

    contributions: list[float] = Field(
        description="For each span what the category's log odds lose without it"
    )


class Explanation(BaseModel):
    """Which parts speak for which category."""

    version: str
    model: str = Field(description="SHA-256 of the model's manifest")
    spans: list[Span]
    categories: list[Explained]
    truncated: bool = Field(description="The text was longer than the model reads")


EXPLAINED = TypeAdapter(list[Explained])


class Explainable(Scored, Protocol):
    """What a model found about one paper, comparable to what it found about its variants."""

    def explain(self, without: list[Any], options: str = ...) -> str: ...


class Explaining(Protocol):
    """What this route needs of a live classifier."""

    def info(self) -> dict[str, Any]:
        """Return what the model is."""
        ...

    async def submit(self, paper: Submission, *, timeout: float | None = ...) -> Explainable:
        """Score a paper."""
        ...


class Explainer:
    """Explains papers through a live classifier, few at a time.

    Parameters
    ----------
    classifier
        Answers every variant, as a request like any other.
    timeout
        Seconds that an explanation may take; None: any time.
    """

    def __init__(self, classifier: Explaining, timeout: float | None) -> None:
        self._classifier = classifier
        self._timeout = timeout
        self._under_way = 0

    async def __call__(
        self,
        title: str,
        abstract: str,
        *,
        categories: Sequence[str] | None = None,
        top_k: int = 5,
    ) -> tuple[list[Span], list[Explained], bool]:
        """Explain a paper.

        Parameters
        ----------
        title, abstract
            The paper.
        categories
            Categories to explain; None: the `top_k` best.
        top_k
            How many, where none are named.

        Returns
        -------
        spans
            Parts of the paper.
        categories
            Categories with a contribution a span.
        truncated
            Whether the text was longer than the model reads.

        Raises
        ------
        InputError
            The model does not know such a category.
        OverloadedError
            As many explanations, or requests, are under way as may be.
        DeadlineError
            The whole took longer than a request may.
        StoppingError
            The engine drains.
        """
        if self._under_way >= AT_ONCE:
            raise arxiv_core.OverloadedError(
                f"{AT_ONCE} explanations are under way, which is as many as may be; try again later"
            )
        self._under_way += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await self._explain(title, abstract, categories, top_k)
        except TimeoutError:
            raise arxiv_core.DeadlineError(f"not explained within {self._timeout} s") from None
        finally:
            self._under_way -= 1

    async def _explain(
        self, title: str, abstract: str, categories: Sequence[str] | None, top_k: int
    ) -> tuple[list[Span], list[Explained], bool]:
        options = json.dumps(
            {
                "most": MOST,
                "categories": None if categories is None else list(categories),
                "top_k": top_k,
            }
        )
        whole = await self._submit(title, abstract)
        # A category that the model does not know is found before the variants are scored.
        whole.explain([], options)
        variants = _core.variants(title, abstract, options)
        without: list[Explainable] = []
        for start in range(0, len(variants), TOGETHER):
            some = variants[start : start + TOGETHER]
            without += await self._together([(title, text) for *_, title, text in some])
        spans = [
            Span.model_validate({"field": field, "start": start, "end": end})
            for field, start, end, _, _ in variants
        ]
        return spans, EXPLAINED.validate_json(whole.explain(without, options)), whole.truncated

    async def _submit(self, title: str, abstract: str) -> Explainable:
        submission: Submission = {"title": title, "abstract": abstract}
        return await self._classifier.submit(submission, timeout=self._timeout)

    async def _together(self, papers: Sequence[tuple[str, str]]) -> list[Explainable]:
        tasks = [asyncio.ensure_future(self._submit(*paper)) for paper in papers]
        try:
            return await asyncio.gather(*tasks)
        finally:
            # One refusal ends the explanation: what is left of it is dropped.
            for task in tasks:
                task.cancel()


def router(classifier: Explaining, explainer: Explainer, *, max_body: int) -> APIRouter:
    """Build the route.

    Parameters
    ----------
    classifier
        The explainer's.
    explainer
        Explains every paper.
    max_body
        Largest request body in bytes.

    Returns
    -------
    fastapi.APIRouter
        ``POST /v1/explain``.
    """
    routes = APIRouter(prefix="/v1")

    @routes.post(
        "/explain",
        response_model=Explanation,
        responses={
            status: {"model": Refusal, "description": text}
            for status, text in (
                (400, "Not JSON, or a category that the model does not know"),
                (413, "Body too large"),
                (415, "Not application/json"),
                (422, "A field is missing, unknown or wrong"),
                (429, "As many requests, or explanations, are under way as may be"),
                (500, "A fault of the service"),
                (503, "The service is stopping"),
                (504, "Not answered in time"),
            )
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": f"{COMPONENTS}Questioned"}}},
            }
        },
    )
    async def explain(request: Request) -> Explanation:
        form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if form != "application/json":
            raise HTTPException(415, f"Content-Type {form!r}: must be application/json")
        asked = parsed(Questioned, await body(request, max_body))
        answer = explainer(
            asked.title, asked.abstract, categories=asked.categories, top_k=asked.top_k
        )
        spans, categories, truncated = await while_connected(request, answer)
        return Explanation(
            version=arxiv_core.__version__,
            model=str(classifier.info()["sha256"]),
            spans=spans,
            categories=categories,
            truncated=truncated,
        )

    return routes
