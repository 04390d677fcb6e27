"""OpenAI's embeddings, for clients that know them.

Contract: https://platform.openai.com/docs/api-reference/embeddings/create, and
https://platform.openai.com/docs/guides/error-codes for the errors.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from arxiv_core.serve.body import body, parsed, while_connected
from arxiv_core.serve.embedding import Texts, embedded
from arxiv_core.serve.refusals import FieldError, Said
from arxiv_core.serve.schemas import EXAMPLE, MAX_TEXT, WHOLE
from arxiv_core.serve.scoring import Live
from arxiv_core.serve.service import Link, fails, leads, takes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BODIES", "router", "to_error"]

MAX_INPUTS = 2048
"""Inputs in a request, as OpenAI has it."""

FAILURES = {
    400: "Not JSON, or a field is missing, wrong or too long",
    401: "API keys are set, and none of them was sent",
    408: "The body did not come in time",
    413: "Body too large",
    415: "Compressed",
    429: "As many requests are under way as may be",
    500: "A fault of the service",
    503: "The service is stopping",
    504: "Not answered in time",
}


class EmbeddingsRequest(BaseModel):
    """Texts to embed; fields that are not here are passed over."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"input": [EXAMPLE["abstract"]]}]}
    )

    input: Texts
    model: str | None = Field(default=None, description="Comes back as it is")
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, WHOLE] | None = Field(
        default=None, description="Refused unless the encoder's own"
    )
    truncate: bool = Field(
        default=False,
        description="Cut a text that is too long, which OpenAI has not: it is refused otherwise",
    )


class EmbeddingObject(BaseModel):
    """A text's embedding."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(description="Numbers, or f32 little-endian in base64")


class Usage(BaseModel):
    """Tokens that the model read."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(BaseModel):
    """Embeddings in the order of the texts."""

    object: Literal["list"] = "list"
    data: list[EmbeddingObject]
    model: str
    usage: Usage


class ModelObject(BaseModel):
    """A model."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="When the service began, in seconds since 1970")
    owned_by: str


class ModelList(BaseModel):
    """The one model that answers."""

    object: Literal["list"] = "list"
    data: list[ModelObject]


class Problem(BaseModel):
    """What was wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(BaseModel):
    """Every error's body."""

    error: Problem


BODIES = (EmbeddingsRequest,)
"""Bodies that the routes read themselves."""


RETRIEVE = Link("model", "The same alone", parameters={"model": "$response.body#/data/0/id"})
EMBED = Link("embeddings", "Embed texts and name the model", {"model": "$response.body#/data/0/id"})


def to_error(told: Said) -> JSONResponse:
    """Answer as OpenAI does: what is wrong with a request is a 400."""
    status = 400 if told.status == 422 else told.status
    kind, code = "invalid_request_error", None
    if status == 429:
        kind, code = "requests", "rate_limit_exceeded"
    elif status == 404 and told.field == "model":
        code = "model_not_found"
    elif status >= 500:
        kind = "server_error"
    problem = Problem(message=told.message, type=kind, param=told.field, code=code)
    answer = OpenAIError(error=problem).model_dump()
    return JSONResponse(answer, status_code=status, headers=told.headers)


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
        ``POST /v1/embeddings``, ``GET /v1/models``, ``GET /v1/models/{model}``.
    """
    routes = APIRouter(prefix="/v1")
    began = int(time.time())

    def name() -> str:
        return str(live.info()["encoder"]["name"])

    @routes.post(
        "/embeddings",
        summary="Embed texts, as OpenAI does",
        responses=fails(OpenAIError, FAILURES),
        openapi_extra=takes(EmbeddingsRequest),
    )
    async def embeddings(request: Request) -> EmbeddingList:
        asked = parsed(EmbeddingsRequest, await body(request, max_body))
        _check(asked)
        answers = await while_connected(request, embedded(live, asked.input, timeout))
        for number, answer in enumerate(answers):
            if answer.truncated and not asked.truncate:
                most = live.info()["max_length"]
                raise FieldError(f"input.{number}", f"longer than {most} tokens")
            if asked.dimensions not in (None, len(answer.values)):
                raise FieldError("dimensions", f"this model has {len(answer.values)}")
        tokens = sum(answer.tokens for answer in answers)
        return EmbeddingList(
            data=[
                EmbeddingObject(index=number, embedding=_written(answer.values, asked))
                for number, answer in enumerate(answers)
            ],
            model=asked.model or name(),
            usage=Usage(prompt_tokens=tokens, total_tokens=tokens),
        )

    def described() -> ModelObject:
        return ModelObject(id=name(), created=began, owned_by="arxiv-core")

    @routes.get(
        "/models",
        summary="The one model that answers",
        responses=leads(RETRIEVE, EMBED) | fails(OpenAIError, {401: FAILURES[401]}),
    )
    async def models() -> ModelList:
        return ModelList(data=[described()])

    @routes.get(
        "/models/{model:path}",
        name="model",
        summary="The model of this name",
        responses=fails(OpenAIError, {401: FAILURES[401], 404: "Another model answers"}),
        openapi_extra={
            "parameters": [
                {
                    "name": "model",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "minLength": 1},
                }
            ]
        },
    )
    async def one_model(request: Request) -> ModelObject:
        asked = request.path_params["model"]
        if asked != name():
            raise FieldError("model", f"{asked!r} is not served, {name()!r} is", 404)
        return described()

    return routes


def _check(asked: EmbeddingsRequest) -> None:
    texts = asked.input
    if not 1 <= len(texts) <= MAX_INPUTS:
        raise FieldError("input", f"{len(texts)} texts: from 1 to {MAX_INPUTS}")
    for number, text in enumerate(texts):
        if not text:
            raise FieldError(f"input.{number}", "cannot be an empty string")
        if len(text) > MAX_TEXT and not asked.truncate:
            reason = f"{len(text)} characters, which is more than {MAX_TEXT}"
            raise FieldError(f"input.{number}", reason)


def _written(values: NDArray[np.float32], asked: EmbeddingsRequest) -> list[float] | str:
    if asked.encoding_format == "base64":
        return base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")
    numbers: list[float] = values.tolist()
    return numbers
