"""What a stage says when it is done: its figures, one a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arxiv_core.pipeline.figures import figures

__all__ = ["show"]

LONG = 16
"""Entries from which a nested figure is shown as their number."""


def show(stage: str, summary: Mapping[str, Any]) -> None:
    """Print a stage's summary to standard output.

    Parameters
    ----------
    stage
        The table's title.
    summary
        Figures by name. Where there are ``intervals``, they stand beside the figures, and what
        is nested is left to the file that the stage wrote; else nested figures are shown as
        ``outer.inner``, and long lists as their length.
    """
    table = Table(
        box=box.SIMPLE, title=stage, title_justify="left", title_style="bold", show_header=False
    )
    table.add_column(no_wrap=True)
    table.add_column(justify="right", overflow="fold")
    if "intervals" in summary:
        table.add_column(style="dim")
        for name, value, interval in figures(summary):
            beside = "{:.3f} to {:.3f}".format(*interval) if interval else ""
            table.add_row(Text(name), Text(_written(value)), Text(beside))
    else:
        for name, value in _nested(summary, ""):
            table.add_row(Text(name), Text(value))
    Console().print(table)


def _nested(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        nested = isinstance(value, list) and any(isinstance(one, Mapping) for one in value)
        if nested or (isinstance(value, (Mapping, list)) and len(value) > LONG):
            yield f"{prefix}{name}", f"({len(value)})"
        elif isinstance(value, Mapping):
            yield from _nested(value, f"{prefix}{name}.")
        elif value is not None and value != []:
            yield f"{prefix}{name}", _written(value)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e5 else f"{value:,.0f}"
    if isinstance(value, list):
        return " ".join(map(_written, value))
    return str(value)
