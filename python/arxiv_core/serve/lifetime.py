"""Whether the service starts, answers or stops, and how long a stop lasts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arxiv_core._core import StoppingError

__all__ = ["Lifetime", "stopped"]


class Lifetime:
    """What a service is at, and the time that is left once it stops.

    Parameters
    ----------
    drain
        Seconds that a stop lasts at most.
    last
        Seconds of them that are not the requests' but belong to what is done after them.
    """

    def __init__(self, drain: float, last: float = 0) -> None:
        self.status: Literal["starting", "ready", "stopping"] = "starting"
        """What it is at."""
        self.drain, self._last = drain, last
        self._began = 0.0

    def start(self) -> None:
        """Be ready, unless it stops already."""
        if self.status == "starting":
            self.status = "ready"

    def stop(self) -> None:
        """Begin to stop, if it has not begun before; also from a signal's handler."""
        if self.status != "stopping":
            self._began = time.monotonic()
            self.status = "stopping"

    def left(self) -> float:
        """Return the seconds that are left of a stop."""
        return max(0.0, self._began + self.drain - time.monotonic())

    def left_to_requests(self) -> float:
        """Return the seconds that are left to requests under way."""
        return max(0.0, self.left() - self._last)

    def around(
        self, app: ASGIApp, refuse: Callable[[Request, Exception], Awaitable[Response]]
    ) -> ASGIApp:
        """Surround `app`: a client whose request is cancelled by the stop is answered 503.

        Parameters
        ----------
        app
            What answers.
        refuse
            Answers an error as the asked route does.

        Returns
        -------
        ASGIApp
            Raises no CancelledError while the service stops. Where an answer has begun, nothing
            more is said.
        """

        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            begun = False

            async def look(message: Message) -> None:
                nonlocal begun
                begun = True
                await send(message)

            try:
                await app(scope, receive, look)
            except asyncio.CancelledError:
                if scope["type"] != "http" or self.status != "stopping":
                    raise
                if not begun:
                    answer = await refuse(Request(scope), stopped())
                    await answer(scope, receive, send)

        return told


def stopped() -> StoppingError:
    """Return what is told to a request for which a stopping service has no time left."""
    return StoppingError("the service is stopping, and had no time left for this request")
