"""Runs the application under uvicorn."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import resource
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from arxiv_core.extras import require
from arxiv_core.serve.app import MAX_BODY, create_app
from arxiv_core.serve.heads import Heads
from arxiv_core.serve.swap import Swapping

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from arxiv_core.serve.keys import Keys
    from arxiv_core.serve.scoring import LiveModel
    from arxiv_core.serve.service import Service
    from arxiv_core.serve.tracing import Tracing
    from arxiv_core.serve.v1 import Limits

__all__ = ["Server", "run"]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""OpenTelemetry's own variables, one of which says where spans go:
https://opentelemetry.io/docs/specs/otel/protocol/exporter/."""

CONNECTIONS = 65_536
"""Files and connections that are ever wanted open at once."""

FLUSH = 0.2
"""Seconds in which a last answer is taken, or is not."""

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn, which ends the requests of a stopping service before its time is over.

    uvicorn itself would cancel them when the time is over, and tell their clients nothing of it.

    Parameters
    ----------
    app
        What answers.
    """

    def __init__(self, app: Service) -> None:
        self._lifetime = app.lifetime
        super().__init__(
            uvicorn.Config(
                app,
                http=Heads,
                # Logging is already set up; uvicorn's own configuration would print beside it.
                log_config=None,
                # `access` logs them, with more.
                access_log=False,
                # What does not even let itself be cancelled must not keep the process for ever.
                timeout_graceful_shutdown=math.ceil(app.lifetime.drain) + 1,
                server_header=False,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop: whoever sent the signal counts from it."""
        self._lifetime.stop()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let what is under way end, or end it."""
        self._lifetime.stop()
        cut = asyncio.ensure_future(self._cut())
        try:
            await super().shutdown(sockets)
        finally:
            cut.cancel()

    async def _cut(self) -> None:
        await asyncio.sleep(self._lifetime.left_to_requests())
        late = list(self.server_state.tasks)
        if late:
            log.warning("requests refused at the end of the drain: %d", len(late))
        for task in late:
            task.cancel()
        await asyncio.sleep(FLUSH)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def run(
    classifier: LiveModel,
    *,
    host: str,
    port: int,
    max_body: int = MAX_BODY,
    timeout: float | None = None,
    drain: float = 8,
    keys: Keys | None = None,
    origins: Sequence[str] = (),
    arxiv_lookup: str | None = None,
    limits: Limits | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are answered first.

    On SIGHUP a :class:`Swapping` classifier loads its model again.

    Parameters
    ----------
    classifier
        Answers every request.
    host, port
        Address to listen on; port 0 takes a free one.
    max_body, timeout, drain, keys, origins, arxiv_lookup, limits
        As in :func:`create_app`.

    Raises
    ------
    OSError
        The address cannot be had.
    KeyboardInterrupt
        Ctrl-C.
    """
    _open_files()
    listening = _listen(host, port)
    server = Server(
        create_app(
            classifier,
            max_body=max_body,
            timeout=timeout,
            drain=drain,
            keys=keys,
            origins=origins,
            tracing=_tracing(),
            arxiv_lookup=arxiv_lookup,
            limits=limits,
        )
    )
    # uvicorn raises a signal again when it has shut down; SIGTERM has then been obeyed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if isinstance(classifier, Swapping):
        reload = classifier.reload
        # Python runs it on the event loop's thread, which looks up ten times a second.
        signal.signal(signal.SIGHUP, lambda *_: reload())
    with listening:
        log.info("listening on http://%s:%d", host, listening.getsockname()[1])
        server.run(sockets=[listening])


def _tracing() -> Tracing | None:
    """Make spans where OpenTelemetry's own variables say where they go."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    require("opentelemetry.sdk", extra="telemetry", what=f"tracing ({' or '.join(ENDPOINTS)})")
    from arxiv_core.serve.metrics import route
    from arxiv_core.serve.tracing import Tracing

    return Tracing(route)


def _open_files() -> None:
    """Let as many connections be open as may be, where the shell allows fewer: often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error
    # Connections inherit it. asyncio sets it only where a socket names its protocol; without it an
    # answer's body waits until its head is acknowledged, which clients put off by 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
