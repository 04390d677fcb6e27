"""The ``arxiv-core`` command. Only this room imports typer and rich.

Every command imports what it needs when it runs: ``--help`` and a wrong flag answer at once,
and ``classify`` never loads what only training needs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from arxiv_core.cli import baselines, classify, model, report, serve, stages, sweep
from arxiv_core.cli.group import Commands, Form, Level

__all__ = ["app", "main"]

app = typer.Typer(
    name="arxiv-core",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Sort papers into arXiv categories.",
    epilog="--debug, --log-level and --log-format may stand before or after any command.",
)
classify.register(app)
report.register(app)
baselines.register(app)
serve.register(app)
stages.register(app)
model.register(app)
sweep.register(app)


def _version(asked: bool) -> None:
    if asked:
        import arxiv_core

        typer.echo(f"arxiv-core {arxiv_core.__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks and log everything.")
    ] = False,
    log_level: Annotated[
        Level | None,
        typer.Option(
            envvar="ARXIV_CORE_LOG_LEVEL",
            help="Log this and worse to standard error, from Rust and Python alike.",
        ),
    ] = None,
    log_format: Annotated[
        Form,
        typer.Option(
            envvar="ARXIV_CORE_LOG_FORMAT",
            help="auto: human on a terminal, JSON lines elsewhere.",
        ),
    ] = "auto",
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Sort papers into arXiv categories."""
    del version
    from arxiv_core.cli import logs

    # Whoever classifies wants the answer; whoever trains wants to know what is going on.
    usual: Level = "warning" if context.invoked_subcommand == "classify" else "info"
    logs.start("debug" if debug else log_level or usual, log_format)


def main() -> None:
    """Run the command; the console script's entry point."""
    app(prog_name="arxiv-core")
