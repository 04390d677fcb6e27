"""Runs the application under uvicorn."""

from __future__ import annotations

import logging
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from arxiv_core.serve.app import MAX_BODY, create_app

if TYPE_CHECKING:
    from arxiv_core.serve.app import Classifying

__all__ = ["run"]

log = logging.getLogger(__name__)


def run(
    classifier: Classifying,
    *,
    host: str,
    port: int,
    max_body: int = MAX_BODY,
    timeout: float | None = None,
    drain: float = 10,
    arxiv_lookup: str | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are answered first.

    Parameters
    ----------
    classifier
        Answers every request.
    host, port
        Address to listen on; port 0 takes a free one.
    max_body, timeout, drain, arxiv_lookup
        As in :func:`create_app`.

    Raises
    ------
    OSError
        The address cannot be had.
    KeyboardInterrupt
        Ctrl-C.
    """
    listening = _listen(host, port)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(
                classifier,
                max_body=max_body,
                timeout=timeout,
                drain=drain,
                arxiv_lookup=arxiv_lookup,
            ),
            # Logging is already set up; uvicorn's own configuration would print beside it.
            log_config=None,
            # `access` logs them, with more.
            access_log=False,
            server_header=False,
        )
    )
    # uvicorn raises a signal again when it has shut down; SIGTERM has then been obeyed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with listening:
        log.info("listening on http://%s:%d", host, listening.getsockname()[1])
        server.run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from error
