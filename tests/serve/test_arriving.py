"""Bodies that are slow, compressed, large together, or of more than a model can read."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core.serve import create_app
from arxiv_core.serve.arriving import AT_ONCE
from arxiv_core.serve.schemas import MAX_TEXT
from fastapi import FastAPI
from fastapi.testclient import TestClient
from serve.stand_in import Embedded, Fake

LARGEST = 2000

ROUTES = {
    "/classify": "message",
    "/v1/classify": "error",
    "/embed": "error",
    "/v1/embeddings": "error",
    "/vertex": "error",
}

Answered = tuple[int, dict[bytes, bytes], bytes]


def piece(content: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": content, "more_body": more}


async def never() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError


async def ask(
    app: FastAPI,
    path: str,
    pieces: Sequence[dict[str, Any]],
    then: Callable[[], Awaitable[dict[str, Any]]] = never,
) -> Answered:
    """Send a body's pieces, then whatever `then` gives; return status, headers and body."""
    left = list(pieces)
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return left.pop(0) if left else await then()

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in said)
    return said[0]["status"], dict(said[0]["headers"]), body


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_that_does_not_come_in_time_is_a_408_and_ends_the_connection(
    fake: Fake, path: str
) -> None:
    app = create_app(fake, timeout=0.02)
    status, headers, body = asyncio.run(ask(app, path, [piece(b'{"title": ')]))
    assert status == 408
    assert headers[b"connection"] == b"close"
    assert ROUTES[path] in json.loads(body)
    assert b"0.02 s" in body


def test_a_client_that_waits_for_its_answer_is_not_slow(fake: Fake) -> None:
    async def late(paper: Any, *, timeout: float | None = None) -> Any:
        await asyncio.sleep(0.1)
        return await Fake.submit(fake, paper, timeout=timeout)

    fake.submit = late  # type: ignore[method-assign]
    app = create_app(fake, timeout=0.02)
    body = piece(b'{"title": "Rings", "abstract": "Modules"}', more=False)
    assert asyncio.run(ask(app, "/classify", [body]))[0] == 200


def test_bodies_that_fill_the_room_are_refused_until_others_have_gone(fake: Fake) -> None:
    app = create_app(fake, max_body=LARGEST)
    large = piece(b'{"title": "' + b"x" * (LARGEST - 11))
    small = piece(b'{"title": "Rings", "abstract": "Modules"}', more=False)

    async def work() -> list[Answered]:
        waiting = asyncio.Semaphore(0)

        async def wait() -> dict[str, Any]:
            waiting.release()
            return await never()

        slow = [asyncio.ensure_future(ask(app, "/classify", [large], wait)) for _ in range(AT_ONCE)]
        for _ in slow:
            await waiting.acquire()
        refused = await ask(app, "/v1/embeddings", [small])
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return [refused, await ask(app, "/classify", [small])]

    [refused, accepted] = asyncio.run(work())
    assert refused[0] == 429
    assert refused[1][b"retry-after"] == b"1"
    assert json.loads(refused[2])["error"]["code"] == "rate_limit_exceeded"
    assert accepted[0] == 200


def test_what_has_been_answered_takes_no_room(client: TestClient) -> None:
    body = {"title": "Rings", "abstract": "x" * (LARGEST - 100)}
    assert {client.post("/classify", json=body).status_code for _ in range(3 * AT_ONCE)} == {200}


@pytest.mark.parametrize("path", ROUTES)
def test_a_compressed_body_is_refused(client: TestClient, path: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = client.post(path, content=gzip.compress(b"{}"), headers=headers)
    assert answer.status_code == 415
    assert "gzip" in answer.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/classify", {"title": "{}", "abstract": ""}, 422),
        ("/v1/classify", {"papers": [{"title": "", "abstract": "{}"}]}, 422),
        ("/v1/explain", {"title": "{}", "abstract": ""}, 422),
        ("/vertex", {"instances": [{"title": "", "abstract": "{}"}]}, 422),
        ("/embed", {"inputs": ["x", "{}"]}, 413),
        ("/predict", {"inputs": [["{}", "x"]]}, 413),
        ("/v1/embeddings", {"input": ["x", "{}"]}, 400),
    ],
)
def test_a_text_of_more_characters_than_a_model_can_use_is_refused(
    fake: Fake, path: str, body: Any, status: int
) -> None:
    client = TestClient(create_app(fake))
    fits, longer = (
        client.post(path, json=json.loads(json.dumps(body).replace("{}", "x" * length)))
        for length in (MAX_TEXT, MAX_TEXT + 1)
    )
    assert fits.status_code == 200, fits.text
    assert longer.status_code == status
    assert str(MAX_TEXT) in longer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/embed", {"inputs": "x" * (MAX_TEXT + 9), "truncate": True}),
        ("/v1/embeddings", {"input": "x" * (MAX_TEXT + 9), "truncate": True}),
        ("/predict", {"inputs": ["x", "x" * (MAX_TEXT + 9)], "truncate": True}),
    ],
)
def test_a_text_that_may_be_cut_is_cut_before_it_is_tokenized(
    fake: Fake, path: str, body: Any
) -> None:
    assert TestClient(create_app(fake)).post(path, json=body).status_code == 200
    read = [*fake.embedded, *(paper["abstract"] for paper in fake.seen)]
    assert [len(text) for text in read] == [MAX_TEXT]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"input": [None] * 50_000}),
        ("/embed", {"inputs": [None] * 50_000}),
        ("/v1/classify", {f"field-{number}": 1 for number in range(20_000)}),
    ],
)
def test_of_very_many_mistakes_no_list_is_made(fake: Fake, path: str, body: Any) -> None:
    answer = TestClient(create_app(fake)).post(path, json=body)
    assert answer.status_code in {400, 422}
    assert len(answer.text) < 200


@pytest.mark.parametrize("path", ["/embed", "/v1/embeddings"])
def test_vectors_of_two_models_are_never_in_one_answer(fake: Fake, path: str) -> None:
    models = iter(["old", "old", "new", "new", "new", "new"])
    used: list[str] = []

    async def embed(text: str, *, timeout: float | None = None) -> Embedded:
        vector = await Fake.embed(fake, text, timeout=timeout)
        vector.model = next(models, f"model-{len(used)}")
        used.append(vector.model)
        return vector

    fake.embed = embed  # type: ignore[method-assign]
    client = TestClient(create_app(fake))
    body = {"inputs": ["a", "b", "c"], "input": ["a", "b", "c"]}
    assert client.post(path, json=body).status_code == 200
    assert used == ["old", "old", "new", "new", "new", "new"]
    # Models that change all the time.
    assert client.post(path, json=body).status_code == 429
