"""Figures of one look: written as PNG and SVG, and as SVG that takes a page's colours."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from arxiv_core.pipeline.record import write_bytes

__all__ = [
    "FAINT",
    "INK",
    "SERIES",
    "WIDTH",
    "Chart",
    "axes",
    "bars",
    "heat",
    "only",
    "stacked",
    "styled",
]

INK = "#1d2329"
FAINT = "#c9ced4"
SERIES = (
    "#2563a8",
    "#c2571a",
    "#2f8f5b",
    "#8a4fa3",
    "#a8862b",
    "#3a97a8",
    "#b8476b",
    "#6b7682",
    "#7a9a3a",
)
"""Told apart by people who do not see red and green alike, on light and dark ground."""

THEMED = {INK: "var(--ink)", FAINT: "var(--faint)"} | {
    colour: f"var(--series-{at})" for at, colour in enumerate(SERIES)
}
"""Colours of a figure → colours of the page that it stands in."""

STYLE: Any = {
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "arxiv-core",
    "text.color": INK,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9,
}

styled = mpl.rc_context(STYLE)
"""Decorator of what draws: the style holds inside, and nowhere else in the process."""

WIDTH = 5.0
"""Inches: a chart's text is as large as the page's on a phone's screen."""


@dataclass(frozen=True)
class Chart:
    """A drawn figure."""

    name: str
    """Of its files."""
    title: str
    """What it shows, in words."""
    figure: Figure
    tips: Mapping[str, str] = field(default_factory=dict)
    """Marked part of the figure (its ``gid``) → what is said when one points at it."""

    def inline(self) -> str:
        """Write the figure as SVG to stand in a page: its colours, its letters, its tips."""
        whole = self._svg(transparent=True)
        svg = whole[whole.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
        width, height = (72 * inches for inches in self.figure.get_size_inches())
        svg = re.sub(
            r"<svg [^>]*>",
            f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 {width:g} {height:g}" '
            f'role="img" aria-label="{html.escape(self.title)}">',
            svg,
            count=1,
        )
        for colour, themed in THEMED.items():
            svg = svg.replace(colour, themed)
        svg = re.sub(r"(font: [^;\"]*?\d+px) [^;\"]*", r"\1 system-ui, sans-serif", svg)
        for mark, text in self.tips.items():
            group = f'<g id="{mark}">'
            svg = svg.replace(group, f"{group}<title>{html.escape(text)}</title>")
        # Several figures stand in one page.
        svg = re.sub(r'\bid="', f'id="{self.name}-', svg)
        return re.sub(r'(url\(|xlink:href=")#', rf"\1#{self.name}-", svg)

    def write(self, folder: Path) -> list[Path]:
        """Write ``NAME.png`` and ``NAME.svg`` into `folder`."""
        png = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(
                png, format="png", dpi=160, facecolor="white", metadata={"Software": None}
            )
        made = [folder / f"{self.name}.png", folder / f"{self.name}.svg"]
        write_bytes(made[0], png.getvalue())
        write_bytes(made[1], self._svg(transparent=False).encode())
        return made

    def _svg(self, *, transparent: bool) -> str:
        target = io.StringIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(
                target,
                format="svg",
                facecolor="none" if transparent else "white",
                metadata={"Date": None, "Creator": None},
            )
        return target.getvalue()


def axes(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Make a figure of `width` by `height` inches with its axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def stacked(
    height: float, ratios: tuple[float, float], *, share: bool
) -> tuple[Figure, Axes, Axes]:
    """Make a figure with two axes, one above the other; `share` gives both the same x."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    upper, lower = figure.subplots(nrows=2, sharex=share, height_ratios=ratios)
    return figure, upper, lower


def only(ax: Axes, axis: Literal["x", "y"]) -> None:
    """Show the grid of one axis."""
    ax.grid(visible=False)
    ax.grid(visible=True, axis=axis)


def bars(
    ax: Axes,
    names: Sequence[str],
    values: Sequence[float],
    beside: Sequence[str],
    most: float | None = None,
) -> dict[str, str]:
    """Draw bars that lie, the first on top, with a text at the end of each.

    Parameters
    ----------
    ax
        Where to draw.
    names
        At the bars' left.
    values
        Their lengths.
    beside
        The texts.
    most
        What the axis ends with, but for the texts; else the longest bar.

    Returns
    -------
    dict
        The bars' tips.
    """
    tips = {}
    widest = most or max(values, default=0) or 1
    for at, (name, value, text) in enumerate(zip(names, values, beside, strict=True)):
        (bar,) = ax.barh(at, value, height=0.7, color=SERIES[0])
        bar.set_gid(f"bar-{at}")
        tips[f"bar-{at}"] = f"{name}: {text}"
        ax.text(max(value, 0) + widest / 60, at, text, va="center", fontsize=8)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    if most is not None:
        ax.set_xticks([most * share / 5 for share in range(6)])
    ax.set_xlim(0, 1.25 * widest)
    ax.tick_params(axis="y", length=0)
    only(ax, "x")
    return tips


def heat(
    ax: Axes,
    names: Sequence[str],
    shares: Sequence[Sequence[float]],
    said: Callable[[int, int], str],
) -> dict[str, str]:
    """Draw a square table as cells of one colour, deeper where the share is larger.

    Parameters
    ----------
    ax
        Where to draw.
    names
        Of rows and columns.
    shares
        By row, 0 to 1; where it is 0, there is no cell.
    said
        Row and column → a cell's tip.

    Returns
    -------
    dict
        The cells' tips.
    """
    tips = {}
    for row, of_row in enumerate(shares):
        for column, share in enumerate(of_row):
            if share <= 0:
                continue
            # Shares are small off the diagonal, and those are the ones to see.
            depth = 0.06 + 0.94 * share**0.6
            cell = Rectangle((column - 0.5, row - 0.5), 1, 1, color=SERIES[0], alpha=depth, lw=0)
            cell.set_gid(f"cell-{row}-{column}")
            tips[f"cell-{row}-{column}"] = said(row, column)
            ax.add_patch(cell)
    ax.set_xticks(range(len(names)), names, rotation=90)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_aspect("equal")
    ax.tick_params(length=0, labelsize=7 if len(names) > 25 else 8)
    ax.grid(visible=False)
    return tips
