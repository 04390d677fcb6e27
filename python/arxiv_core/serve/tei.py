"""The routes of Hugging Face's text-embeddings-inference (TEI), for clients that know it.

Its contract is https://huggingface.github.io/text-embeddings-inference, and where that is silent
``router/src/http`` of its sources. TEI serves a classifier or an encoder; this is both at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from starlette.exceptions import HTTPException

import arxiv_core
from arxiv_core.serve.body import body, parsed, while_connected
from arxiv_core.serve.embedding import Text, Texts, embedded
from arxiv_core.serve.refusals import FieldError, Message, Said
from arxiv_core.serve.schemas import EXAMPLE, MAX_TEXT, WHOLE
from arxiv_core.serve.scoring import Embedded, Live, Scored
from arxiv_core.serve.service import Link, fails, leads, takes
from arxiv_core.serve.together import together

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BODIES", "router", "to_error"]

MAX_BATCH = 64
"""Inputs in a request; TEI's own default is 32."""

Pair = Annotated[
    list[str],
    Field(min_length=1, max_length=2, json_schema_extra={"contains": {"minLength": 1}}),
]
Batch = Annotated[list[Pair], Field(min_length=1, max_length=MAX_BATCH)]
NoPrompt = Annotated[str | None, WithJsonSchema({"type": "null"})]
Count = Annotated[int, WHOLE, WithJsonSchema({"type": "integer", "minimum": 1})]

EVERY = '{"all": true}'
"""All labels, best first."""

ErrorType = Literal["Unhealthy", "Backend", "Overloaded", "Validation", "Tokenizer", "Empty"]

TYPES: dict[int, ErrorType] = {
    422: "Tokenizer",
    424: "Backend",
    429: "Overloaded",
    503: "Unhealthy",
    504: "Backend",
}
"""Any other status is a ``Validation``."""

FAILURES = {
    400: "Not JSON, or an input is empty",
    401: "API keys are set, and none of them was sent",
    408: "The body did not come in time",
    413: "Too many inputs, or one is too long, or the body is too large",
    415: "Compressed",
    422: "A field is missing or has the wrong type",
    424: "What the model cannot do, or a fault of the service",
    429: "As many requests are under way as may be",
    503: "The service is stopping",
    504: "Not answered in time",
}


class ErrorResponse(BaseModel):
    """Every error's body."""

    error: str
    error_type: ErrorType


class Cut(BaseModel):
    """What becomes of an input that is longer than the model reads."""

    # As TEI's own bodies: no string is taken for a number or for true.
    model_config = ConfigDict(strict=True)

    truncate: bool | None = Field(default=None, description="Cut it; it is refused otherwise")
    truncation_direction: Literal["Left", "Right", "left", "right"] = Field(
        default="Right", description="Which end is cut off; only the right one can be"
    )


class EmbedRequest(Cut):
    """Texts to embed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"inputs": EXAMPLE["abstract"]}]})

    inputs: Texts
    normalize: bool = Field(default=True, description="Scale every vector to length one")
    prompt_name: NoPrompt = Field(default=None, description="Refused: there are no prompts")
    dimensions: Count | None = Field(default=None, description="Leading numbers to keep")


@dataclass(frozen=True)
class Papers:
    """Titles and abstracts."""

    papers: Sequence[tuple[str, str]]
    batch: bool
    """Whether a list of answers is expected, even of one."""


def _papers(value: object) -> Papers:
    """Read a text, a pair, or a list of lists of one or two."""
    batch = isinstance(value, list) and bool(value) and isinstance(value[0], list)
    papers = []
    for one in value if isinstance(value, list) and batch else [value]:
        match one:
            case [str(text)]:
                papers.append(("", text))
            case str(text) if not batch:
                # One text is all there is of the paper; cleaning it is the template's affair.
                papers.append(("", text))
            case [str(title), str(abstract)]:
                papers.append((title, abstract))
            case _:
                raise ValueError(
                    "must be a text, a pair [title, abstract], or a list of [text] and pairs"
                )
    return Papers(papers, batch)


class PredictRequest(Cut):
    """Papers to classify."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"inputs": [[EXAMPLE["title"], EXAMPLE["abstract"]]]}]}
    )

    inputs: Annotated[
        Papers,
        PlainValidator(_papers, json_schema_input_type=Text | Pair | Batch),
    ] = Field(description="A text, a pair [title, abstract], or a list of [text] and pairs")
    raw_scores: bool = Field(default=False, description="Log-odds instead of probabilities")


