"""Charts of an evaluation: curves and confusions, as `evaluate` counted them in Rust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arxiv_core.tracking.tracker import Tracker

__all__ = ["charts"]


def charts(tracker: Tracker, split: str, insight: Mapping[str, Any]) -> None:
    """Tell of what ``insight.json`` holds.

    Parameters
    ----------
    tracker
        Who is told.
    split
        What was evaluated; the charts' names begin with it.
    insight
        The file's content.
    """
    curves = {"all": insight["precision_recall"]} | insight["precision_recall_labels"]
    tracker.lines(
        f"{split}/precision_recall",
        ("recall", "precision"),
        {name: _points(curve, "recall", "precision") for name, curve in curves.items()},
    )
    diagrams = {"all": insight["reliability"], "best of a paper": insight["reliability_best"]}
    reliable = {
        name: _points(steps, "probability", "frequency") for name, steps in diagrams.items()
    }
    tracker.lines(
        f"{split}/reliability",
        ("probability", "frequency"),
        reliable | {"perfect": [[0.0, 0.0], [1.0, 1.0]]},
    )
    tracker.lines(
        f"{split}/thresholds",
        ("threshold", "share"),
        {
            name: _points(insight["thresholds"], "threshold", name)
            for name in ("precision", "recall", "f1")
        },
    )
    for what in ("categories", "archives"):
        matrix = insight["confusion"][what]
        cells = [
            [primary, best, count]
            for primary, row in zip(matrix["names"], matrix["papers"], strict=True)
            for best, count in zip(matrix["names"], row, strict=True)
        ]
        tracker.confusion(f"{split}/confusion_{what}", cells)
    columns = ("primary", "best", "papers", "share", "theirs")
    pairs = [[pair[column] for column in columns] for pair in insight["confusion"]["pairs"]]
    tracker.table(f"{split}/confused", columns, pairs)


def _points(curve: list[dict[str, float]], across: str, up: str) -> list[list[float]]:
    return [[point[across], point[up]] for point in curve]
