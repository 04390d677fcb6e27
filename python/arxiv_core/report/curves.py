"""Charts of an evaluation: curves, categories, confusions, slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arxiv_core.report.drawing import (
    FAINT,
    INK,
    SERIES,
    WIDTH,
    Chart,
    axes,
    bars,
    heat,
    stacked,
    styled,
)

__all__ = [
    "confusion",
    "learning",
    "per_label",
    "precision_recall",
    "reliability",
    "slices",
    "thresholds",
]

CURVES = 5
"""Categories with a curve in the chart."""

BARS = 30
"""Categories with a bar in the chart."""

RARITY = " training papers of the rarest label"
"""What the groups of a slice are named after, and its chart's caption says."""

Json = Mapping[str, Any]


@styled
def precision_recall(insight: Json, metrics: Json) -> Chart:
    """Draw precision over recall: all pairs, the largest categories, and where the model stands."""
    figure, ax = axes(3.6)
    support = {row["label"]: row["positives"] for row in metrics["per_label"]}
    curves = insight["precision_recall_labels"]
    largest = sorted(curves, key=lambda label: -support[label])[:CURVES]
    for at, label in enumerate(largest):
        points = curves[label]
        ax.plot(*_columns(points, "recall", "precision"), lw=1, color=SERIES[at + 1], label=label)
    points = insight["precision_recall"]
    ax.plot(*_columns(points, "recall", "precision"), lw=2.2, color=SERIES[0], label="all pairs")
    ax.plot(
        metrics["micro_recall"],
        metrics["micro_precision"],
        "o",
        color=INK,
        label="at the model's thresholds",
    )
    ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    ax.legend(loc="lower left")
    return Chart("precision-recall", "Precision over recall", figure)


@styled
def reliability(insight: Json) -> Chart:
    """Draw how often a probability comes true, and how many there are of it."""
    figure, top, low = stacked(4.2, (3, 1), share=True)
    top.plot([0, 1], [0, 1], color=FAINT, lw=1.2, ls="--")
    named = (("reliability", "all pairs"), ("reliability_best", "each paper's best category"))
    for at, (key, label) in enumerate(named):
        steps = insight[key]
        top.plot(
            *_columns(steps, "probability", "frequency"), "o-", ms=4, color=SERIES[at], label=label
        )
        middles = [(step["low"] + step["high"]) / 2 for step in steps]
        low.step(middles, [step["count"] for step in steps], where="mid", color=SERIES[at])
    top.set(ylabel="share that came true", xlim=(0, 1), ylim=(0, 1))
    top.legend(loc="upper left")
    low.set(xlabel="probability", ylabel="how many", yscale="log")
    return Chart("reliability", "Reliability of the probabilities", figure)


@styled
def thresholds(insight: Json, metrics: Json) -> Chart:
    """Draw precision, recall and F1 over one threshold for all categories."""
    figure, ax = axes(3.4)
    cuts = insight["thresholds"]
    for at, name in ((1, "precision"), (2, "recall"), (0, "f1")):
        label = "F1" if name == "f1" else name
        ax.plot(*_columns(cuts, "threshold", name), lw=1.8, color=SERIES[at], label=label)
    ax.axhline(metrics["micro_f1"], color=INK, lw=1, ls=":", label="F1 at the model's thresholds")
    ax.set(xlabel="one threshold for all categories", xlim=(0, 1), ylim=(0, 1.02))
    ax.legend(loc="lower center", ncols=2)
    return Chart("thresholds", "Precision, recall and F1 over a common threshold", figure)


@styled
def per_label(metrics: Json) -> Chart:
    """Draw the F1 of the largest categories."""
    rows = sorted(metrics["per_label"], key=lambda row: -row["positives"])[:BARS]
    figure, ax = axes(0.8 + 0.2 * len(rows))
    texts = [f"{row['f1']:.2f} of {row['positives']:,}" for row in rows]
    tips = bars(ax, [row["label"] for row in rows], [row["f1"] for row in rows], texts, 1)
    ax.set(xlabel="F1, and papers")
    return Chart("per-label", "F1 of the largest categories", figure, tips)


@styled
def confusion(matrix: Json, name: str, title: str) -> Chart:
    """Draw which primary category or archive is taken for which."""
    names, papers, totals = matrix["names"], matrix["papers"], matrix["totals"]
    side = max(WIDTH, 1.3 + 0.17 * len(names))
    figure, ax = axes(side, side)
    shares = [[count / total for count in row] for row, total in zip(papers, totals, strict=True)]

    def said(row: int, column: int) -> str:
        of = f"{papers[row][column]:,} of {totals[row]:,} papers"
        return f"{names[row]} scored best as {names[column]}: {of} ({shares[row][column]:.0%})"

    tips = heat(ax, names, shares, said)
    ax.set(xlabel="scored best", ylabel="primary")
    return Chart(name, title, figure, tips)


@styled
def slices(name: str, groups: Json) -> Chart:
    """Draw the micro-F1 of each group of papers."""
    names = list(groups)
    figure, ax = axes(0.8 + 0.24 * max(len(names), 2))
    values = [groups[group]["micro_f1"] for group in names]
    texts = [
        f"{value:.2f} of {groups[group]['papers']:,}"
        for group, value in zip(names, values, strict=True)
    ]
    # Groups that have an order begin with their place in it: `2: 75 to 149 words`.
    shown = [(group.partition(": ")[2] or group).removesuffix(RARITY) for group in names]
    tips = bars(ax, shown, values, texts, 1)
    ax.set(xlabel="micro-F1, and papers")
    return Chart(f"slice-{name}", f"Micro-F1 by {name}", figure, tips)


@styled
def learning(losses: Sequence[float], unit: str) -> Chart:
    """Draw how the loss fell while the head was fitted."""
    figure, ax = axes(3.0)
    marker = "o-" if len(losses) < 40 else "-"
    ax.plot(range(1, len(losses) + 1), losses, marker, ms=4, color=SERIES[0])
    if min(losses) > 0 and max(losses) > 20 * min(losses):
        ax.set(yscale="log")
    ax.set(xlabel=unit, ylabel="loss")
    return Chart("learning", "Loss while the head was fitted", figure)


@styled
def tuning(epochs: Sequence[Json]) -> Chart:
    """Draw the losses of each epoch in which the encoder was tuned."""
    figure, ax = axes(3.0)
    at = range(1, len(epochs) + 1)
    for colour, key, name in (
        (SERIES[0], "loss", "papers tuned on"),
        (SERIES[1], "validation_loss", "validation"),
    ):
        ax.plot(at, [epoch[key] for epoch in epochs], "o-", ms=4, color=colour, label=name)
    ax.set(xlabel="epoch", ylabel="loss", xticks=list(at))
    ax.legend()
    return Chart("tuning", "Loss while the encoder was tuned", figure)


def _columns(points: Sequence[Json], *names: str) -> tuple[list[float], ...]:
    return tuple([point[name] for point in points] for name in names)