class Label(BaseModel):
    """A label and how well it fits."""

    score: float
    label: str


class Labels(BaseModel):
    """The labels by their numbers, and the other way round."""

    id2label: dict[str, str]
    label2id: dict[str, int]


class ModelType(BaseModel):
    """What the model does."""

    classifier: Labels


class ServerInfo(BaseModel):
    """Which code and which model answer, and within which limits."""

    model_id: str = Field(description="The encoder")
    model_sha: str = Field(description="SHA-256 of the model's manifest")
    model_dtype: str
    model_type: ModelType
    max_concurrent_requests: int
    max_input_length: int = Field(description="Tokens")
    max_batch_tokens: int | None = Field(description="null: what suits the device")
    max_batch_requests: int | None
    max_client_batch_size: int
    auto_truncate: bool
    tokenization_workers: int
    version: str
    model: dict[str, object] = Field(description="Everything else about the model")


BODIES = (EmbedRequest, PredictRequest)
"""Bodies that the routes read themselves."""


EXPLAIN = Link(
    "explain",
    "What speaks in a paper for a category that the model knows",
    {"categories": ["$response.body#/model_type/classifier/id2label/0"]},
)


def to_error(told: Said) -> JSONResponse:
    """Answer as TEI does: a fault within is a 424."""
    status = 424 if told.status == 500 else told.status
    # A field that is refused with 400 is an empty one; its other mistakes have other numbers.
    empty = status == 400 and told.field is not None
    kind: ErrorType = "Empty" if empty else TYPES.get(status, "Validation")
    answer = ErrorResponse(error=told.message, error_type=kind)
    return JSONResponse(answer.model_dump(), status_code=status, headers=told.headers)


def router(live: Live, *, max_body: int, timeout: float | None) -> APIRouter:
    """Build the routes.

    Parameters
    ----------
    live
        Answers every request.
    max_body
        Largest request body in bytes.
    timeout
        Seconds after which a request is answered 504; None: never.

    Returns
    -------
    fastapi.APIRouter
        ``POST /embed``, ``POST /predict``, ``GET /info``.
    """
    routes = APIRouter()

    @routes.post(
        "/embed",
        summary="Embed texts",
        responses=fails(ErrorResponse, FAILURES),
        openapi_extra=takes(EmbedRequest),
    )
    async def embed(request: Request) -> list[list[float]]:
        asked = parsed(EmbedRequest, await body(request, max_body))
        _check_batch([bool(text) for text in asked.inputs])
        if asked.prompt_name is not None:
            raise HTTPException(413, f"no prompt is named {asked.prompt_name!r}: there are none")
        if asked.dimensions is not None and asked.dimensions < 1:
            raise HTTPException(413, "`dimensions` should be positive")
        if not asked.normalize and str(live.info().get("pooling")).endswith("+normalize"):
            raise HTTPException(424, "`normalize`: all vectors of this encoder have length one")

        _check_texts(asked, asked.inputs)
        answering = embedded(live, asked.inputs, timeout)
        answers = await while_connected(request, answering)
        _check_whole(asked, answers, live)
        return [_vector(answer.values, asked) for answer in answers]

    @routes.post(
        "/predict",
        summary="Probabilities of every label",
        response_model=list[Label] | list[list[Label]],
        responses=fails(ErrorResponse, FAILURES),
        openapi_extra=takes(PredictRequest),
    )
    async def predict(request: Request) -> JSONResponse:
        asked = parsed(PredictRequest, await body(request, max_body))
        papers = asked.inputs.papers
        _check_batch([bool(title or abstract) for title, abstract in papers])

        _check_texts(asked, [max(paper, key=len) for paper in papers])

        async def one(paper: tuple[str, str]) -> Scored:
            title, abstract = (text[:MAX_TEXT] for text in paper)
            return await live.submit({"title": title, "abstract": abstract}, timeout=timeout)

        answering = together(one, papers, timeout, room=live.options["capacity"])
        answers = await while_connected(request, answering)
        _check_whole(asked, answers, live)
        score = _log_odds if asked.raw_scores else float
        # Plain, not checked again: thousands of them would hold up the event loop.
        labels = [
            [
                {"score": score(ranked.probability), "label": ranked.category}
                for ranked in answer.rank(EVERY).categories
            ]
            for answer in answers
        ]
        return JSONResponse(labels if asked.inputs.batch else labels[0])

    @routes.get(
        "/info",
        summary="Which code and which model answer, within which limits",
        responses=leads(EXPLAIN) | fails(Message, {401: FAILURES[401]}),
    )
    async def info() -> ServerInfo:
        about, options = live.info(), live.options
        labels = list(live.labels)
        return ServerInfo(
            model_id=about["encoder"]["name"],
            model_sha=about["sha256"],
            model_dtype={"f32": "float32", "bf16": "bfloat16"}.get(about["dtype"], about["dtype"]),
            model_type=ModelType(
                classifier=Labels(
                    id2label={str(number): label for number, label in enumerate(labels)},
                    label2id={label: number for number, label in enumerate(labels)},
                )
            ),
            max_concurrent_requests=options["capacity"],
            max_input_length=about["max_length"],
            max_batch_tokens=options["batch_tokens"],
            max_batch_requests=None,
            max_client_batch_size=MAX_BATCH,
            auto_truncate=False,
            tokenization_workers=options["tokenizer_threads"],
            version=arxiv_core.__version__,
            model=about,
        )

    return routes


