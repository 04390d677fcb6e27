"""The application: arXiv's own classifier contract over one loaded classifier."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client.exposition import choose_encoder
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

import arxiv_core
from arxiv_core._core import canonical
from arxiv_core.aside import aside
from arxiv_core.serve import explain, openai, page, status, tei, v1, vertex
from arxiv_core.serve.access import REQUEST_ID, Access
from arxiv_core.serve.arriving import Arriving
from arxiv_core.serve.body import body, parsed, while_connected
from arxiv_core.serve.keys import OPEN, Keys, Locked
from arxiv_core.serve.lifetime import Lifetime
from arxiv_core.serve.metrics import Assigning, Requests, registry
from arxiv_core.serve.refusals import ANY_TYPE, Message, Said, said, to_message, to_refusal
from arxiv_core.serve.schemas import Health, Paper, Ready, Suggestion
from arxiv_core.serve.scoring import TOP, Live, LiveModel
from arxiv_core.serve.service import Link, Service, fails, leads, takes
from arxiv_core.serve.swap import PROBE

if TYPE_CHECKING:
    from arxiv_core.serve.tracing import Tracing

__all__ = ["MAX_BODY", "create_app"]

MAX_BODY = 1024 * 1024
"""Largest request body in bytes; the longest abstract on arXiv has about 6 kB."""

DECLARE = Link(
    "classify",
    "The same paper, its best category declared",
    {
        "title": "$request.body#/title",
        "abstract": "$request.body#/abstract",
        "primary": "$response.body#/0/category",
    },
)
EXPLAIN = Link(
    "explain",
    "Which sentences speak for its best category",
    {
        "title": "$request.body#/title",
        "abstract": "$request.body#/abstract",
        "categories": ["$response.body#/0/category"],
    },
)

LEAST_TIME = 1.0
"""Seconds of a stop that belong to the last spans; of one shorter than two, half of it."""

CROSS_ORIGIN: dict[str, Any] = {
    "allow_methods": ["GET", "POST"],
    # Clients send headers of their own: traceparent, OpenAI's x-stainless-lang. That is safe: there
    # are no cookies, so a page can only send the key that it was given, and no header does more.
    "allow_headers": ["*"],
    "expose_headers": [REQUEST_ID, "Retry-After"],
}

FORMS: tuple[tuple[str, Callable[[Said], JSONResponse]], ...] = (
    ("/embed", tei.to_error),
    ("/predict", tei.to_error),
    ("/v1/embeddings", openai.to_error),
    ("/v1/models", openai.to_error),
    ("/v1/", to_refusal),
)
"""How errors are written, by the first part of the path that fits."""

log = logging.getLogger(__name__)


def create_app(
    classifier: LiveModel,
    *,
    max_body: int = MAX_BODY,
    timeout: float | None = None,
    drain: float = 8,
    keys: Keys | None = None,
    origins: Sequence[str] = (),
    tracing: Tracing | None = None,
    arxiv_lookup: str | None = None,
    limits: v1.Limits | None = None,
) -> Service:
    """Build the service around a classifier.

    Parameters
    ----------
    classifier
        Answers every request.
    max_body
        Largest request body in bytes; more is answered 413.
    timeout
        Seconds after which a request is answered 504, or 408 where its body has not come; None:
        never.
    drain
        Seconds that a stopping service takes at most: for requests under way, then for their spans.
    keys
        Who may ask; None: everybody.
    origins
        Origins (``https://desk.example.org``, or ``*``) whose pages may ask from a browser.
    tracing
        Makes spans of requests.
    arxiv_lookup
        Address of arXiv's interface, by which the page looks papers up; None: it does not.
    limits
        Of a moderator's decision, where a request gives none; None: those of arXiv.

    Returns
    -------
    Service
        ``POST /classify``, ``GET /status``, ``POST /v1/classify``, ``POST /v1/explain``,
        ``GET /health``, ``GET /ready``, ``GET /metrics``; the routes of `tei`, `openai` and
        `vertex`; the page at ``/``.

    Raises
    ------
    OptionError
        ``AIP_PREDICT_ROUTE`` or ``AIP_HEALTH_ROUTE`` is no path.
    """
    last = 0 if tracing is None else min(LEAST_TIME, drain / 2)
    lifetime = Lifetime(drain, last)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with classifier:
            await classifier.submit(PROBE)
            lifetime.start()
            yield
            # Whoever runs it may have begun long before: what is under way was answered meanwhile.
            lifetime.stop()
            if not await classifier.drain(lifetime.left_to_requests()):
                log.warning("stopped with requests under way after %g s", drain)
        if tracing is not None:
            # Where nobody takes the spans, sending them would last as long as its retries.
            try:
                await asyncio.wait_for(aside(tracing.shutdown), max(last, lifetime.left()))
            except TimeoutError:
                log.warning("stopped with spans that nobody took")

    app = Service(
        lifespan=lifespan,
        title="arxiv-core",
        version=arxiv_core.__version__,
        description="Sorts papers into arXiv categories.",
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
    )
    bodies = (*tei.BODIES, *openai.BODIES, *vertex.BODIES)
    app.lifetime = lifetime
    app.bodies = (Paper, v1.Asked, explain.Questioned, *bodies)
    usual = v1.Limits() if limits is None else limits
    app.defaults = {v1.Limits.__name__: usual.model_dump()}
    predictions = vertex.predict_route()
    metrics = registry(classifier)
    counts = Requests(metrics)
    inner: Live = classifier if tracing is None else tracing.live(classifier)
    live = Assigning(inner, metrics)

    async def refused(request: Request, error: Exception) -> JSONResponse:
        told = said(error)
        if told.status == 500:
            log.error("request failed", exc_info=error)
        # As it was matched: an address made of it would be escaped, and begin with a slash.
        path = request.scope["path"]
        if path == predictions:
            return to_refusal(told)
        form = next((form for start, form in FORMS if path.startswith(start)), to_message)
        return form(told)

    arriving = functools.partial(Arriving, max_body=max_body, timeout=timeout)
    ended = functools.partial(lifetime.around, refuse=refused)
    around: list[Callable[[ASGIApp], ASGIApp]] = [arriving, ended, counts.around]
    health_of_vertex = vertex.health_route()
    if keys is not None:
        public = OPEN if health_of_vertex is None else OPEN | {health_of_vertex}
        app.public = public
        # Vertex AI's route may have the page's place.
        form = None if predictions == "/" else "/"
        lock = functools.partial(Locked, keys=keys, refuse=refused, public=public, form=form)
        around.insert(0, lock)
    if origins:
        # Outside the lock: a browser asks without a key whether it may ask with one.
        around.append(functools.partial(CORSMiddleware, **CROSS_ORIGIN, allow_origins=origins))
    if tracing is not None:
        around.append(tracing.around)
    app.around = (*around, Access)

    for kind in (HTTPException, arxiv_core.ArxivCoreError, Exception):
        app.add_exception_handler(kind, refused)

    async def ready(response: Response) -> Ready:
        response.status_code = 200 if lifetime.status == "ready" else 503
        return Ready(status=lifetime.status)

    # Vertex AI's come first: their paths are what its variables say, taken or not.
    if health_of_vertex is not None:
        app.add_api_route(health_of_vertex, ready, methods=["GET", "HEAD"], include_in_schema=False)
    for deciding in (vertex.router, v1.router):
        app.include_router(deciding(live, max_body=max_body, timeout=timeout, limits=usual))
    for router in (tei.router, openai.router):
        app.include_router(router(live, max_body=max_body, timeout=timeout))
    # Nobody submitted what these ask: no category is counted of it.
    explainer = explain.Explainer(inner, timeout)
    app.include_router(status.router(inner, timeout=timeout))
    app.include_router(explain.router(explainer, max_body=max_body))
    app.include_router(page.reference(app.openapi))
    app.include_router(
        page.router(
            live,
            explainer,
            max_body=max_body,
            timeout=timeout,
            limits=usual,
            lookup=arxiv_lookup,
            keys=keys,
        )
    )

    # The body is read and checked here, not by FastAPI: clients of arXiv's service send no
    # Content-Type, or curl's default one, and expect errors as {"message"}.
    @app.post(
        "/classify",
        summary="Classify a paper, as arXiv's own classifier does",
        response_model=list[Suggestion],
        responses=leads(DECLARE, EXPLAIN) | fails(Message, ANY_TYPE),
        openapi_extra=takes(Paper),
    )
    async def classify(request: Request) -> list[Suggestion]:
        paper = parsed(Paper, await body(request, max_body))
        answer = live.submit(paper.submission(), timeout=timeout)
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

    @app.head("/health", include_in_schema=False)
    @app.get("/health", summary="The process is up")
    async def health() -> Health:
        return Health(status="ok")

    # The first of a path's routes says what is allowed there, and GET is what the document has.
    app.get(
        "/ready",
        summary="Whether requests are answered now",
        responses={503: {"model": Ready, "description": "Not now"}},
    )(ready)
    app.head("/ready", include_in_schema=False)(ready)

    @app.get(
        "/metrics",
        name="metrics",
        summary="Figures for Prometheus",
        response_class=PlainTextResponse,
        responses=fails(Message, {401: ANY_TYPE[401]}),
    )
    async def exposition(request: Request) -> Response:
        try:
            encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        except (TypeError, ValueError):
            # It cannot compare a version that is no number; whoever asks for one gets the default.
            encoder, content_type = choose_encoder("")
        return Response(encoder(metrics), headers={"Content-Type": content_type})

    return app
