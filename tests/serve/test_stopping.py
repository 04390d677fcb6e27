"""What becomes of requests for which a stopping service has no time left."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from arxiv_core.live import Submission
from arxiv_core.serve import create_app
from arxiv_core.serve.lifetime import Lifetime
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from serve.inside import Told, paper, running
from serve.stand_in import STUCK, Fake, Scored

PAPERS = json.dumps({"papers": [{"title": "Rings", "abstract": STUCK}]}).encode()
STUCK_FORM = f"title=Rings&abstract={STUCK}".encode()


async def cut_off(fake: Fake, path: str, content: bytes, size: int | None) -> Told:
    app = create_app(fake, drain=0.1)
    async with running(app) as service:
        client = await service.connect()
        await client.ask(path, content, size=size)
        while not service.server.server_state.tasks:
            await asyncio.sleep(0)
        if size is None:
            while STUCK not in str(fake.seen[1:]) and STUCK not in fake.embedded:
                await asyncio.sleep(0)
        service.stop()
        told = await client.told()
        assert await client.is_closed()
        await service.task
    return told


@pytest.mark.parametrize(
    ("path", "content", "size", "form"),
    [
        ("/classify", paper(STUCK), None, "message"),
        ("/v1/classify", PAPERS, None, "error"),
        ("/v1/explain", paper(STUCK), None, "error"),
        ("/v1/embeddings", json.dumps({"input": STUCK}).encode(), None, "error"),
        ("/embed", json.dumps({"inputs": STUCK}).encode(), None, "error_type"),
        ("/classify", b"{", 100, "message"),
        ("/v1/classify", b"{", 100, "error"),
        ("/embed", b"{", 100, "error_type"),
    ],
)
def test_a_request_without_an_answer_at_the_end_is_told_so(
    fake: Fake,
    caplog: pytest.LogCaptureFixture,
    path: str,
    content: bytes,
    size: int | None,
    form: str,
) -> None:
    told = asyncio.run(cut_off(fake, path, content, size))
    assert told.status == 503
    body = json.loads(told.body)
    assert form in body
    if path.startswith("/v1/") and path != "/v1/embeddings":
        assert body["error"]["type"] == "stopping"
    assert told.headers["x-request-id"] == "seven"
    assert told.headers["x-content-type-options"] == "nosniff"
    assert int(told.headers["retry-after"]) > 0
    assert not [record for record in caplog.records if record.exc_info]
    assert [record.levelname for record in caplog.records if record.levelno > logging.INFO] == [
        "WARNING"
    ]


def test_the_form_without_an_answer_at_the_end_is_told_so_as_a_page(fake: Fake) -> None:
    async def asked() -> Told:
        async with running(create_app(fake, drain=0.1)) as service:
            client = await service.connect()
            head = [
                "POST / HTTP/1.1",
                "Host: x",
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(STUCK_FORM)}",
            ]
            await client.send("\r\n".join([*head, "", ""]).encode() + STUCK_FORM)
            while STUCK not in str(fake.seen[1:]):
                await asyncio.sleep(0)
            service.stop()
            return await client.told()

    told = asyncio.run(asked())
    assert told.status == 503
    assert told.headers["content-type"].startswith("text/html")
    assert "The service is stopping" in told.body


def test_an_answer_that_has_begun_just_ends(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(fake, drain=0.1)

    @app.get("/endless")
    async def endless() -> Response:
        async def parts() -> Any:
            yield "begun"
            await asyncio.Event().wait()

        return StreamingResponse(parts())

    async def asked() -> bytes:
        async with running(app) as service:
            client = await service.connect()
            await client.ask("/endless")
            begun = await client.reader.readuntil(b"begun")
            service.stop()
            await service.task
            return begun + await client.reader.read()

    content = asyncio.run(asked())
    assert content.startswith(b"HTTP/1.1 200")
    assert content.count(b"HTTP/1.1") == 1
    assert not [record for record in caplog.records if record.exc_info]


def test_whoever_takes_no_answer_does_not_hold_the_stop_up(
    fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(fake, drain=0.1)

    @app.get("/large")
    async def large() -> Response:
        return Response(bytes(16 * 1024 * 1024))

    async def asked() -> None:
        async with running(app) as service:
            client = await service.connect()
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await client.ask("/large")
            while not service.server.server_state.tasks:
                await asyncio.sleep(0)
            service.stop()
            await service.task

    asyncio.run(asked())
    # What uvicorn says when it gives up on a connection.
    assert "timeout graceful shutdown exceeded" not in caplog.text


def test_what_is_answered_in_time_is_answered(fake: Fake) -> None:
    async def asked() -> tuple[Told, list[float]]:
        async with running(create_app(fake, drain=15)) as service:
            client = await service.connect()
            whole = paper("Modules.")
            await client.ask("/classify", whole[:5], size=len(whole))
            while not service.server.server_state.tasks:
                await asyncio.sleep(0)
            service.stop()
            while service.server._lifetime.status != "stopping":
                await asyncio.sleep(0.01)
            await client.send(whole[5:])
            told = await client.told()
            await service.task
        return told, fake.drained

    told, [drained] = asyncio.run(asked())
    assert told.status == 200
    # Of one limit, not of one each.
    assert 0 < drained < 15


def test_a_signal_is_the_beginning_of_the_stop(fake: Fake) -> None:
    """Within the tenth of a second until uvicorn looks, the balancer is told."""
    app = create_app(fake)
    with TestClient(app) as client:
        assert client.get("/ready").status_code == 200
        app.lifetime.stop()
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()) == (503, {"status": "stopping"})
        assert client.get("/health").status_code == 200
        # What came on a kept connection is answered.
        assert client.post("/classify", content=paper("Modules.")).status_code == 200


class Signalled(Fake):
    """Told to stop while it answers its first paper."""

    lifetime: Lifetime

    async def submit(self, paper: Submission, *, timeout: float | None = None) -> Scored:
        self.lifetime.stop()
        return await super().submit(paper, timeout=timeout)


def test_a_signal_before_it_is_ready_is_not_forgotten() -> None:
    fake = Signalled()
    app = create_app(fake)
    fake.lifetime = app.lifetime
    with TestClient(app) as client:
        assert client.get("/ready").json() == {"status": "stopping"}


def test_a_cancellation_is_no_stop(fake: Fake) -> None:
    app = create_app(fake)

    async def asked() -> None:
        async def waits(*_: object) -> None:
            await asyncio.Event().wait()

        async def refuse(request: Request, error: Exception) -> Response:
            raise AssertionError(f"{request.url}: {error}")

        request = app.lifetime.around(waits, refuse)({"type": "http"}, waits, waits)  # type: ignore[arg-type]
        task = asyncio.ensure_future(request)  # type: ignore[arg-type]
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asked())


@pytest.mark.parametrize(("drain", "requests"), [(8, 7), (1, 0.5), (0, 0)])
def test_the_last_spans_have_their_time_within_the_limit(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, drain: float, requests: float
) -> None:
    from arxiv_core.serve.metrics import route
    from arxiv_core.serve.tracing import Tracing
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    monkeypatch.setattr("arxiv_core.serve.lifetime.time.monotonic", lambda: 100.0)
    tracing = Tracing(route, SimpleSpanProcessor(InMemorySpanExporter()))
    for traced, left in ((None, drain), (tracing, requests)):
        lifetime = create_app(fake, drain=drain, tracing=traced).lifetime
        lifetime.stop()
        assert (lifetime.left(), lifetime.left_to_requests()) == (drain, left)
