"""The application: arXiv's own classifier contract over one loaded classifier."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Literal, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client.exposition import choose_encoder
from starlette.exceptions import HTTPException

import arxiv_core
from arxiv_core._core import canonical
from arxiv_core.live import Submission
from arxiv_core.serve import explain, page, v1
from arxiv_core.serve.access import Access
from arxiv_core.serve.body import body, parsed, while_connected
from arxiv_core.serve.metrics import Measured, Requests, registry
from arxiv_core.serve.refusals import Message, said, to_message, to_refusal
from arxiv_core.serve.schemas import Health, Info, Paper, Ready, Suggestion
from arxiv_core.serve.service import COMPONENTS, Service

__all__ = ["MAX_BODY", "create_app"]

MAX_BODY = 1024 * 1024
"""Largest request body in bytes; the longest abstract on arXiv has about 6 kB."""

TOP = '{"top_k": 5}'
"""Categories in an answer, before a declared primary that is not among them."""

PROBE: Submission = {"title": "On rings", "abstract": "Every ring is a module over itself."}
"""The paper that is classified before the service calls itself ready."""

log = logging.getLogger(__name__)


class Classifying(explain.Explaining, Measured, Protocol):
    """What the service needs of a live classifier, which is entered while it serves."""

    async def __aenter__(self) -> object: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    async def drain(self, timeout: float) -> bool: ...


def create_app(
    classifier: Classifying,
    *,
    max_body: int = MAX_BODY,
    timeout: float | None = None,
    drain: float = 10,
    arxiv_lookup: str | None = None,
) -> FastAPI:
    """Build the service around a classifier.

    Parameters
    ----------
    classifier
        Answers every request.
    max_body
        Largest request body in bytes; more is answered 413.
    timeout
        Seconds after which a request is answered 504; None: never.
    drain
        Seconds that a stopping service waits for requests under way.
    arxiv_lookup
        Address of arXiv's interface, by which the page looks papers up; None: it does not.

    Returns
    -------
    fastapi.FastAPI
        ``POST /classify``, ``POST /v1/classify``, ``POST /v1/explain``, ``GET /health``,
        ``GET /ready``, ``GET /metrics``, ``GET /info``; the page at ``/``.
    """
    state: Literal["starting", "ready", "stopping"] = "starting"

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal state
        async with classifier:
            # A model that loads may still not answer, and its first answer is its slowest.
            await classifier.submit(PROBE)
            state = "ready"
            yield
            state = "stopping"
            if not await classifier.drain(drain):
                log.warning("stopped with requests under way after %g s", drain)

    app = Service(
        lifespan=lifespan,
        title="arxiv-core",
        version=arxiv_core.__version__,
        description="Sorts papers into arXiv categories.",
    )
    app.bodies = (Paper, v1.Asked, explain.Questioned)
    metrics = registry(classifier)
    counts = Requests(metrics)
    app.around = (counts.around, Access)

    async def refused(request: Request, error: Exception) -> JSONResponse:
        told = said(error)
        if told.status == 500:
            log.error("request failed", exc_info=error)
        own = request.url.path.startswith("/v1/")
        return to_refusal(told) if own else to_message(told)

    for kind in (HTTPException, arxiv_core.ArxivCoreError, Exception):
        app.add_exception_handler(kind, refused)
    app.include_router(v1.router(classifier, max_body=max_body, timeout=timeout))
    explainer = explain.Explainer(classifier, timeout)
    app.include_router(explain.router(classifier, explainer, max_body=max_body))
    app.include_router(
        page.router(classifier, explainer, max_body=max_body, timeout=timeout, lookup=arxiv_lookup)
    )

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
                (429, "As many requests are under way as may be"),
                (503, "The service is stopping"),
                (504, "Not answered in time"),
            )
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": f"{COMPONENTS}Paper"}}},
            }
        },
    )
    async def classify(request: Request) -> list[Suggestion]:
        paper = parsed(Paper, await body(request, max_body))
        submission: Submission = {
            "title": paper.title,
            "abstract": paper.abstract,
            "primary": paper.primary,
        }
        answer = classifier.submit(submission, timeout=timeout)
        scored = await while_connected(request, answer)
        # Who declared an alias looks for it, not for the pair's canonical name.
        declared = {canonical(paper.primary): paper.primary} if paper.primary else {}
        prediction = scored.rank(TOP, paper.primary)
        return [
            Suggestion(
                category=declared.get(one.category, one.category), probability=one.probability
            )
            for one in prediction.categories
        ]

    @app.get("/health")
    async def health() -> Health:
        return Health(status="ok")

    @app.get("/ready", responses={503: {"model": Ready, "description": "Not now"}})
    async def ready(response: Response) -> Ready:
        response.status_code = 200 if state == "ready" else 503
        return Ready(status=state)

    @app.get("/metrics", response_class=Response)
    async def exposition(request: Request) -> Response:
        encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encoder(metrics), headers={"Content-Type": content_type})

    @app.get("/info")
    async def info() -> Info:
        return Info(version=arxiv_core.__version__, model=classifier.info())

    return app
