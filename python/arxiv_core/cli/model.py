"""``arxiv-core model``: the registry's commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arxiv_core.cli.failures import FAILURE

if TYPE_CHECKING:
    from arxiv_core.registry import Registry
    from arxiv_core.registry.quality import Evidence

__all__ = ["register"]

Which = Annotated[
    str,
    typer.Argument(
        metavar="NAME@VERSION|ALIAS", help="arxiv@v2, arxiv@staging; arxiv alone is in production."
    ),
]
Place = Annotated[
    str | None,
    typer.Option(
        "--registry",
        show_default=False,
        help="Directory or wandb://ENTITY/PROJECT; else ARXIV_CORE_REGISTRY says it.",
    ),
]
Backend = Annotated[
    Literal["local", "wandb"] | None,
    typer.Option(show_default=False, help="Kind of registry; else its place says it."),
]
Why = Annotated[str, typer.Option(help="Reason, for the history.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Keep models: versions, aliases, promotion.")
    group.command(name="list")(list_)
    group.command(name="register")(register_)
    for command in (promote, alias, show, history, pull):
        group.command()(command)
    app.add_typer(group, name="model")


def list_(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", show_default=False, help="One model only.")
    ] = None,
    *,
    registry: Place = None,
    backend: Backend = None,
    json_: Json = False,
) -> None:
    """List models with their versions and aliases."""
    opened = _open(registry, backend)
    names = opened.models() if name is None else [name]
    versions = [version for one in names for version in opened.versions(one)]
    if json_:
        _echo([version.as_dict() for version in versions])
        return
    from arxiv_core.cli import registered

    registered.show_list(versions, opened.place)


def register_(
    source: Annotated[
        str,
        typer.Argument(metavar="DIR|RUN", help="Model directory, or a run that was packaged."),
    ],
    *,
    name: Annotated[str, typer.Option(help="The model's name.")] = "arxiv",
    alias: Annotated[
        list[str] | None,
        typer.Option(show_default=False, help="Alias to point to it, such as staging."),
    ] = None,
    why: Why = "registered",
    registry: Place = None,
    backend: Backend = None,
    json_: Json = False,
) -> None:
    """Add a model as the next version; the same content is the same version."""
    from arxiv_core.config.schema import Paths
    from arxiv_core.registry.reference import Reference, check_alias, guard
    from arxiv_core.registry.source import source as found

    for one in alias or []:
        # Before anything is written.
        check_alias(one)
        guard(one)
    opened = _open(registry, backend)
    directory, provenance = found(source, Path(Paths().runs))
    version, is_new = opened.register(directory, name, provenance)
    for one in alias or []:
        if one not in version.aliases:
            opened.move(version, one, why)
    version = opened.find(Reference(version.name, version.version))
    if json_:
        _echo(version.as_dict() | {"new": is_new})
        return
    aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
    known = "" if is_new else ": this content was there already"
    typer.echo(f"{version}{aliases}{known}")


def promote(
    which: Which,
    *,
    to: Annotated[str, typer.Option(help="Alias that will point to it.")] = "production",
    papers: Annotated[
        Path | None,
        typer.Option(show_default=False, help="Papers table; data/prepared's unless given."),
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            show_default=False, help="The table's embeddings; without, the papers are encoded."
        ),
    ] = None,
    split: Annotated[
        Literal["train", "validation", "test"], typer.Option(help="Papers to compare on.")
    ] = "test",
    tolerance: Annotated[
        float,
        typer.Option(help="Refuse where the whole interval of the micro-F1 difference is below."),
    ] = 0.0,
    level: Annotated[float, typer.Option(help="Level of that interval.")] = 0.95,
    latency_ratio: Annotated[
        float, typer.Option(help="Most time a paper may take, in the present model's.")
    ] = 1.5,
    latency_limit: Annotated[
        float | None,
        typer.Option(show_default=False, help="Most milliseconds a paper may take; no limit."),
    ] = None,
    probability_tolerance: Annotated[
        float,
        typer.Option(help="Most a probability may move where rewriting changes an assignment."),
    ] = 0.05,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECK",
            show_default=False,
            help="Leave quality, latency or behaviour out; the history says so.",
        ),
    ] = None,
    why: Why = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    registry: Place = None,
    backend: Backend = None,
    json_: Json = False,
) -> None:
    """Run the gate, and move the alias if it passes: quality, latency, behaviour.

    arxiv-core model promote arxiv@v2 --papers data/prepared/papers.parquet
    """
    from arxiv_core.cli import registered
    from arxiv_core.cli.progress import bars
    from arxiv_core.registry.promotion import promote as promoted
    from arxiv_core.registry.reference import Reference
    from arxiv_core.registry.report import Bars

    opened = _open(registry, backend)
    version = opened.find(Reference.parse(which))
    with bars() as progress:
        report, move = promoted(
            opened,
            version,
            to,
            evidence=_evidence(papers, embeddings, split),
            bars=Bars(
                tolerance=tolerance,
                level=level,
                latency_ratio=latency_ratio,
                latency_limit=latency_limit,
                probability_tolerance=probability_tolerance,
            ),
            without=without or [],
            why=why,
            device=device,
            progress=progress,
        )
    if json_:
        _echo(move.as_dict())
    else:
        registered.show_report(report, move, str(version))
    if not move.moved:
        typer.echo(f"arxiv-core: {version} is not promoted: {report.why_not}", err=True)
        raise typer.Exit(FAILURE)


def alias(
    which: Annotated[
        str, typer.Argument(metavar="NAME@VERSION", help="arxiv@v2; arxiv with --remove.")
    ],
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="Such as staging.")],
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the alias.")] = False,
    why: Why = "by hand",
    registry: Place = None,
    backend: Backend = None,
    json_: Json = False,
) -> None:
    """Point an alias to a version; production moves by promote only."""
    from arxiv_core.registry.reference import Reference, RegistryError

    opened = _open(registry, backend)
    reference = Reference.parse(which)
    if remove:
        move = opened.remove(reference.name, alias, why)
    elif "@" not in which:
        raise RegistryError(f"model {which}: say which version: {which}@v1")
    else:
        move = opened.move(opened.find(reference), alias, why)
    if json_:
        _echo(move.as_dict())
        return
    typer.echo(
        f"{reference.name}@{alias}: {move.origin or 'nothing'} -> {move.target or 'nothing'}"
    )


def show(
    which: Which, *, registry: Place = None, backend: Backend = None, json_: Json = False
) -> None:
    """Show a version, check its files, and say when which alias came and went."""
    from arxiv_core.cli import registered
    from arxiv_core.registry import content
    from arxiv_core.registry.reference import Reference

    opened = _open(registry, backend)
    version = opened.find(Reference.parse(which))
    mine = version.version
    moves = [one for one in opened.history(version.name) if mine in {one.origin, one.target}]
    directory = opened.directory(version)
    content.verify(directory)
    if json_:
        found = version.as_dict() | {"directory": str(directory)}
        _echo(found | {"moves": [move.as_dict() for move in moves]})
        return
    registered.show_version(version, directory)
    registered.show_history(moves)


def history(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The model.")] = "arxiv",
    *,
    registry: Place = None,
    backend: Backend = None,
    json_: Json = False,
) -> None:
    """Show when which alias was moved, by whom, why, and what the gate refused."""
    moves = _open(registry, backend).history(name)
    if json_:
        _echo([move.as_dict() for move in moves])
        return
    from arxiv_core.cli import registered

    registered.show_history(moves)


def pull(
    which: Which,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="New directory to write.")],
    *,
    registry: Place = None,
    backend: Backend = None,
    json_: Json = False,
) -> None:
    """Copy a version's model directory, checked."""
    from arxiv_core import registry as registries
    from arxiv_core.registry.reference import Reference

    opened = _open(registry, backend)
    version = opened.find(Reference.parse(which))
    target = registries.pull(opened, version, directory)
    if json_:
        _echo(version.as_dict() | {"directory": str(target)})
        return
    typer.echo(f"{version} -> {target}")


def _open(place: str | None, backend: Literal["local", "wandb"] | None) -> Registry:
    from arxiv_core.registry import open_registry

    return open_registry(place, backend)


def _evidence(papers: Path | None, embeddings: Path | None, split: str) -> Evidence:
    from arxiv_core.config.schema import Config
    from arxiv_core.pipeline.layout import Layout
    from arxiv_core.registry.quality import Evidence

    usual = Layout.of(Config())
    if papers is None and embeddings is None and usual.embeddings.is_file():
        embeddings = usual.embeddings
    for given in (papers, embeddings):
        if given is not None and not given.is_file():
            raise FileNotFoundError(2, "No such file", str(given))
    return Evidence(papers or usual.papers, embeddings, split)


def _echo(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
