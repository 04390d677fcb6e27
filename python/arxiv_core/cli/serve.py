"""``arxiv-core serve``: the HTTP service."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arxiv_core.cli.failures import INTERRUPTED, UsageError
from arxiv_core.cli.stages import ConfigDir, From, Overrides

if TYPE_CHECKING:
    from arxiv_core.config.schema import Serve

__all__ = ["register"]

log = logging.getLogger("arxiv_core.serve")

PORTS = 65535

DAY = 24 * 60 * 60


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(serve)


def serve(
    overrides: Overrides = None,
    *,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; 0.0.0.0 for every interface. [127.0.0.1]"),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=PORTS, help="Port; 0 for a free one. [8000]")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="Model directory or registry:NAME@ALIAS; the default model unless given.",
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N. [auto]")] = None,
    dtype: Annotated[
        Literal["f32", "bf16"] | None, typer.Option(help="Number format of the encoder. [f32]")
    ] = None,
    from_: From = None,
    config_dir: ConfigDir = None,
) -> None:
    """Answer POST /classify over HTTP, with /health and /info beside it.

    A flag stands before the configuration's group serve.
    """
    from arxiv_core.extras import require

    for package in ("fastapi", "jinja2", "prometheus_client", "uvicorn"):
        require(package, extra="serve", what="arxiv-core serve")
    from arxiv_core import Classifier
    from arxiv_core.live import LiveClassifier
    from arxiv_core.serve import run

    chosen = _configured(overrides or [], from_, config_dir)
    flags = {"host": host, "port": port, "model": model, "device": device}
    for name, value in flags.items():
        if value is not None:
            setattr(chosen, name, value)
    format_ = dtype or chosen.dtype.value
    _check(chosen)
    classifier = Classifier.load(chosen.model, device=chosen.device, dtype=format_)
    log.info("model loaded: %d categories", len(classifier.labels))
    live = LiveClassifier(
        classifier,
        capacity=chosen.capacity,
        max_wait=chosen.max_wait,
        batch_tokens=chosen.batch_tokens,
        tokenizer_threads=chosen.tokenizer_threads,
    )
    try:
        run(
            live,
            host=chosen.host,
            port=chosen.port,
            max_body=chosen.max_body,
            timeout=chosen.timeout,
            drain=chosen.drain,
            arxiv_lookup=chosen.arxiv_lookup,
        )
    except KeyboardInterrupt:
        # How a server is stopped by hand: nothing to explain.
        raise typer.Exit(INTERRUPTED) from None


def _check(chosen: Serve) -> None:
    """Fail before the model is loaded, by the key's name."""
    for key, good, what in (
        ("port", 0 <= chosen.port <= PORTS, f"from 0 to {PORTS}"),
        ("capacity", chosen.capacity >= 1, "must be at least 1"),
        ("max_wait", 0 <= chosen.max_wait <= 60, "from 0 to 60 seconds"),
        (
            "batch_tokens",
            chosen.batch_tokens is None or chosen.batch_tokens >= 1,
            "must be at least 1",
        ),
        ("tokenizer_threads", chosen.tokenizer_threads >= 1, "must be at least 1"),
        (
            "timeout",
            chosen.timeout is None or 0 < chosen.timeout < DAY,
            "more than 0 seconds, and less than a day",
        ),
        ("max_body", chosen.max_body >= 1, "must be at least 1 byte"),
        ("drain", 0 <= chosen.drain < DAY, "at least 0 seconds, and less than a day"),
        (
            "arxiv_lookup",
            chosen.arxiv_lookup is None or chosen.arxiv_lookup.startswith(("https://", "http://")),
            "must be an address, https://…",
        ),
    ):
        if not good:
            raise UsageError(f"serve.{key} = {getattr(chosen, key)}: {what}")


def _configured(overrides: list[str], base: Path | None, directory: Path | None) -> Serve:
    from arxiv_core.config.schema import Serve

    if not overrides and base is None:
        # Hydra is for those who ask for it: a container starts without.
        return Serve()
    from arxiv_core.config import compose

    return compose(overrides, base=base, directory=directory).serve
