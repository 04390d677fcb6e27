"""The classifier as a service of BentoML, for those who run it; `arxiv-core serve` has more to it.

    make .stamps/bento
    .venv-bento/bin/bentoml serve service:Categories --working-dir deploy/bentoml

``POST /classify`` takes ``{title, abstract, primary?}`` and answers ``[{category, probability}]``,
arXiv's own contract; ``GET /readyz`` says whether it does. BentoML's adaptive batching lets those
requests run together that come together. ``ARXIV_CORE_BENTO_MODEL`` names another model than the
default one, ``ARXIV_CORE_BENTO_DTYPE`` the number format of the encoder (``f32``, ``bf16``).
"""

from __future__ import annotations

import os
from typing import Any

import bentoml
from arxiv_core import ArxivCoreError, Classifier
from arxiv_core._core import canonical
from pydantic import BaseModel, RootModel, field_validator, model_validator
from starlette.responses import Response


class Paper(BaseModel):
    """A paper to classify."""

    title: str
    abstract: str
    primary: str | None = None

    @field_validator("primary")
    @classmethod
    def known(cls, primary: str | None) -> str | None:
        """Refuse what arXiv does not have here: in a batch it would cost others their answer."""
        if primary:
            try:
                canonical(primary)
            except ArxivCoreError as error:
                raise ValueError(str(error)) from None
        return primary or None


class Suggestion(BaseModel):
    """One category of an answer."""

    category: str
    probability: float


class One(bentoml.IODescriptor):
    """The paper of a request, as the batch of one that BentoML joins with others."""

    papers: list[Paper]

    @model_validator(mode="before")
    @classmethod
    def batch(cls, body: object) -> dict[str, Any]:
        """Put the body where a batch has its first paper."""
        return {"papers": [body]}

    @classmethod
    def model_json_schema(cls, *arguments: object, **named: object) -> dict[str, Any]:
        """Describe what a request sends."""
        return Paper.model_json_schema(*arguments, **named)


class Suggestions(bentoml.IODescriptor, RootModel[list[Suggestion]]):
    """Categories of a paper, best first."""

    @classmethod
    async def to_http_response(cls, obj: list[Any], serde: object) -> Response:  # noqa: ARG003
        """Write the only answer of the request's part of the batch."""
        [answer] = obj
        return Response(cls(answer).model_dump_json(), media_type="application/json")


@bentoml.service(workers=1, traffic={"timeout": 60})
class Categories:
    """arXiv categories of single papers."""

    def __init__(self) -> None:
        self.classifier = Classifier.load(
            os.environ.get("ARXIV_CORE_BENTO_MODEL"),
            dtype=os.environ.get("ARXIV_CORE_BENTO_DTYPE", "f32"),
        )

    @bentoml.api(
        route="/classify",
        batchable=True,
        max_batch_size=64,
        input_spec=One,
        output_spec=Suggestions,
    )
    def classify(self, papers: list[Paper]) -> list[list[Suggestion]]:
        """Sort a paper into arXiv categories."""
        predictions = self.classifier.classify([paper.model_dump() for paper in papers])
        return [
            [
                # Who declared an alias looks for it, not for the pair's canonical name.
                Suggestion(
                    category=paper.primary
                    if paper.primary and canonical(paper.primary) == one.category
                    else one.category,
                    probability=one.probability,
                )
                for one in prediction.categories
            ]
            for paper, prediction in zip(papers, predictions, strict=True)
        ]
