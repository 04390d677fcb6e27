"""Answers for reading: a small table a paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

__all__ = ["show"]

BAR = 16


def show(answers: Iterable[dict[str, Any]]) -> None:
    """Print answers to standard output.

    Parameters
    ----------
    answers
        Lines of a JSONL answer.
    """
    console = Console()
    for answer in answers:
        widest = max(len("category"), *(len(one["category"]) for one in answer["categories"]))
        title = answer.get("title") or answer.get("id") or f"paper {answer['row'] + 1}"
        table = Table(
            box=box.SIMPLE_HEAD,
            title=escape(title),
            title_justify="left",
            title_style="bold",
            caption="The text is longer than the model reads; its end was left out."
            if answer.get("truncated")
            else None,
            caption_justify="left",
        )
        # Only the name gives way on a narrow terminal.
        table.add_column("category", min_width=widest, no_wrap=True)
        table.add_column("prob.", min_width=5, justify="right", no_wrap=True)
        table.add_column("", min_width=BAR, no_wrap=True)
        table.add_column("assigned", min_width=8, no_wrap=True)
        table.add_column("name", no_wrap=True, overflow="ellipsis")
        for one in answer["categories"]:
            table.add_row(
                one["category"],
                f"{one['probability']:.3f}",
                Text("━" * round(one["probability"] * BAR), style="green"),
                "yes" if one["assigned"] else "",
                one["name"],
                style="bold" if one["assigned"] else "",
            )
        console.print(table)
