"""``arxiv-core sweep``: a search for better hyperparameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(sweep)


def sweep(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...",
            show_default=False,
            help="Changes to the configuration: of sweep, and of what every trial has.",
        ),
    ] = None,
    *,
    json_: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Try hyperparameters and rank them; the same command goes on where it stopped."""
    from arxiv_core import sweep
    from arxiv_core.cli.progress import bars

    with bars() as progress:
        found = sweep.run(overrides or [], progress)
    if json_:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    _show(found)
    if found["command"] is not None:
        typer.echo(f"To train the best again:\n{found['command']}")


def _show(found: Mapping[str, Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    keys = list(dict.fromkeys(key for row in found["trials"] for key in row["parameters"]))
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"sweep {found['name']}: {found['metric']} on {found['split']}",
        title_justify="left",
        title_style="bold",
        caption=_caption(found),
        caption_justify="left",
    )
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column(found["metric"], justify="right", no_wrap=True)
    table.add_column("interval", style="dim", no_wrap=True)
    for key in keys:
        # The last part of a key tells it apart; the whole one is in trials.csv.
        table.add_column(key.rpartition(".")[2], justify="right", overflow="fold")
    for row in found["trials"]:
        value = row["state"] if row["value"] is None else f"{row['value']:.4f}"
        interval = "{:.4f} to {:.4f}".format(*row["interval"]) if row["interval"] else ""
        tried = [_written(row["parameters"].get(key)) for key in keys]
        best = "bold" if row["trial"] == found["best"] else ""
        table.add_row(*map(Text, (str(row["trial"]), value, interval, *tried)), style=best)
    Console().print(table)


def _caption(found: Mapping[str, Any]) -> str:
    states = {name: found[name] for name in ("complete", "failed", "running")}
    shares = [f"{key} {share:.2f}" for key, share in found["importance"].items()]
    counts = ", ".join(f"{count} {name}" for name, count in states.items() if count)
    told = f"{found['places']} trials: {counts}"
    return f"{told}\nimportance: {', '.join(shares)}" if shares else told


def _written(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
