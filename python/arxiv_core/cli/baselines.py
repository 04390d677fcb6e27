"""``arxiv-core baselines``: what a run's figures stand beside."""

from __future__ import annotations

import json

import typer

from arxiv_core.cli.stages import ConfigDir, From, Json, Overrides

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(baselines)


def baselines(
    overrides: Overrides = None,
    *,
    from_: From = None,
    config_dir: ConfigDir = None,
    json_: Json = False,
) -> None:
    """Measure scikit-learn's TF-IDF and frozen embedding on the same papers, for the report."""
    from arxiv_core import baselines, config
    from arxiv_core.cli import summary
    from arxiv_core.cli.progress import bars

    composed = config.compose(overrides or [], base=from_, directory=config_dir)
    with bars() as progress:
        found = baselines.run(composed, progress)
    if json_:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        summary.show("baselines", found)
