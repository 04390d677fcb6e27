"""A run's curves as tables: what DVC, a spreadsheet or a notebook draws."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from arxiv_core.pipeline.record import write_text

__all__ = ["CURVES", "FINETUNE", "LOSS", "of_fit", "of_scores"]

CURVES = {
    "precision-recall.csv": ("precision_recall", ("threshold", "precision", "recall")),
    "reliability.csv": ("reliability", ("probability", "frequency", "count")),
    "thresholds.csv": ("thresholds", ("threshold", "precision", "recall", "f1")),
}
"""File → curve of ``insight.json`` and its columns."""

LOSS = "loss.csv"
FINETUNE = "finetune.csv"


def of_scores(folder: Path, insight: Mapping[str, Any]) -> None:
    """Write the curves of an evaluation.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    insight
        What `evaluate` found beside the figures.
    """
    for name, (curve, columns) in CURVES.items():
        _write(folder / name, columns, ([row[one] for one in columns] for row in insight[curve]))


def of_fit(folder: Path, report: Mapping[str, Any]) -> None:
    """Write the loss after each epoch, or pass, of a fit; none for a head that tells none.

    The losses of fine-tuning have a table of their own, without rows where there was none.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    report
        What `train` returned.
    """
    losses = report.get("fit", {}).get("losses", [])
    _write(folder / LOSS, ("step", "loss"), enumerate(losses, start=1))
    epochs = report.get("finetune", {}).get("epochs", [])
    columns = ("loss", "validation_loss")
    rows = ([at, *(epoch[one] for one in columns)] for at, epoch in enumerate(epochs, start=1))
    _write(folder / FINETUNE, ("epoch", *columns), rows)


def _write(file: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    write_text(file, text.getvalue())
