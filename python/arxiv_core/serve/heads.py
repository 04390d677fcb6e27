"""Requests whose head does not come."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HEAD_TIMEOUT", "Heads"]

HEAD_TIMEOUT = 10.0
"""Seconds in which a request's head comes, from its connection or its first byte on."""


class Heads(H11Protocol):
    """HTTP/1.1 that waits `limit` seconds for a request's head, and then closes the connection.

    uvicorn's own timer runs from an answer to the next byte: who sends no byte at first, or one now
    and then, would be waited for as long as the process lives.
    """

    limit = HEAD_TIMEOUT
    """Seconds."""

    _late: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether the time for a request's head runs."""
        return self._late is not None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        self._wait_no_longer()

    def data_received(self, data: bytes) -> None:
        """Read on; further bytes of a head do not prolong its time."""
        super().data_received(data)
        # A body that goes on after its answer comes before the next head.
        if self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE:
            if self._late is None:
                self._wait()
        elif self._late is not None:
            self._wait_no_longer()

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.limit, self.timeout_keep_alive_handler)

    def _wait_no_longer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
