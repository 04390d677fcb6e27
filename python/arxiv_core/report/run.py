"""What an evaluated run left on disk, as a report reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arxiv_core.pipeline.layout import INSIGHT, METRICS, NotYetError
from arxiv_core.pipeline.record import read_json

__all__ = ["HEADLINE", "Run", "read"]

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure of an evaluation, as people read it."""

    key: str
    name: str
    remark: str
    lower: bool = False
    """Whether less is better."""


HEADLINE = (
    Figure("micro_f1", "micro-F1", "all pairs of paper and category at once"),
    Figure("macro_f1", "macro-F1", "mean over categories with enough papers"),
    Figure("precision_at_1", "precision at 1", "papers whose best-scored category is theirs"),
    Figure("primary_at_1", "primary at 1", "papers whose primary is scored best"),
    Figure("recall_at_5", "recall at 5", "a paper's categories among the best five"),
    Figure("samples_f1", "samples-F1", "mean over papers"),
    Figure("map", "mAP", "mean average precision over categories with enough papers"),
    Figure("lrap", "LRAP", "label ranking average precision"),
    Figure("ece", "ECE", "expected calibration error over all pairs", lower=True),
    Figure("brier", "Brier score", "over all pairs", lower=True),
    Figure("log_loss", "log loss", "nats, over all pairs", lower=True),
)

MACRO = {"macro_precision", "macro_recall", "macro_f1", "map"}
"""Means over categories with enough papers."""


@dataclass(frozen=True)
class Run:
    """One evaluation, its own or another's to stand beside it."""

    name: str
    metrics: Json
    insight: Json
    """Empty for a run that only stands beside another."""
    config: Json
    """What the model was trained with; empty where that is not known."""
    training: Json
    """What training reported; empty where that is not known."""
    spec: Json
    """``classifier.json``; empty where there is none."""

    @property
    def invented(self) -> bool:
        """Whether the papers are the bundled corpus: its figures mean nothing."""
        return bool(self.config.get("data", {}).get("source") == "sample")

    def value(self, key: str) -> float | None:
        """Give a figure; None where it is not there or the mean of nothing."""
        if key in MACRO and self.metrics.get("macro_labels") == 0:
            return None
        found = self.metrics.get(key)
        return None if found is None else float(found)

    def same_papers(self, other: Run) -> bool:
        """Tell whether `other` was, as far as its metrics say, measured on the same papers."""
        mine, theirs = self.metrics, other.metrics
        if "data" in mine and "data" in theirs:
            return bool((mine["data"], mine["split"]) == (theirs["data"], theirs["split"]))
        return all(mine.get(key) == theirs.get(key) for key in ("papers", "split", "submitted"))


def read(path: Path, *, whole: bool = True) -> Run:
    """Read an evaluated run.

    Parameters
    ----------
    path
        The run's directory; to stand beside another, a file of metrics alone will do.
    whole
        Whether it is to be reported on, not only set beside another.

    Returns
    -------
    Run
        What is there.

    Raises
    ------
    NotYetError
        It was not evaluated.
    """
    if not whole and path.is_file():
        metrics = read_json(path)
        stem = path.parent.resolve().name if path.name == METRICS else path.stem
        return Run(metrics.get("name", stem), metrics, {}, {}, {}, {})
    needed = [path / METRICS, path / INSIGHT] if whole else [path / METRICS]
    for file in needed:
        if not file.exists():
            raise NotYetError(f"{file} is not there: run arxiv-core evaluate first")
    return Run(
        name=path.resolve().name,
        metrics=read_json(path / METRICS),
        insight=read_json(path / INSIGHT) if whole else {},
        config=_if_there(path / "config.json"),
        training=_if_there(path / "train.json"),
        spec=_if_there(path / "model" / "classifier.json"),
    )


def _if_there(path: Path) -> Json:
    return read_json(path) if path.exists() else {}
