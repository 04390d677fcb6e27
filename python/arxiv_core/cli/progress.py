"""Progress bars with rate and time left, on standard error, only on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

    from arxiv_core.stages import OnProgress

__all__ = ["bars"]


@contextlib.contextmanager
def bars() -> Iterator[OnProgress | None]:
    """Show a bar per stage while the block runs.

    Yields
    ------
    callable or None
        Takes a stage's progress; None where standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    with _display() as display:
        tasks: dict[str, TaskID] = {}

        def show(event: dict[str, Any]) -> None:
            stage, total = event["stage"], event["total"] or None
            if stage not in tasks:
                tasks[stage] = display.add_task(stage, total=total, unit=event["unit"], figures="")
            display.update(
                tasks[stage],
                completed=event["done"],
                total=total,
                unit=event["unit"],
                figures=_figures(event),
            )

        yield show


def _display() -> Progress:
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column
    from rich.text import Text

    from arxiv_core.cli.console import stderr

    class Amount(ProgressColumn):
        def render(self, task: Task) -> Text:
            unit = task.fields["unit"]
            done = _amount(task.completed, unit)
            return Text(f"{done} of {_amount(task.total, unit)}" if task.total else done)

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{_amount(speed, task.fields['unit'])}/s" if speed else "")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        Amount(table_column=Column(no_wrap=True)),
        Rate(table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}", table_column=Column(no_wrap=True)),
        console=stderr(),
    )


def _figures(event: dict[str, Any]) -> str:
    """Write what a stage tells beside its progress; the rate has a column of its own."""
    known = {"stage", "done", "total", "unit"}
    return "  ".join(
        f"{name} {value:,.0f}" if value >= 1000 else f"{name} {value:.4g}"
        for name, value in event.items()
        if name not in known and not name.endswith("_per_second")
    )


def _amount(value: float, unit: str) -> str:
    if unit != "bytes":
        return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.3g} {unit}"
    for prefix in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {prefix}"
        value /= 1000
    return f"{value:.3g} GB"
