"""``arxiv-core serve``: the HTTP service."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer.core import TyperCommand

from arxiv_core.cli.failures import INTERRUPTED, UsageError
from arxiv_core.cli.stages import ConfigDir, From, Overrides

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

    from arxiv_core.config.schema import Serve
    from arxiv_core.live import LiveClassifier
    from arxiv_core.serve import Keys

__all__ = ["register"]

log = logging.getLogger("arxiv_core.serve")

SHAPES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
"""Shapes of products for which oneDNN keeps what it has compiled; by default 1,024. Every batch has
its own few, used again in each layer, and nearly every batch has others: they would fill memory.
https://uxlfoundation.github.io/oneDNN/dev_guide_primitive_cache.html"""

ARENAS = "MALLOC_ARENA_MAX"
"""glibc's variable for the heaps among which threads are spread; read when a process starts."""

M_ARENA_MAX = -8
"""The same to `mallopt` (malloc.h): https://man7.org/linux/man-pages/man3/mallopt.3.html."""

PORTS = 65535

DAY = 24 * 60 * 60

OTHERS = {
    "AIP_HTTP_PORT": "Vertex AI's: port, where no flag gives one.",
    "AIP_PREDICT_ROUTE": "Vertex AI's: path at which it asks for predictions. [/vertex]",
    "AIP_HEALTH_ROUTE": "Vertex AI's: path at which it asks whether the service is ready, beside "
    "/ready.",
    "GOOGLE_CLOUD_PROJECT": "Google Cloud's: project in which Cloud Logging finds a request's "
    "trace; Cloud Run does not set it.",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "OpenTelemetry's: collector of spans, as http://collector:4318; "
    "without it and the next, none are made. Needs the extra telemetry.",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "OpenTelemetry's: whole address to which spans go, "
    "instead of the one before.",
    "OTEL_SERVICE_NAME": "OpenTelemetry's: the service's name in spans. [arxiv-core]",
    SHAPES[0]: f"oneDNN's: shapes whose compiled products are kept. [{SHAPES[1]}]",
    ARENAS: "glibc's: heaps among which threads are spread. [1]",
}
"""Variables of others that the service obeys, and what they mean to it."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(cls=Documented)(serve)


class Documented(TyperCommand):
    """A command whose help lists every setting, wherever it is set."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help, and the settings below it."""
        super().format_help(ctx, formatter)
        from arxiv_core.config.environment import KEYS, settings

        typer.echo("\nSettings, each a key and an environment variable:\n")
        for one in settings():
            typer.echo(f"  {one.key}={one.default}   {one.variable}")
            if one.text:
                typer.echo(f"      {one.text}")
        typer.echo(f"  {KEYS}\n      API keys, separated by commas.")
        typer.echo("\nVariables of others that are obeyed:\n")
        for name, text in OTHERS.items():
            typer.echo(f"  {name}\n      {text}")


def serve(
    overrides: Overrides = None,
    *,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; 0.0.0.0 for every interface. [127.0.0.1]"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=PORTS, envvar="AIP_HTTP_PORT", help="Port; 0 for a free one. [8000]"
        ),
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
    """Answer POST /classify over HTTP, with everything around it.

    A flag stands before KEY=VALUE, which stands before an environment variable, but for
    AIP_HTTP_PORT: that is obeyed where no flag gives a port.
    """
    from arxiv_core.extras import require

    for package in ("fastapi", "jinja2", "prometheus_client", "uvicorn"):
        require(package, extra="serve", what="arxiv-core serve")
    from arxiv_core.serve import Swapping, run, vertex
    from arxiv_core.serve.v1 import Limits

    chosen = _configured(overrides or [], from_, config_dir)
    flags = {"host": host, "port": port, "model": model, "device": device}
    for name, value in flags.items():
        if value is not None:
            setattr(chosen, name, value)
    if dtype is not None:
        chosen.dtype = type(chosen.dtype)[dtype]
    _check(chosen)
    # Before the model is loaded: what is wrong is said at once.
    vertex.predict_route()
    vertex.health_route()
    keys = _keys(chosen)
    # Before the first product: it is read once.
    os.environ.setdefault(*SHAPES)
    _share_one_heap()
    # Before the model is loaded: what is meant may change meanwhile.
    meant = _stamp(chosen.model)
    classifier = Swapping(
        _load(chosen),
        lambda: _load(chosen),
        stamp=lambda: _stamp(chosen.model),
        every=chosen.watch if chosen.model is not None else None,
        seen=meant,
        # No request is older than its deadline.
        drain=DAY if chosen.timeout is None else chosen.timeout + 1,
    )
    try:
        run(
            classifier,
            host=chosen.host,
            port=chosen.port,
            max_body=chosen.max_body,
            timeout=chosen.timeout,
            drain=chosen.drain,
            keys=keys,
            origins=chosen.origins,
            arxiv_lookup=chosen.arxiv_lookup,
            limits=Limits(
                keep=chosen.limits_keep,
                propose=chosen.limits_propose,
                cross_list=chosen.limits_cross_list,
                cross_lists=chosen.limits_cross_lists,
            ),
        )
    except KeyboardInterrupt:
        # How a server is stopped by hand: nothing to explain.
        raise typer.Exit(INTERRUPTED) from None


