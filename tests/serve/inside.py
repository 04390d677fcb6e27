"""The service over a socket, within the test's own process, around what stands in for a model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from arxiv_core.serve.server import Server, _listen
from arxiv_core.serve.service import Service

PATIENCE = 20
"""Seconds after which a test has failed."""


class Told(NamedTuple):
    """An answer, of which the connection was closed behind it."""

    status: int
    headers: dict[str, str]
    body: str


class Client:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def ask(self, path: str, content: bytes = b"", *, size: int | None = None) -> None:
        """Send a request, of a body that is larger than `content` where `size` says so."""
        length = len(content) if size is None else size
        lines = [
            f"POST {path} HTTP/1.1" if length else f"GET {path} HTTP/1.1",
            "Host: x",
            "X-Request-ID: seven",
            "Content-Type: application/json",
            f"Content-Length: {length}",
        ]
        await self.send("\r\n".join([*lines, "", ""]).encode() + content)

    async def told(self) -> Told:
        """Read one answer, and that the connection then ends."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return Told(int(first.split()[1]), headers, body.decode())

    async def is_closed(self) -> bool:
        """Whether nothing more comes; waits for it."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionResetError:
            return True


class Running(NamedTuple):
    """A service that answers."""

    server: Server
    task: asyncio.Task[None]
    connect: Callable[[], Awaitable[Client]]

    def stop(self) -> None:
        """Begin what SIGTERM begins."""
        self.server.should_exit = True


@asynccontextmanager
async def running(app: Service) -> AsyncIterator[Running]:
    """Serve until the block's end, or until it is stopped."""
    clients: list[Client] = []
    with _listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        server = Server(app)
        task = asyncio.create_task(server._serve([listening]))

        async def connect() -> Client:
            client = Client(*await asyncio.open_connection("127.0.0.1", port))
            clients.append(client)
            return client

        async with asyncio.timeout(PATIENCE):
            try:
                yield Running(server, task, connect)
            finally:
                for client in clients:
                    client.writer.close()
                server.should_exit = True
                await task


def paper(abstract: str) -> bytes:
    return json.dumps({"title": "Rings", "abstract": abstract}).encode()
