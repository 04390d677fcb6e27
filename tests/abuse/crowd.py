"""Clients that do not give up: each asks again until its paper is answered."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from serve.process import ask

CLIENTS = 8
PATIENCE = 240
"""Seconds after which a client gives up after all, and the test fails."""


class Crowd:
    """Asks for one paper after another, whatever becomes of the service."""

    def __init__(self, url: str, papers: Sequence[dict[str, str]]) -> None:
        self._url, self._papers = url, papers
        self._numbers = itertools.count()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.answers: dict[int, list[dict[str, Any]]] = {}
        """By the request's number, in the order in which they came; papers take turns."""
        self.broken = 0
        """Connections that broke or could not be had."""

    def client(self) -> None:
        """Ask until it is over; what has been asked is answered first."""
        until = time.monotonic() + PATIENCE
        while not self._over.is_set():
            with self._lock:
                at = next(self._numbers)
            paper = self._papers[at % len(self._papers)]
            while at not in self.answers:
                try:
                    status, answer = ask(f"{self._url}/classify", paper)
                except (OSError, http.client.HTTPException):
                    assert time.monotonic() < until, "the service does not come back"
                    with self._lock:
                        self.broken += 1
                    time.sleep(0.02)
                else:
                    assert status == 200, answer
                    self.answers[at] = answer

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask beside what the block does, until everything that was asked is answered."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self.client) for _ in range(CLIENTS)]
            try:
                yield
            finally:
                self._over.set()
            for one in clients:
                one.result()

    def wait_for(self, count: int) -> None:
        """Wait until so many are answered."""
        until = time.monotonic() + PATIENCE
        while len(self.answers) < count:
            assert time.monotonic() < until, f"{len(self.answers)} of {count} answered"
            time.sleep(0.002)
