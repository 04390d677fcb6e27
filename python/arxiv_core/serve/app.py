"""The application: arXiv's own classifier contract over one loaded classifier."""

from __future__ import annotations

import codecs
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

import arxiv_core
from arxiv_core._core import canonical
from arxiv_core.serve.schemas import Health, Info, Message, Paper, Suggestion

__all__ = ["MAX_BODY", "create_app"]

MAX_BODY = 1024 * 1024
"""Largest request body in bytes; the longest abstract on arXiv has about 6 kB."""

TOP = 5
"""Categories in an answer, before a declared primary that is not among them."""

log = logging.getLogger(__name__)


class Ranked(Protocol):
    """One category of an answer."""

    @property
    def category(self) -> str: ...
    @property
    def probability(self) -> float: ...


class Answer(Protocol):
    """What is said about one paper."""

    @property
    def categories(self) -> Sequence[Ranked]: ...


class Classifying(Protocol):
    """What the service needs of a classifier."""

    def info(self) -> dict[str, Any]: ...
    def classify(
        self, papers: Sequence[Mapping[str, object]], top_k: int | None = ...
    ) -> Sequence[Answer]: ...


def create_app(classifier: Classifying, *, max_body: int = MAX_BODY) -> FastAPI:
    """Build the service around a loaded classifier.

    Parameters
    ----------
    classifier
        Answers every request.
    max_body
        Largest request body in bytes; more is answered 413.

    Returns
    -------
    fastapi.FastAPI
        ``POST /classify``, ``GET /health``, ``GET /info``.
    """
    app = FastAPI(
        title="arxiv-core",
        version=arxiv_core.__version__,
        description="Sorts papers into arXiv categories.",
    )
    # libtorch spreads one forward pass over all cores: two at once would only slow each other.
    turn = anyio.CapacityLimiter(1)

    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        log.error("request failed", exc_info=error)
        return _message(500, "internal error")

    async def refused(_: Request, error: Exception) -> JSONResponse:
        if isinstance(error, HTTPException):
            return _message(error.status_code, str(error.detail), error.headers)
        return _message(500, "internal error")

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, unexpected)

    # The body is read and checked here, not by FastAPI: clients of arXiv's service send no
    # Content-Type, or curl's default one, and expect errors as {"message"}.
    @app.post(
        "/classify",
        response_model=list[Suggestion],
        responses={
            status: {"model": Message, "description": text}
            for status, text in (
                (400, "Not JSON, or an unknown primary"),
                (413, "Body too large"),
                (422, "A field is missing or has the wrong type"),
            )
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": Paper.model_json_schema()}},
            }
        },
    )
    async def classify(request: Request) -> list[Suggestion]:
        paper = _paper(await _body(request, max_body))
        record = paper.model_dump()
        try:
            [prediction] = await anyio.to_thread.run_sync(
                lambda: classifier.classify([record], top_k=TOP), limiter=turn
            )
            # Who declared an alias looks for it, not for the pair's canonical name.
            declared = {canonical(paper.primary): paper.primary} if paper.primary else {}
        except arxiv_core.InputError as error:
            raise HTTPException(400, str(error).removeprefix("paper 0: ")) from None
        return [
            Suggestion(
                category=declared.get(one.category, one.category), probability=one.probability
            )
            for one in prediction.categories
        ]

    @app.get("/health")
    async def health() -> Health:
        return Health(status="ok")

    @app.get("/info")
    async def info() -> Info:
        return Info(version=arxiv_core.__version__, model=classifier.info())

    return app


def _message(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"message": text}, status_code=status, headers=headers)


async def _body(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise HTTPException(413, f"the body is larger than {limit} bytes")
            parts.append(part)
    except ClientDisconnect:
        # Nobody reads the answer; to log it as a failure of ours would be wrong.
        raise HTTPException(400, "the body ended early") from None
    return b"".join(parts).removeprefix(codecs.BOM_UTF8)


def _paper(body: bytes) -> Paper:
    try:
        return Paper.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        if first["type"] == "json_invalid":
            raise HTTPException(400, f"the body is not JSON: {first['msg']}") from None
        field = ".".join(str(part) for part in first["loc"])
        what = f"field {field!r}: {first['msg']}" if field else first["msg"]
        raise HTTPException(422, what) from None
