"""``/v1/explain``: which sentences of a paper speak for its categories, and which against."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

import arxiv_core
from arxiv_core import _core
from arxiv_core.live import Submission
from arxiv_core.serve.body import json_body, parsed, while_connected
from arxiv_core.serve.refusals import MEANT, Refusal
from arxiv_core.serve.schemas import EXAMPLE, MAX_TEXT, WHOLE, ArxivCategory, Strict
from arxiv_core.serve.scoring import Live, Scored
from arxiv_core.serve.service import Link, fails, leads, takes
from arxiv_core.serve.together import together
from arxiv_core.serve.v1 import Category

__all__ = ["Explained", "Explainer", "Questioned", "Span", "router"]

MOST = 24
"""Parts into which a paper is taken apart; neighbouring sentences go together beyond that."""

TOGETHER = 4
"""Variants of a paper that are under way at once: the queue stays open to whoever classifies."""

ATTEMPTS = 3
"""Times that an explanation is begun again because another model took over in its midst."""

AT_ONCE = 8
"""Explanations under way; one more is refused. Each costs as much as several papers."""


class Questioned(Strict):
    """A paper to explain."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"top_k": 2}]})

    title: str = Field(max_length=MAX_TEXT, description="Title, LaTeX allowed")
    abstract: str = Field(max_length=MAX_TEXT, description="Abstract, LaTeX allowed")
    categories: list[ArxivCategory] | None = Field(
        default=None,
        min_length=1,
        max_length=32,
        description="Categories to explain; null: the best ones",
    )
    top_k: Annotated[int, WHOLE] = Field(
        default=5, ge=1, le=32, description="How many, where none are named"
    )


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


DECIDE = Link(
    "classify_papers",
    "What a moderator would do had the paper's author declared the first of these categories",
    {
        "papers": [
            {
                "title": "$request.body#/title",
                "abstract": "$request.body#/abstract",
                "primary": "$response.body#/categories/0/category",
            }
        ]
    },
)


class Explainer:
    """Explains papers through a live classifier, few at a time.

    Parameters
    ----------
    classifier
        Answers every variant, as a request like any other.
    timeout
        Seconds that an explanation may take; None: any time.
    """

    def __init__(self, classifier: Live, timeout: float | None) -> None:
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
        timeout: float | None = None,
    ) -> Explanation:
        """Explain a paper.

        Parameters
        ----------
        title, abstract
            The paper.
        categories
            Categories to explain; None: the `top_k` best.
        top_k
            How many, where none are named.
        timeout
            Seconds that whoever asks has left, where those are fewer than an explanation may take.

        Returns
        -------
        Explanation
            Parts of the paper, and categories with a contribution a part.

        Raises
        ------
        InputError
            The model does not know such a category.
        OverloadedError
            As many explanations, or requests, are under way as may be.
        DeadlineError
            The whole took longer than it may.
        StoppingError
            The engine drains.
        """
        if self._under_way >= AT_ONCE:
            raise arxiv_core.OverloadedError(
                f"{AT_ONCE} explanations are under way, which is as many as may be; try again later"
            )
        limits = [one for one in (self._timeout, timeout) if one is not None]
        limit = min(limits, default=None)
        self._under_way += 1
        try:
            async with asyncio.timeout(limit):
                for _ in range(ATTEMPTS):
                    found = await self._explain(title, abstract, categories, top_k)
                    if found is not None:
                        return found
        except TimeoutError:
            raise arxiv_core.DeadlineError(f"not explained within {limit:.4g} s") from None
        else:
            raise arxiv_core.OverloadedError("the model changes faster than it explains a paper")
        finally:
            self._under_way -= 1

    async def _explain(
        self, title: str, abstract: str, categories: Sequence[str] | None, top_k: int
    ) -> Explanation | None:
        """Explain a paper; None where another model took over meanwhile."""
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
        papers = [(title, text) for *_, title, text in variants]
        room = min(TOGETHER, self._classifier.options["capacity"])
        without = await together(lambda paper: self._submit(*paper), papers, room=room)
        spans = [
            Span.model_validate({"field": field, "start": start, "end": end})
            for field, start, end, _, _ in variants
        ]
        if {one.model for one in without} - {whole.model}:
            return None
        return Explanation(
            version=arxiv_core.__version__,
            model=whole.model,
            spans=spans,
            categories=EXPLAINED.validate_json(whole.explain(without, options)),
            truncated=whole.truncated,
        )

    async def _submit(self, title: str, abstract: str) -> Scored:
        submission: Submission = {"title": title, "abstract": abstract}
        return await self._classifier.submit(submission, timeout=self._timeout)


def router(explainer: Explainer, *, max_body: int) -> APIRouter:
    """Build the route.

    Parameters
    ----------
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
        summary="Which sentences of a paper speak for its categories",
        response_model=Explanation,
        responses=leads(DECIDE) | fails(Refusal, MEANT),
        openapi_extra=takes(Questioned),
    )
    async def explain(request: Request) -> Explanation:
        asked = parsed(Questioned, await json_body(request, max_body))
        answer = explainer(
            asked.title, asked.abstract, categories=asked.categories, top_k=asked.top_k
        )
        return await while_connected(request, answer)

    return routes
