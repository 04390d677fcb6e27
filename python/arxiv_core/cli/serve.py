"""``arxiv-core serve``: the HTTP service."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

import typer

from arxiv_core.cli.failures import INTERRUPTED

__all__ = ["register"]

log = logging.getLogger("arxiv_core.serve")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(serve)


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 8000,
    model: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="Model directory or registry:NAME@ALIAS; the default model unless given.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[
        Literal["f32", "bf16"], typer.Option(help="Number format of the encoder.")
    ] = "f32",
) -> None:
    """Answer POST /classify over HTTP, with /health and /info beside it."""
    from arxiv_core.extras import require

    for package in ("fastapi", "uvicorn"):
        require(package, extra="serve", what="arxiv-core serve")
    from arxiv_core import Classifier
    from arxiv_core.serve import run

    classifier = Classifier.load(model, device=device, dtype=dtype)
    log.info("model loaded: %d categories", len(classifier.labels))
    try:
        run(classifier, host=host, port=port)
    except KeyboardInterrupt:
        # How a server is stopped by hand: nothing to explain.
        raise typer.Exit(INTERRUPTED) from None
