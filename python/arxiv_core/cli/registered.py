"""Tables of registered models, of the gate's verdict and of aliases that moved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from arxiv_core.registry import Move, Version
    from arxiv_core.registry.report import Report

__all__ = ["show_history", "show_list", "show_report", "show_version"]

FIGURES = ("micro_f1", "macro_f1")


def show_list(versions: Sequence[Version], place: str) -> None:
    """Print a line a version.

    Parameters
    ----------
    versions
        What there is.
    place
        The registry.
    """
    if not versions:
        typer.echo(f"no models in {place}; arxiv-core model register adds one")
        return
    table = _table(place)
    # Only the run's name gives way on a narrow terminal.
    names = [str(one) for one in versions]
    table.add_column("model", min_width=max(map(len, names)), no_wrap=True)
    aliases = [alias for one in versions for alias in one.aliases]
    table.add_column("aliases", min_width=max(map(len, ["aliases", *aliases])))
    table.add_column("registered", min_width=10, no_wrap=True)
    for name in (*FIGURES, "labels"):
        table.add_column(name, justify="right", min_width=len(name), no_wrap=True)
    table.add_column("run", no_wrap=True, overflow="ellipsis")
    for name, one in zip(names, versions, strict=True):
        table.add_row(
            Text(name),
            Text("\n".join(one.aliases), style="bold green"),
            one.registered_at[:10],
            *(_figure(one.metrics.get(figure)) for figure in FIGURES),
            _figure(one.labels),
            Text(one.run or ""),
        )
    Console().print(table)


def show_version(version: Version, directory: Path) -> None:
    """Print what is known about a version.

    Parameters
    ----------
    version
        What is shown.
    directory
        Where its files are.
    """
    table = _table(str(version), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    facts = {
        "aliases": " ".join(version.aliases) or "none",
        "registered": f"{version.registered_at} by {version.registered_by or 'unknown'}",
        "run": version.run or "unknown",
        "commit": version.git_commit or "unknown",
        "content": f"{version.content_hash}, every file is as its manifest lists it",
        "directory": str(directory),
        "labels": _figure(version.labels),
    }
    facts |= {name: _figure(value) for name, value in version.metrics.items()}
    for name, value in facts.items():
        table.add_row(Text(name), Text(value))
    Console().print(table)


def show_history(moves: Sequence[Move]) -> None:
    """Print a line a move, oldest first.

    Parameters
    ----------
    moves
        Moves of a model's aliases, and refusals.
    """
    if not moves:
        typer.echo("no alias was ever moved")
        return
    table = _table("aliases")
    for name in ("when", "alias", "from", "to", "by"):
        table.add_column(name, no_wrap=True)
    table.add_column("why", overflow="fold")
    for move in moves:
        table.add_row(
            move.at[:19].replace("T", " "),
            Text(move.alias),
            Text(move.origin or "-"),
            Text((move.target or "-") if move.moved else f"{move.target} refused"),
            Text(move.by),
            Text(move.why),
            style="" if move.moved else "red",
        )
    Console().print(table)


def show_report(report: Report, move: Move, version: str) -> None:
    """Print the gate's verdict.

    Parameters
    ----------
    report
        What it found.
    move
        What became of the alias.
    version
        The candidate.
    """
    table = _table(f"{version} to {move.alias}")
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("found", overflow="fold")
    for one in report.checks:
        verdict = Text("passed", style="green") if one.passed else Text("failed", style="bold red")
        table.add_row(one.name, verdict, Text(one.sentence))
        for failure in one.failures[:20] if not one.passed else ():
            table.add_row("", "", Text(failure, style="red"))
    for name in report.without:
        table.add_row(name, Text("left out", style="yellow"), "")
    console = Console()
    console.print(table)
    if move.moved:
        console.print(Text(f"{move.alias}: {move.origin or 'nothing'} -> {move.target}"))


def _table(title: str, *, show_header: bool = True) -> Table:
    return Table(
        box=box.SIMPLE_HEAD,
        title=Text(title),
        title_justify="left",
        title_style="bold",
        show_header=show_header,
    )


def _figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return "" if value is None else str(value)
