"""What the service has done, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import arxiv_core
from arxiv_core.live import Submission
from arxiv_core.serve.scoring import Live, LiveModel, Passing, Scored

__all__ = ["Assigning", "Counting", "Requests", "registry", "route"]

ENDS = {
    "answered": "Requests that the engine answered",
    "refused": "Requests refused because as many as may be were under way",
    "late": "Requests whose deadline passed",
    "cancelled": "Requests whose client went away, or that were part of one that ended before",
    "failed": "Requests that ended in another error",
}

HISTOGRAMS = {
    "queue": ("queue_seconds", "Until a thread took a request to tokenize"),
    "tokenize": ("tokenize_seconds", "Tokenization of a request"),
    "wait": ("wait_seconds", "From there until the encoder took it"),
    "run": ("run_seconds", "A batch in the encoder and the head"),
    "batch_requests": ("batch_requests", "Requests in a batch"),
    "batch_tokens": ("batch_tokens", "Tokens in a batch"),
}


class Counting(Collector):
    """The engine's own counts, read when they are asked for."""

    def __init__(self, classifier: LiveModel) -> None:
        self._classifier = classifier

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of the engine."""
        counters = self._classifier.counters()
        yield GaugeMetricFamily(
            "arxiv_core_queue_depth", "Requests under way", value=self._classifier.depth
        )
        ends = CounterMetricFamily(
            "arxiv_core_engine_requests", "Requests by how they ended", labels=["end"]
        )
        for end in ENDS:
            ends.add_metric([end], counters[end])
        yield ends
        for key, (name, text) in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(f"arxiv_core_{name}", text)
            histogram.add_metric([], _buckets(counters[key]), counters[key]["sum"])
            yield histogram
        about = self._classifier.info()
        known = {key: str(about.get(key, "")) for key in ("sha256", "labels", "device", "dtype")}
        yield InfoMetricFamily(
            "arxiv_core_model",
            "The model that answers",
            value=known | {"version": arxiv_core.__version__},
        )


def _buckets(histogram: Mapping[str, Sequence[float]]) -> list[tuple[str, float]]:
    """Add up counts: Prometheus counts every value below each bound."""
    bounds = [*map(str, histogram["bounds"]), "+Inf"]
    total = 0.0
    buckets = []
    for bound, count in zip(bounds, histogram["counts"], strict=True):
        total += count
        buckets.append((bound, total))
    return buckets


class Assigning(Passing):
    """Counts the categories that are assigned to papers on their way.

    Parameters
    ----------
    inner
        What scores them.
    metrics
        Where the counts are told.
    """

    def __init__(self, inner: Live, metrics: CollectorRegistry) -> None:
        super().__init__(inner)
        self._assigned = Counter(
            "arxiv_core_assigned",
            "Papers that the model's thresholds assign to a category",
            ["category"],
            registry=metrics,
        )

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        """Score a paper."""
        scored = await super().submit(paper, timeout=timeout)
        for category in scored.assigned():
            self._assigned.labels(category).inc()
        return scored


class Requests:
    """Counts HTTP requests by route and status, and how long they took."""

    def __init__(self, metrics: CollectorRegistry) -> None:
        self._requests = Counter(
            "arxiv_core_http_requests",
            "HTTP requests answered",
            ["method", "route", "status"],
            registry=metrics,
        )
        self._seconds = Histogram(
            "arxiv_core_http_request_seconds",
            "From a request's head to the end of its answer",
            ["route"],
            registry=metrics,
        )

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            began, status = time.perf_counter(), 500

            async def look(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, look)
            finally:
                name = route(scope)
                self._requests.labels(_method(scope["method"]), name, str(status)).inc()
                self._seconds.labels(name).observe(time.perf_counter() - began)

        return counted


def route(scope: Scope) -> str:
    """Name the route: whatever a stranger asks for, there are only so many."""
    # Whatever was matched says so; what was refused before is looked up.
    if "route" in scope:
        return str(getattr(scope["route"], "path", "other"))
    for one in scope["app"].routes if "app" in scope else ():
        # FastAPI keeps the routes of a router that was included where they were.
        inner = getattr(one, "original_router", None)
        for each in [one] if inner is None else inner.routes:
            match, _ = each.matches(scope)
            if match is not Match.NONE:
                return str(getattr(each, "path", "other"))
    return "other"


def _method(method: str) -> str:
    return method if method in {"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE"} else "other"


def registry(classifier: LiveModel) -> CollectorRegistry:
    """Collect what is known about the service.

    Parameters
    ----------
    classifier
        Whose engine answers.

    Returns
    -------
    prometheus_client.CollectorRegistry
        The engine's counts, the model, the process.
    """
    metrics = CollectorRegistry()
    metrics.register(Counting(classifier))
    ProcessCollector(registry=metrics)
    return metrics
