"""Connections on which no request comes."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from arxiv_core.serve import create_app
from arxiv_core.serve.heads import Heads
from serve.inside import Client, paper, running
from serve.stand_in import STUCK, Fake


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Heads, "limit", 0.1)


async def trickle(client: Client) -> None:
    while True:
        await client.send(b"a")
        await asyncio.sleep(0.01)


async def is_closed_though_bytes_come(client: Client) -> bool:
    sending = asyncio.create_task(trickle(client))
    try:
        return await client.is_closed()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nX: a"])
def test_a_connection_whose_first_head_does_not_come_is_closed(fake: Fake, begun: bytes) -> None:
    async def asked() -> bool:
        async with running(create_app(fake)) as service:
            client = await service.connect()
            if begun:
                await client.send(begun)
            return await client.is_closed()

    assert asyncio.run(asked())


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("before", [0, 2])
def test_bytes_that_trickle_do_not_prolong_it(fake: Fake, before: int) -> None:
    async def asked() -> bool:
        async with running(create_app(fake)) as service:
            client = await service.connect()
            for _ in range(before):
                await client.ask("/health")
                await client.told()
            await client.send(b"GET / HTTP/1.1\r\nX: ")
            return await is_closed_though_bytes_come(client)

    assert asyncio.run(asked())


@pytest.mark.usefixtures("brief")
def test_a_body_that_trickles_after_its_answer_does_not_keep_the_connection(fake: Fake) -> None:
    async def asked() -> bool:
        async with running(create_app(fake, max_body=1)) as service:
            client = await service.connect()
            await client.ask("/classify", b"{}", size=1_000_000)
            assert (await client.told()).status == 413
            return await is_closed_though_bytes_come(client)

    assert asyncio.run(asked())


def test_nothing_is_waited_for_while_a_request_is_under_way_or_the_connection_is_kept(
    fake: Fake,
) -> None:
    async def asked() -> None:
        async with running(create_app(fake)) as service:
            connections = service.server.server_state.connections
            client = await service.connect()
            await client.ask("/health")
            await client.told()
            [connection] = connections
            assert isinstance(connection, Heads)
            assert not connection.waits
            # A part of a head, and the rest of it with a part of its body.
            content = paper(STUCK)
            await client.send(b"POST /classify HTTP/1.1\r\nHost: ")
            while not connection.waits:
                await asyncio.sleep(0)
            head = f"x\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            await client.send(head + content[:5])
            while connection.waits:
                await asyncio.sleep(0)
            await client.send(content[5:])
            while len(fake.seen) < 2:
                await asyncio.sleep(0)
            assert not connection.waits

    asyncio.run(asked())


def test_requests_that_come_together_are_answered_in_turn(fake: Fake) -> None:
    async def asked() -> list[int]:
        async with running(create_app(fake)) as service:
            client = await service.connect()
            one = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            await client.send(3 * one + one[:9])
            statuses = [(await client.told()).status for _ in range(3)]
            await client.send(one[9:])
            return [*statuses, (await client.told()).status]

    assert asyncio.run(asked()) == [200] * 4
