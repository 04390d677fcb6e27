"""The items of one request: side by side, and over together."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from arxiv_core import DeadlineError, OverloadedError
from arxiv_core.serve import create_app
from arxiv_core.serve.together import AT_ONCE, together
from fastapi.testclient import TestClient
from serve.stand_in import STUCK, Fake

PAPER = {"title": "", "abstract": STUCK}

STUCK_REQUESTS = [
    ("/embed", {"inputs": [STUCK, STUCK]}),
    ("/predict", {"inputs": [["", STUCK], [STUCK]]}),
    ("/v1/embeddings", {"input": [STUCK, STUCK]}),
    ("/v1/classify", {"papers": [PAPER, PAPER]}),
    ("/vertex", {"instances": [PAPER, PAPER]}),
]

LONE = b'"\\ud800"'
"""Half a surrogate pair, as JSON may spell it."""


def test_answers_come_in_the_items_order_whatever_is_done_first() -> None:
    done: list[int] = []

    async def work(item: int) -> int:
        for _ in range(3 - item):
            await asyncio.sleep(0)
        done.append(item)
        return item * item

    assert asyncio.run(together(work, [0, 1, 2])) == [0, 1, 4]
    assert done == [2, 1, 0]


def test_the_deadline_is_that_of_all_items() -> None:
    begun: list[int] = []

    async def work(item: int) -> None:
        begun.append(item)
        await asyncio.Event().wait()

    with pytest.raises(DeadlineError, match=r"0\.01 s"):
        asyncio.run(together(work, list(range(2 * AT_ONCE)), 0.01))
    assert len(begun) == AT_ONCE


def test_one_that_fails_ends_the_others_and_later_ones_do_not_begin() -> None:
    begun: list[int] = []
    cancelled: list[int] = []

    async def work(item: int) -> None:
        begun.append(item)
        if item == 2:
            raise ValueError("two")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    async def inside() -> list[int]:
        with pytest.raises(ValueError, match="two"):
            await together(work, [0, 1, 2, 3])
        await asyncio.sleep(0)
        # What the end of the loop cancels comes later.
        return sorted(cancelled)

    assert asyncio.run(inside()) == [0, 1]
    assert begun == [0, 1, 2]


def test_a_large_request_leaves_room_for_others() -> None:
    under_way, most = 0, 0

    async def work(item: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    asyncio.run(together(work, range(AT_ONCE * 3)))
    assert most == AT_ONCE


class Small(Fake):
    """Has room for two papers, and refuses a third as the engine does."""

    def __init__(self) -> None:
        super().__init__()
        self.options["capacity"] = 2
        self.under_way = 0

    async def pause(self, text: str) -> None:
        if self.under_way == 2:
            raise OverloadedError("2 requests are under way")
        self.under_way += 1
        await super().pause(text)
        await asyncio.sleep(0)
        self.under_way -= 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/classify", {"papers": [{"title": "T", "abstract": "A"}] * 9}),
        ("/vertex", {"instances": [{"title": "T", "abstract": "A"}] * 9}),
        ("/embed", {"inputs": ["T"] * 9}),
        ("/predict", {"inputs": [["T"]] * 9}),
        ("/v1/embeddings", {"input": ["T"] * 9}),
    ],
)
def test_a_request_larger_than_the_queue_is_answered(path: str, body: dict[str, Any]) -> None:
    assert TestClient(create_app(Small())).post(path, json=body).status_code == 200


@pytest.mark.parametrize(("path", "body"), STUCK_REQUESTS)
def test_a_client_that_hangs_up_ends_all_of_its_request(
    fake: Fake, path: str, body: dict[str, Any]
) -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("test", 80),
        "client": ("test", 1),
    }
    coming = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop()
        while len(fake.embedded) + len(fake.seen) < 2:
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None: ...

    async def inside() -> list[str]:
        await asyncio.wait_for(create_app(fake)(scope, receive, send), 20)
        return list(fake.cancelled)

    assert asyncio.run(inside()) == [STUCK, STUCK]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/embed", b'{"inputs": [%s]}'),
        ("/predict", b'{"inputs": [["", %s]]}'),
        ("/v1/embeddings", b'{"input": %s, "model": "x"}'),
        ("/v1/embeddings", b'{"input": "x", "model": %s}'),
        ("/vertex", b'{"instances": [{"title": %s, "abstract": ""}]}'),
    ],
)
def test_half_a_surrogate_pair_is_the_clients_mistake(
    client: TestClient, fake: Fake, path: str, body: bytes
) -> None:
    answer = client.post(path, content=body % LONE)
    assert answer.status_code in {400, 422}
    assert "JSON" in answer.text
    assert not fake.embedded
    assert not fake.seen


@pytest.mark.parametrize("text", ["ünïcödé", "数学", "\u0000", "🧮", "\\alpha", "\u202e", "\ufeff"])
def test_any_other_text_arrives(client: TestClient, fake: Fake, text: str) -> None:
    paper = {"title": text, "abstract": ""}
    for path, body in (
        ("/embed", {"inputs": text}),
        ("/predict", {"inputs": [text, ""]}),
        ("/v1/embeddings", {"input": text}),
        ("/vertex", {"instances": [paper]}),
    ):
        assert client.post(path, json=body).status_code == 200
    assert fake.embedded == [text, text]
    assert [one["title"] for one in fake.seen] == [text, text]


@pytest.mark.parametrize("path", ["/embed", "/predict", "/v1/embeddings", "/vertex"])
def test_a_body_has_its_limit_everywhere(client: TestClient, path: str) -> None:
    answer = client.post(path, content=b'{"' + b"x" * 2000)
    assert answer.status_code == 413
    assert "2000 bytes" in answer.text
