"""Spans of requests and of what the engine did for them, for OpenTelemetry."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import arxiv_core
from arxiv_core.live import Submission
from arxiv_core.serve.scoring import Embedded, Live, Passing, Scored

__all__ = ["Tracing"]

STAGES = ("queue", "tokenize", "wait", "run")

NANOSECONDS = 1_000_000_000


class Tracing:
    """Makes a span a request, and below it one for each stage of each paper.

    Parameters
    ----------
    processor
        What becomes of spans; None sends them in batches where the environment says.
    route
        Names a request's route.
    """

    def __init__(
        self, route: Callable[[Scope], str], processor: SpanProcessor | None = None
    ) -> None:
        resource = Resource.create(
            {
                SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "arxiv-core"),
                SERVICE_VERSION: arxiv_core.__version__,
            }
        )
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("arxiv_core.serve", arxiv_core.__version__)
        self._route = route

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, each of whose requests is a span, below its caller's where it says so."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            method = scope["method"]
            parent = propagate.extract(dict(Headers(scope=scope)))
            asked = {"http.request.method": method, "url.path": scope["path"]}
            # What an error says may hold a paper; that there was one is told by the status.
            with self._tracer.start_as_current_span(
                method,
                parent,
                SpanKind.SERVER,
                asked,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:

                async def look(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        span.set_attribute("http.response.status_code", message["status"])
                        if message["status"] >= 500:
                            span.set_status(StatusCode.ERROR)
                    await send(message)

                try:
                    await app(scope, receive, look)
                finally:
                    route = self._route(scope)
                    span.set_attribute("http.route", route)
                    span.update_name(f"{method} {route}")

        return traced

    def live(self, inner: Live) -> Live:
        """Return `inner`, each of whose answers leaves a span for each of its stages."""
        return Traced(inner, self._tracer)

    def shutdown(self) -> None:
        """Send what is left; takes as long as the collector lets it."""
        self._provider.shutdown()


class Traced(Passing):
    """Tells afterwards what the engine did when."""

    def __init__(self, inner: Live, tracer: trace.Tracer) -> None:
        super().__init__(inner)
        self._tracer = tracer

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        """Score a paper."""
        scored = await super().submit(paper, timeout=timeout)
        self._tell(scored)
        return scored

    async def embed(self, text: str, *, timeout: float | None = None) -> Embedded:
        """Embed a text as it is."""
        embedded = await super().embed(text, timeout=timeout)
        self._tell(embedded)
        return embedded

    def _tell(self, answer: Scored | Embedded) -> None:
        if not trace.get_current_span().is_recording():
            return
        *seconds, batch = answer.timing
        # The engine tells how long; the answer has just come, so it ended now.
        at = time.time_ns() - int(sum(seconds) * NANOSECONDS)
        for stage, took in zip(STAGES, seconds, strict=True):
            span = self._tracer.start_span(stage, start_time=at)
            if stage == "run":
                span.set_attributes({"batch.requests": batch, "tokens": answer.tokens})
            at += int(took * NANOSECONDS)
            span.end(at)
