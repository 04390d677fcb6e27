"""The pipeline's commands: ``arxiv-core STAGE KEY=VALUE …``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from arxiv_core.cli.profile import Asked, Folder, profiled

__all__ = ["register"]

Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...",
        show_default=False,
        help="Changes to the configuration; arxiv-core config lists the keys.",
    ),
]

From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        show_default=False,
        help="A whole configuration to start from: a YAML file, or a run's directory.",
    ),
]

ConfigDir = Annotated[
    Path | None,
    typer.Option(
        "--config-dir",
        metavar="DIR",
        envvar="ARXIV_CORE_CONFIG_DIR",
        show_default=False,
        help="Your own groups (DIR/experiment/mine.yaml), looked for before the built-in ones.",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")]

STAGES = {
    "prepare": "Turn the snapshot into the papers table.",
    "embed": "Embed every paper; what was embedded before comes from the cache.",
    "train": "Fit the head, its calibration and its thresholds.",
    "evaluate": "Score the model on papers that it has not seen.",
}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    data = typer.Typer(no_args_is_help=True, help="Get and prepare the corpus.")
    _add(data, "fetch", "Download Kaggle's newest snapshot; an interrupted download goes on.")
    _add(data, "raw", "Lay aside the corpus that data.source names, so that it can be versioned.")
    _add(data, "prepare", STAGES["prepare"])
    app.add_typer(data, name="data")
    for name, text in STAGES.items():
        _add(app, name, text)
    app.command()(package)
    app.command()(rerun)
    app.command()(config)
    app.command()(taxonomy)


def _add(app: typer.Typer, name: str, text: str) -> None:
    @app.command(name=name, help=text)
    def command(
        overrides: Overrides = None,
        *,
        from_: From = None,
        config_dir: ConfigDir = None,
        json_: Json = False,
        profile: Asked = False,
        profile_dir: Folder = None,
    ) -> None:
        _run(
            name,
            overrides,
            from_,
            config_dir,
            as_json=json_,
            profile=profile,
            profile_dir=profile_dir,
        )


def package(
    overrides: Overrides = None,
    *,
    from_: From = None,
    config_dir: ConfigDir = None,
    self_contained: Annotated[
        bool, typer.Option("--self-contained", help="Put the encoder inside.")
    ] = False,
    json_: Json = False,
    profile: Asked = False,
    profile_dir: Folder = None,
) -> None:
    """Write a model directory to hand on: weights, metrics and model card."""
    _run(
        "package",
        overrides,
        from_,
        config_dir,
        as_json=json_,
        profile=profile,
        profile_dir=profile_dir,
        self_contained=self_contained,
    )


def _run(
    stage: str,
    overrides: list[str] | None,
    base: Path | None,
    directory: Path | None,
    *,
    as_json: bool,
    profile: bool,
    profile_dir: Path | None,
    **options: bool,
) -> None:
    from arxiv_core import config, pipeline
    from arxiv_core.cli import summary
    from arxiv_core.cli.progress import bars

    composed = config.compose(overrides or [], base=base, directory=directory)
    with profiled(stage, composed, asked=profile, folder=profile_dir), bars() as progress:
        result = pipeline.run(stage, composed, progress, **options)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        summary.show(stage, result)


def rerun(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run's directory.")],
    target: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIR", show_default=False, help="Directory of the new run."),
    ] = None,
    *,
    json_: Json = False,
) -> None:
    """Make a run again from its directory alone, and say whether the bytes are the same."""
    from arxiv_core.cli import summary
    from arxiv_core.cli.failures import FAILURE
    from arxiv_core.cli.progress import bars
    from arxiv_core.pipeline.rerun import rerun as again

    with bars() as progress:
        result = again(run, target, progress)
    if json_:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        summary.show("rerun", result)
    if not result["same"]:
        raise typer.Exit(FAILURE)


def config(
    overrides: Overrides = None,
    *,
    from_: From = None,
    config_dir: ConfigDir = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="The values alone, as in params.yaml.")
    ] = False,
) -> None:
    """Print the composed configuration, and where each value came from."""
    from arxiv_core.config import render

    shown = render(overrides or [], base=from_, directory=config_dir, origins=not plain)
    typer.echo(shown, nl=False)


def taxonomy(
    *,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
    all_: Annotated[
        bool, typer.Option("--all", help="Aliases, subsumed and bare archives too.")
    ] = False,
) -> None:
    """List arXiv's categories: the labels, with their other names."""
    import arxiv_core

    entries = [one for one in arxiv_core.taxonomy() if all_ or one["canonical"] == one["category"]]
    if json_:
        typer.echo(json.dumps(entries, ensure_ascii=False))
        return
    for one in entries:
        aliases = f" (= {', '.join(one['aliases'])})" if one["aliases"] else ""
        typer.echo(f"{one['category']:<20} {one['name']}{aliases}")
