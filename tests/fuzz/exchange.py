"""A request written as bytes, and the applications it is put to.

An input is three signs and a request as one would type it, lines ended by a line feed::

    000POST /v1/classify
    Content-Type: application/json

    {"papers": [{"title": "On rings", "abstract": "They are round."}]}

The low four bits of the first sign say which application is asked and how the body is cut, of the
second what the classifier does, of the third whether the client goes away.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import arxiv_core
from arxiv_core.serve import create_app
from arxiv_core.serve.keys import Keys
from fuzz.answers import WrongError, check
from serve.stand_in import Fake

KEY = "a-key-for-the-fuzzer"
MAX_BODY = 1 << 14

PATIENCE = 10
"""Seconds after which a request counts as never answered; one takes milliseconds."""

TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
"""A method or a header's name (RFC 9110, 5.6.2): the server lets no other through."""

UNSEEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What the server lets through in no header's value."""

HIDDEN = re.compile(rb"[^\x21-\x7e]")
"""What it lets through in no target."""

CUTS = (None, 1, 7, 100)
"""Bytes of the body in a message; None: all of them."""

ERRORS = (
    None,
    arxiv_core.OverloadedError("full"),
    arxiv_core.StoppingError("stopping"),
    arxiv_core.DeadlineError("late"),
)


class Tireless(Fake):
    """Is done with every text at once."""

    async def pause(self, text: str) -> None: ...


@dataclass
class Exchange:
    """A request, and the answer to it."""

    data: bytes
    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    signs: tuple[int, int, int]
    status: int = 0
    answered: list[tuple[bytes, bytes]] = field(default_factory=list)
    content: bytes = b""
    complete: bool = False

    @property
    def path(self) -> str:
        return unquote(self.target.partition(b"?")[0].decode("ascii"))

    @property
    def locked(self) -> bool:
        """Whether the application wants a key, and none is anywhere in the input."""
        # As it was read: what no server lets through was taken out, and may have parted the key.
        sent = (self.target, *(value for _, value in self.headers), self.body)
        return bool(self.signs[0] & 1) and not any(KEY.encode() in part for part in sent)

    @property
    def shared(self) -> bool:
        """Whether pages of another origin may ask."""
        return bool(self.signs[0] & 2)

    @property
    def leaves(self) -> bool:
        return self.signs[2] & 3 != 0


def read(data: bytes) -> Exchange:
    """Read an input; whatever it is, a request that the server would let through comes of it."""
    signs = (*(sign & 15 for sign in data[:3]), 0, 0, 0)
    head, _, body = data[3:].partition(b"\n\n")
    line, *fields = head.split(b"\n")
    method, _, target = line.partition(b" ")
    headers = []
    for one in fields:
        name, _, value = one.partition(b":")
        if TOKEN.fullmatch(name):
            headers.append((name.lower(), UNSEEN.sub(b"", value).strip()))
    if not TOKEN.fullmatch(method):
        method = b"POST"
    target = HIDDEN.sub(b"", target) or b"/"
    return Exchange(data, method.decode("ascii"), target, headers, body, signs[:3])


class Complaints(logging.Handler):
    """Keeps what the service logs as a fault of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Asked:
    """Applications around one classifier that needs no model: open, locked, for other origins.

    Parameters
    ----------
    around
        What each is wrapped in.
    """

    def __init__(self, around: Callable[[Any], Any] = lambda app: app) -> None:
        self.fake = Tireless()
        self._around = around
        self._apps: dict[int, Any] = {}
        self.complaints = Complaints()
        self.loop = asyncio.new_event_loop()

    def __enter__(self) -> Asked:
        logging.getLogger().addHandler(self.complaints)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self.complaints)
        self.loop.close()

    def __call__(self, data: bytes) -> Exchange:
        """Put an input to the application that it names.

        Raises
        ------
        WrongError
            The answer is none that may be.
        """
        exchange = read(data)
        fake = self.fake
        for kept in (fake.seen, fake.embedded, fake.timeouts, self.complaints.records):
            kept.clear()
        fake.truncated = bool(exchange.signs[1] & 1)
        fake.error = ERRORS[(exchange.signs[1] >> 1) & 3]
        try:
            self.loop.run_until_complete(asyncio.wait_for(self._exchanged(exchange), PATIENCE))
        except TimeoutError:
            raise WrongError(f"not answered within {PATIENCE} s") from None
        for record in self.complaints.records:
            cause = record.exc_info[1] if record.exc_info else None
            raise WrongError(f"logged: {record.getMessage()}") from cause
        check(exchange, fake)
        return exchange

    async def _exchanged(self, exchange: Exchange) -> None:
        step, leaves = CUTS[(exchange.signs[0] >> 2) & 3], exchange.signs[2] & 3
        body = exchange.body
        parts = [body[at : at + step] for at in range(0, len(body), step)] if step else []
        waiting = parts or [body]
        raw_path, _, query = exchange.target.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8080),
            "client": ("192.0.2.1", 50000),
            "scheme": "http",
            "method": exchange.method,
            "root_path": "",
            "path": exchange.path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": exchange.headers,
            "state": {},
        }

        async def receive() -> dict[str, Any]:
            if waiting:
                part = waiting.pop(0)
                # One that leaves in the middle never says that the body is at its end.
                return {
                    "type": "http.request",
                    "body": part,
                    "more_body": bool(waiting) or leaves == 1,
                }
            if not leaves:
                # Who waits for an answer says nothing more.
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                if exchange.status:
                    raise WrongError("two answers to one request")
                exchange.status = message["status"]
                exchange.answered = list(message.get("headers", ()))
                return
            if not exchange.status or exchange.complete:
                raise WrongError(f"{message['type']} outside of an answer")
            exchange.content += message.get("body", b"")
            exchange.complete = not message.get("more_body", False)

        await self._app(exchange.signs[0] & 3)(scope, receive, send)

    def _app(self, sign: int) -> Any:
        """The application of a sign, built when it is first asked."""
        if sign not in self._apps:
            app = create_app(
                self.fake,
                max_body=MAX_BODY,
                keys=Keys([KEY]) if sign & 1 else None,
                origins=[(), ("https://desk.example.org",), ("*",)][(sign >> 1) + (sign == 3)],
            )
            self._apps[sign] = self._around(app)
        return self._apps[sign]
