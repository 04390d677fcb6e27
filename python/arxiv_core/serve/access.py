"""Who asked for what: a number a request, and a line in the log a request."""

from __future__ import annotations

import logging
import os
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["REQUEST_ID", "Access"]

REQUEST_ID = "X-Request-ID"
"""A caller's own number of a request is kept; without one, or with a strange one, it gets one."""

SOUND = re.compile(r"[\w.:-]{1,128}", re.ASCII)

TRACE = re.compile(
    r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)
"""W3C's ``traceparent``: https://www.w3.org/TR/trace-context/#traceparent-header."""

SAMPLED = 1
"""The flag of a trace that its caller records."""

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer says to browsers."""

log = logging.getLogger(__name__)


class Access:
    """Gives requests numbers, logs them once they are answered, adds headers for browsers.

    A line has the fields ``request_id``, ``method``, ``path``, ``status``, ``seconds`` and
    ``client``; on Google Cloud, where ``GOOGLE_CLOUD_PROJECT`` is set, those by which Cloud Logging
    finds a request's trace too. Nothing of a paper is in it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._project = os.environ.get("GOOGLE_CLOUD_PROJECT")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID, "")
        number = given if SOUND.fullmatch(given) else uuid.uuid4().hex
        began, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                added = MutableHeaders(scope=message)
                added[REQUEST_ID] = number
                for name, value in SECURITY.items():
                    added.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            client = scope.get("client")
            log.info(
                "%s %s %d",
                scope["method"],
                scope["path"],
                status,
                extra={
                    "request_id": number,
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "seconds": round(time.perf_counter() - began, 6),
                    "client": client[0] if client else None,
                }
                | self._trace(headers),
            )

    def _trace(self, headers: Headers) -> dict[str, str | bool]:
        found = TRACE.fullmatch(headers.get("traceparent", ""))
        if found is None:
            return {}
        trace, span = found["trace"], found["span"]
        if self._project is None:
            return {"trace": trace, "span": span}
        return {
            "logging.googleapis.com/trace": f"projects/{self._project}/traces/{trace}",
            "logging.googleapis.com/spanId": span,
            "logging.googleapis.com/trace_sampled": bool(int(found["flags"], 16) & SAMPLED),
        }
