"""The pipeline's commands: ``arxiv-core STAGE KEY=VALUE …``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

__all__ = ["register"]

Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...",
        show_default=False,
        help="Changes to the configuration; arxiv-core config lists the keys.",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")]

STAGES = {
    "prepare": "Turn the snapshot into the papers table.",
    "embed": "Embed every paper; what was embedded before comes from the cache.",
    "train": "Fit the head, its calibration and its thresholds.",
    "evaluate": "Score the model on the test split.",
    "package": "Write a model directory to hand on: weights, metrics and model card.",
}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    data = typer.Typer(no_args_is_help=True, help="Get and prepare the corpus.")
    _add(data, "fetch", "Download the snapshot from Kaggle; an interrupted download goes on.")
    _add(data, "prepare", STAGES["prepare"])
    app.add_typer(data, name="data")
    for name, text in STAGES.items():
        _add(app, name, text)
    app.command()(config)
    app.command()(taxonomy)


def _add(app: typer.Typer, name: str, text: str) -> None:
    @app.command(name=name, help=text)
    def command(overrides: Overrides = None, *, json_: Json = False) -> None:
        _run(name, overrides or [], as_json=json_)


def _run(stage: str, overrides: list[str], *, as_json: bool) -> None:
    from arxiv_core import config, pipeline
    from arxiv_core.cli import summary
    from arxiv_core.cli.progress import bars

    composed = config.compose(overrides)
    with bars() as progress:
        result = pipeline.run(stage, composed, progress)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        summary.show(stage, result)


def config(overrides: Overrides = None) -> None:
    """Print the composed configuration."""
    from arxiv_core.config import render

    typer.echo(render(overrides or []), nl=False)


def taxonomy(
    *,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Subsumed categories too.")] = False,
) -> None:
    """List arXiv's categories."""
    import arxiv_core

    entries: list[Any] = [one for one in arxiv_core.taxonomy() if all_ or one["active"]]
    if json_:
        typer.echo(json.dumps(entries, ensure_ascii=False))
        return
    for one in entries:
        aliases = f" (= {', '.join(one['aliases'])})" if one["aliases"] else ""
        typer.echo(f"{one['category']:<20} {one['name']}{aliases}")