def _check_batch(full: Sequence[bool]) -> None:
    """Refuse too many inputs, and empty ones."""
    if len(full) > MAX_BATCH:
        reason = f"batch size {len(full)} > maximum allowed batch size {MAX_BATCH}"
        raise HTTPException(413, reason)
    if not all(full) or not full:
        raise FieldError("inputs", "cannot be empty", 400)


def _check_texts(asked: Cut, texts: Sequence[str]) -> None:
    """Refuse texts that are too long to be tokenized, unless they may be cut."""
    for at, text in enumerate(texts):
        if len(text) > MAX_TEXT and not asked.truncate:
            reason = f"`inputs` must have at most {MAX_TEXT} characters, or `truncate` be true"
            raise HTTPException(413, f"{reason}: input {at} has {len(text)}")


def _check_whole(asked: Cut, answers: Sequence[Embedded | Scored], live: Live) -> None:
    """Refuse what was cut without leave, or at the wrong end."""
    cut = next((at for at, answer in enumerate(answers) if answer.truncated), None)
    if cut is None:
        return
    if not asked.truncate:
        most = live.info()["max_length"]
        reason = f"`inputs` must have at most {most} tokens, or `truncate` be true: input {cut}"
        raise HTTPException(413, reason)
    if asked.truncation_direction.lower() == "left":
        raise FieldError("truncation_direction", "only the right end can be cut off")


def _vector(values: NDArray[np.float32], asked: EmbedRequest) -> list[float]:
    """Return a vector as it was asked for: cut first, then scaled, as TEI does."""
    if asked.dimensions is not None:
        if asked.dimensions > len(values):
            reason = f"`dimensions` should be at most {len(values)}: {asked.dimensions}"
            raise HTTPException(413, reason)
        values = values[: asked.dimensions]
    if asked.normalize:
        values = values / max(float(np.linalg.norm(values)), 1e-12)
    numbers: list[float] = values.tolist()
    return numbers


def _log_odds(probability: float) -> float:
    """Return the logarithm of the odds, finite where f32 has no numbers left before 0 or 1."""
    inside = min(max(probability, 2.0**-126), 1 - 2.0**-24)
    return math.log(inside / (1 - inside))
