"""Runs the application under uvicorn."""

from __future__ import annotations

import uvicorn

from arxiv_core.serve.app import Classifying, create_app

__all__ = ["run"]


def run(classifier: Classifying, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    classifier
        Answers every request.
    host, port
        Address to listen on.
    """
    uvicorn.run(
        create_app(classifier),
        host=host,
        port=port,
        # Logging is already set up; uvicorn's own configuration would print beside it.
        log_config=None,
        server_header=False,
    )
