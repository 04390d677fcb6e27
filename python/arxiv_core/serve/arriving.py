"""Bodies on their way in: how long one may take, and how much of them is held at a time."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AT_ONCE", "Arriving"]

AT_ONCE = 32
"""Bodies of the largest size that are held at a time. Parsed they take several times their size,
and a request of many papers is held until its last paper is answered."""


class Arriving:
    """Refuses bodies that do not come in time, and bodies for which there is no room now.

    Parameters
    ----------
    app
        What reads them.
    max_body
        Largest body in bytes.
    timeout
        Seconds after a request's head within which its body has come whole, or is answered 408;
        None: any time.
    """

    def __init__(self, app: ASGIApp, *, max_body: int, timeout: float | None) -> None:
        self._app, self._timeout = app, timeout
        self._room = AT_ONCE * max_body
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what is wrong with its body is raised where it is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        due = None if self._timeout is None else asyncio.get_running_loop().time() + self._timeout
        held, whole = 0, False

        async def counted() -> Message:
            nonlocal held, whole
            if whole:
                # Whoever asks now waits for the client to go away.
                return await receive()
            try:
                async with asyncio.timeout_at(due):
                    message = await receive()
            except TimeoutError:
                reason = f"the body did not come within {self._timeout:g} s"
                raise HTTPException(408, reason, {"Connection": "close"}) from None
            size = len(message.get("body", b""))
            held, self._held = held + size, self._held + size
            whole = not message.get("more_body", False)
            if self._held > self._room:
                reason = "other requests' bodies fill what room there is; try again later"
                raise HTTPException(429, reason, {"Retry-After": "1"})
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= held
