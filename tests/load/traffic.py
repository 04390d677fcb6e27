"""Everything that may come to a service in a day: good requests, bad ones, and clients with manners
of their own."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

__all__ = ["KINDS", "Connection", "Traffic"]

ANSWERED = frozenset({200, 429})
JSON = "application/json"
LOST = -1
"""In place of a status, where a client has waited in vain; no kind of request may get it."""
PATIENCE = 60.0
"""Seconds that a client waits."""
MOST = 32_768
"""Characters of a text that the service takes."""

TOO_LARGE = b'{"title": "' + b"x" * 1_100_000

Paper = dict[str, str]
Papers = Callable[[int], list[Paper]]


@dataclass(frozen=True)
class Request:
    """What is sent, and how."""

    method: str
    path: str
    body: bytes = b""
    kind: str = JSON
    pieces: int = 1
    """Parts of the body, a quarter of a second apart."""
    hangs_up: bool = False
    """Whether the client is gone before it is answered."""
    cut: bool = False
    """Whether half the body never comes."""

    def head(self) -> bytes:
        """The request's head, with a number of its own."""
        return (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: soak\r\n"
            f"X-Request-ID: {secrets.token_hex(8)}\r\nContent-Type: {self.kind}\r\n"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        ).encode()


def _post(path: str, body: object, **how: Any) -> Request:
    return Request("POST", path, json.dumps(body).encode(), **how)


def _text(paper: Paper) -> str:
    return f"{paper['title']}. {paper['abstract']}"


def _form(paper: Paper) -> Request:
    return Request("POST", "/", urlencode(paper).encode(), "application/x-www-form-urlencoded")


def _long(papers: list[Paper]) -> Paper:
    texts = " ".join(one["abstract"] for one in papers)
    return {"title": "Everything", "abstract": texts[:MOST]}


KINDS: dict[str, tuple[float, frozenset[int], Callable[[Papers], Request]]] = {
    "classify": (6, ANSWERED, lambda some: _post("/classify", some(1)[0])),
    "long": (0.5, ANSWERED, lambda some: _post("/classify", _long(some(12)))),
    "batch": (1, ANSWERED, lambda some: _post("/v1/classify", {"papers": some(8)})),
    "explain": (0.5, ANSWERED, lambda some: _post("/v1/explain", some(1)[0])),
    "embed": (
        2,
        ANSWERED,
        lambda some: _post("/embed", {"inputs": [*map(_text, some(2))], "truncate": True}),
    ),
    "predict": (
        1,
        ANSWERED,
        lambda some: _post("/predict", {"inputs": [[*some(1)[0].values()]], "truncate": True}),
    ),
    "embeddings": (
        2,
        ANSWERED,
        lambda some: _post("/v1/embeddings", {"input": [*map(_text, some(2))], "truncate": True}),
    ),
    "vertex": (1, ANSWERED, lambda some: _post("/vertex", {"instances": some(2)})),
    "form": (0.5, ANSWERED, lambda some: _form(some(1)[0])),
    "page": (1, frozenset({200}), lambda _: Request("GET", "/")),
    "metrics": (1, frozenset({200}), lambda _: Request("GET", "/metrics")),
    "nowhere": (1, frozenset({404}), lambda _: Request("GET", f"/{secrets.token_hex(6)}")),
    "broken": (1, frozenset({400}), lambda _: Request("POST", "/classify", b'{"title": "Rin')),
    "wrong": (1, frozenset({422}), lambda some: _post("/v1/classify", some(1)[0])),
    "typed": (
        0.5,
        frozenset({415}),
        lambda some: _post("/v1/classify", {"papers": some(1)}, kind="text/plain"),
    ),
    # Whoever still sends may not get to read why nobody listens.
    "large": (0.2, frozenset({413, 0}), lambda _: Request("POST", "/embed", TOO_LARGE)),
    "slow": (0.5, ANSWERED, lambda some: _post("/classify", some(1)[0], pieces=4)),
    "gone": (1, frozenset({0}), lambda some: _post("/classify", some(1)[0], hangs_up=True)),
    "cut": (0.5, frozenset({0}), lambda some: _post("/v1/explain", some(1)[0], cut=True)),
}
"""Kinds of requests: how often they come, which statuses they may get (0: none), what they are."""


class Connection:
    """One client's, kept as long as the service keeps it."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request) -> int:
        """Send a request; return its status, 0 where there is none, LOST where none ever comes."""
        try:
            return await asyncio.wait_for(self._asked(request), PATIENCE)
        except TimeoutError:
            self.close()
            return LOST

    async def _asked(self, request: Request) -> int:
        try:
            # A service hangs up on who has been silent for long.
            if self._pipe is None or self._pipe[0].at_eof():
                self._pipe = await asyncio.open_connection(*self._place)
            reader, writer = self._pipe
            body = request.body[: len(request.body) // 2] if request.cut else request.body
            size = len(body) // request.pieces + 1
            writer.write(request.head() + body[:size])
            for start in range(size, len(body), size):
                await asyncio.sleep(0.25)
                writer.write(body[start : start + size])
            await writer.drain()
            if request.hangs_up or request.cut:
                await asyncio.sleep(0.01)
                self.close()
                return 0
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            if b"connection: close" in head:
                self.close()
            return int(head[9:12])
        except (OSError, ValueError, asyncio.IncompleteReadError):
            self.close()
            return 0

    def close(self) -> None:
        """Hang up."""
        if self._pipe is not None:
            self._pipe[1].close()
            self._pipe = None


@dataclass
class Traffic:
    """So many clients, each of which asks again after a short rest, and what they were answered."""

    host: str
    port: int
    papers: Sequence[Paper]
    statuses: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    over: bool = False
    """Whether clients are to stop."""
    stopping: bool = False
    """Whether the service is: then anything may remain without an answer."""
    late: Counter[str] = field(default_factory=Counter)
    """Statuses while it is."""

    async def client(self, number: int) -> None:
        """Ask once in every way, so that nothing large is new later; then ask on."""
        chance = random.Random(number)
        names, weights = [*KINDS], [weight for weight, *_ in KINDS.values()]
        connection = Connection(self.host, self.port)

        def some(count: int) -> list[Paper]:
            return chance.choices(self.papers, k=count)

        first = [*KINDS]
        while not self.over:
            name = first.pop() if first else chance.choices(names, weights)[0]
            _, right, make = KINDS[name]
            status = await connection.ask(make(some))
            if self.stopping:
                self.late[str(status)] += 1
            else:
                self.kinds[name] += 1
                self.statuses[str(status)] += 1
                if status not in right:
                    self.unexpected[f"{name}: {status}"] += 1
            await asyncio.sleep(chance.uniform(0, 0.05))
        connection.close()
