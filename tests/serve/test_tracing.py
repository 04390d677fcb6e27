"""Spans of requests, as OpenTelemetry has them."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Sequence

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytest.importorskip("opentelemetry.sdk", reason="the extra `telemetry` is not installed")

from arxiv_core.serve import create_app
from arxiv_core.serve.metrics import route
from arxiv_core.serve.tracing import Tracing
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from serve.stand_in import Fake

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def asked(fake: Fake, path: str, body: object, **headers: str) -> Sequence[ReadableSpan]:
    kept = InMemorySpanExporter()
    app = create_app(fake, tracing=Tracing(route, SimpleSpanProcessor(kept)))
    client = TestClient(app, raise_server_exceptions=False)
    client.post(path, json=body, headers=headers)
    return kept.get_finished_spans()


def test_a_request_is_a_span_below_its_callers(fake: Fake) -> None:
    *stages, request = asked(fake, "/classify", PAPER, traceparent=f"00-{TRACE}-{CALLER}-01")
    assert request.name == "POST /classify"
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLER
    assert f"{request.context.trace_id:032x}" == TRACE
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 200
    assert "ring" not in str(dict(request.attributes)).lower()
    assert [one.name for one in stages] == ["queue", "tokenize", "wait", "run"]
    for one in stages:
        assert one.parent is not None
        assert one.parent.span_id == request.context.span_id
    seconds = [((one.end_time or 0) - (one.start_time or 0)) / 1e9 for one in stages]
    assert seconds == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=1e-6)


def test_every_paper_of_a_request_has_its_stages(fake: Fake) -> None:
    found = asked(fake, "/v1/classify", {"papers": [PAPER] * 3})
    assert [one.name for one in found].count("run") == 3
    assert found[-1].name == "POST /v1/classify"


def test_a_fault_is_marked_and_tells_nothing_of_what_is_inside(fake: Fake) -> None:
    fake.error = RuntimeError("the secret inside")
    [request] = asked(fake, "/classify", PAPER)
    assert request.status.status_code is StatusCode.ERROR
    assert "secret" not in request.to_json()


def test_spans_go_where_the_environment_says(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "desk")
        from arxiv_core.serve.server import _tracing

        tracing = _tracing()
        assert tracing is not None
        with TestClient(create_app(fake, tracing=tracing)) as client:
            client.post("/classify", json=PAPER)
        server.shutdown()
    sent = b"".join(bodies)
    assert b"POST /classify" in sent
    assert b"desk" in sent


def test_a_collector_that_takes_nothing_does_not_hold_the_stop_up(
    fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    released = threading.Event()

    class Stuck(SimpleSpanProcessor):
        def shutdown(self) -> None:
            released.wait(20)
            super().shutdown()

    tracing = Tracing(route, Stuck(InMemorySpanExporter()))
    try:
        with TestClient(create_app(fake, tracing=tracing, drain=0)) as client:
            client.get("/health")
        assert not released.is_set()
        assert "spans that nobody took" in caplog.text
    finally:
        released.set()


def test_without_an_address_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    from arxiv_core.serve.server import _tracing

    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    assert _tracing() is None
