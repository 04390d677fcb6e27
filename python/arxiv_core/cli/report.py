"""``arxiv-core report``: pages about a run, about two, about the papers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Context

    from arxiv_core.report.difference import Difference

__all__ = ["register"]

Folder = Annotated[Path, typer.Argument(help="The run's directory.", show_default=False)]


class _Report(TyperGroup):
    """`report RUN` is short for `report run RUN`."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        cls=_Report,
        no_args_is_help=True,
        help="Write pages with charts; arxiv-core report RUN is about one run.",
    )
    group.command()(run)
    group.command()(diff)
    group.command()(data)
    app.add_typer(group, name="report")


def run(
    folder: Folder,
    *,
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="A run, or a file of metrics, to set beside it; may be repeated."),
    ] = None,
) -> None:
    """Write report.html and plots/ into an evaluated run's directory."""
    from arxiv_core import report

    report.require("arxiv-core report")
    from arxiv_core.report import evaluation

    typer.echo(evaluation.write(folder, beside or []))


def diff(
    a: Folder,
    b: Folder,
    *,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The page; else B/diff-A.html.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Resamples of the paired bootstrap.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Compare run B with run A on the same papers, by paired bootstrap."""
    from arxiv_core import report
    from arxiv_core.cli.progress import bars

    report.require("arxiv-core report diff")
    from arxiv_core.report import difference

    options = {"bootstrap": {"samples": samples, "seed": seed}}
    with bars() as progress:
        found = difference.compare(a, b, options, progress)
    page = difference.write(found, out or b / f"diff-{a.resolve().name}.html")
    if json_:
        typer.echo(json.dumps(found.found, ensure_ascii=False))
    else:
        _show(found)
        typer.echo(page)


def _show(difference: Difference) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(
        box=box.SIMPLE,
        title=f"b = {difference.b} against a = {difference.a}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("", no_wrap=True)
    for name in ("a", "b", "b - a"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("interval", style="dim")
    table.add_column("b is")
    for name, found, verdict in difference.rows():
        interval = found["interval"]
        table.add_row(
            name,
            f"{found['a']:.4f}",
            f"{found['b']:.4f}",
            f"{found['difference']:+.4f}",
            "{:+.4f} to {:+.4f}".format(*interval) if interval else "",
            verdict,
        )
    Console().print(table)


def data(
    prepared: Annotated[
        Path, typer.Argument(help="Directory with papers.parquet and manifest.json.")
    ] = Path("data/prepared"),
    *,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Directory to write into; else report/ beside PREPARED."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write a page about a papers table: counts, co-occurrence, lengths, drops and why."""
    from arxiv_core import report
    from arxiv_core.cli.progress import bars
    from arxiv_core.pipeline.record import read_json

    report.require("arxiv-core report data")
    from arxiv_core.report import data as papers

    made = prepared / "config.json"
    source = read_json(made)["data"]["source"] if made.exists() else ""
    with bars() as progress:
        page, found = papers.write(
            prepared,
            out or prepared.parent / "report",
            progress,
            invented=source == "sample",
        )
    typer.echo(json.dumps(found, ensure_ascii=False) if json_ else page)