def _share_one_heap() -> None:
    """Let the encoder's thread use the process's own heap.

    Its own would be made of pieces of 64 MB, in which the encoder's tensors, of ten and more each,
    leave gaps that the next do not fit: memory grows until every piece has its gaps.
    """
    if ARENAS not in os.environ:
        # Other C libraries have no arenas.
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def _load(chosen: Serve) -> LiveClassifier:
    from arxiv_core import Classifier
    from arxiv_core.live import LiveClassifier

    classifier = Classifier.load(chosen.model, device=chosen.device, dtype=chosen.dtype.value)
    log.info("model loaded: %d categories", len(classifier.labels))
    return LiveClassifier(
        classifier,
        capacity=chosen.capacity,
        max_wait=chosen.max_wait,
        batch_tokens=chosen.batch_tokens,
        tokenizer_threads=chosen.tokenizer_threads,
    )


def _stamp(model: str | None) -> str:
    """Say which model is meant now."""
    if model is not None and model.startswith("registry:"):
        from arxiv_core.registry import Reference, open_registry

        return str(open_registry().find(Reference.parse(model)))
    from arxiv_core.classifier import model_path

    # The manifest names the hash of every other file.
    return hashlib.sha256((model_path(model) / "manifest.json").read_bytes()).hexdigest()


def _keys(chosen: Serve) -> Keys | None:
    from arxiv_core.config.environment import KEYS, PREFIX
    from arxiv_core.serve import Keys

    file = f"{PREFIX}KEYS_FILE"
    if chosen.keys_file is None and os.environ.get(file) == "":
        raise UsageError(f"{file} is set and names no file")
    given = os.environ.get(KEYS, "").replace(",", " ").split()
    if chosen.keys_file is None and KEYS not in os.environ:
        return None
    # A variable that was meant to hold keys and is empty must not open the door.
    return Keys(given, None if chosen.keys_file is None else Path(chosen.keys_file).expanduser())


def _check(chosen: Serve) -> None:
    """Fail before the model is loaded, by the key's name."""
    from arxiv_core.serve.v1 import CROSS_LISTS

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
        (
            "watch",
            chosen.watch is None or 0 < chosen.watch < DAY,
            "more than 0 seconds, and less than a day",
        ),
        ("drain", 0 <= chosen.drain < DAY, "at least 0 seconds, and less than a day"),
        (
            "arxiv_lookup",
            chosen.arxiv_lookup is None or chosen.arxiv_lookup.startswith(("https://", "http://")),
            "must be an address, https://…",
        ),
        *(
            (key, 0 <= getattr(chosen, key) <= 1, "must be a probability, from 0 to 1")
            for key in ("limits_keep", "limits_propose", "limits_cross_list")
        ),
        (
            "limits_cross_lists",
            0 <= chosen.limits_cross_lists <= CROSS_LISTS,
            f"from 0 to {CROSS_LISTS}",
        ),
    ):
        if not good:
            raise UsageError(f"serve.{key} = {getattr(chosen, key)}: {what}")


def _configured(overrides: list[str], base: Path | None, directory: Path | None) -> Serve:
    from arxiv_core.config.environment import from_environment
    from arxiv_core.config.schema import Serve
    from arxiv_core.extras import require

    chosen = Serve()
    # Hydra is for those who ask for what it alone can do: a container starts without.
    needed = _for_hydra(chosen, overrides, base, directory)
    if needed is not None:
        require("hydra", extra="pipeline", what=f"arxiv-core serve {needed}")
        from arxiv_core.config import compose

        chosen = compose(overrides, base=base, directory=directory).serve
    given = (override.partition("=")[0].lstrip("+") for override in overrides)
    from_environment(
        chosen,
        os.environ,
        but={key.removeprefix("serve.") for key in given if key.startswith("serve.")},
    )
    return chosen


def _for_hydra(
    chosen: Serve, overrides: list[str], base: Path | None, directory: Path | None
) -> str | None:
    """Set what is said plainly; return what of the command line only Hydra can read."""
    from arxiv_core.config.plain import plainly

    if base is not None:
        return f"--from {base}"
    if directory is not None:
        return f"--config-dir {directory}"
    return plainly(chosen, overrides)
