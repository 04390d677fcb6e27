"""Plots of a sweep: what its trials reached, and which keys mattered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

DOTS, LINE = "#5b7fa6", "#c44e52"


def draw(found: Mapping[str, Any], directory: Path) -> list[Path]:
    """Write ``history`` and ``importance``, as PNG and SVG.

    Parameters
    ----------
    found
        A sweep's outcome, as in ``sweep.json``.
    directory
        Where to.

    Returns
    -------
    list of Path
        The files written; no importance where there are too few trials to tell.
    """
    import matplotlib

    written = []
    # The same outcome gives the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "arxiv-core", "svg.fonttype": "none"}):
        for name, figure in _figures(found):
            for suffix in ("png", "svg"):
                path = directory / f"{name}.{suffix}"
                unfinished = path.with_name(f".{path.name}")
                about = {"Date": None} if suffix == "svg" else None
                figure.savefig(unfinished, format=suffix, dpi=150, metadata=about)
                written.append(unfinished.replace(path))
    return written


def _figures(found: Mapping[str, Any]) -> Iterator[tuple[str, Figure]]:
    yield "history", _history(found)
    if found["importance"]:
        yield "importance", _importance(found)


def _history(found: Mapping[str, Any]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    best = max if found["direction"] == "maximise" else min
    ended = sorted(
        (row["trial"], row["value"]) for row in found["trials"] if row["value"] is not None
    )
    numbers, values = [trial for trial, _ in ended], [value for _, value in ended]
    so_far = [best(values[: at + 1]) for at in range(len(values))]
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.step(numbers, so_far, where="post", color=LINE, label="best so far")
    axes.scatter(numbers, values, color=DOTS, s=18, zorder=3, label="trial")
    axes.set(xlabel="trial", ylabel=f"{found['metric']} ({found['split']})", title=found["name"])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _importance(found: Mapping[str, Any]) -> Figure:
    from matplotlib.figure import Figure

    shares = sorted(found["importance"].items(), key=lambda one: one[1])
    figure = Figure(figsize=(6.4, 1.2 + 0.36 * len(shares)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh([key for key, _ in shares], [share for _, share in shares], color=DOTS)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(xlabel="importance (PED-ANOVA)", title=f"{found['name']}: {found['metric']}")
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
