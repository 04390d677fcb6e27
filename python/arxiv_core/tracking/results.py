"""What is told of each stage's outcome: figures, tables, charts, and the files it read and made.

`name` is the run's, in its artifacts' names; None where artifacts are not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arxiv_core.pipeline.figures import figures
from arxiv_core.pipeline.layout import Layout
from arxiv_core.pipeline.record import read_json
from arxiv_core.tracking.charts import charts
from arxiv_core.tracking.tracker import Artifact, Tracker

__all__ = ["evaluate", "package", "prepare", "train"]

LABEL_COLUMNS = (
    "label",
    "positives",
    "assigned",
    "threshold",
    "precision",
    "recall",
    "f1",
    "average_precision",
    "ece",
    "brier",
)


def prepare(tracker: Tracker, layout: Layout, summary: Mapping[str, Any], name: str | None) -> None:
    """Tell of a papers table."""
    tracker.figures({"papers": summary["papers"], "dropped": dict(summary["dropped"])})
    labels = [[label, *counts] for label, counts in summary["labels"].items()]
    tracker.table("papers_per_label", ("label", "train", "validation", "test"), labels)
    if name is not None:
        tracker.artifact(_papers(layout), used=False)


def train(tracker: Tracker, layout: Layout, summary: Mapping[str, Any], name: str | None) -> None:
    """Tell of a fit: the loss of each epoch, what was fitted to how many papers, and the model."""
    for fit in ("fit", "refit"):
        report = summary.get(fit) or {}
        for epoch, loss in enumerate(report.get("losses", ()), 1):
            tracker.row({f"{fit}/epochs": epoch, f"{fit}/epoch_loss": loss}, f"{fit}/epochs")
    tuned = summary.get("finetune") or {}
    for epoch, losses in enumerate(tuned.get("epochs", ()), 1):
        row = {f"finetune/epoch_{name}": loss for name, loss in losses.items()}
        tracker.row({"finetune/epochs": epoch} | row, "finetune/epochs")
    papers = {f"train/papers/{use}": count for use, count in summary["papers"].items() if count}
    tracker.figures(
        papers | {"train/labels": len(summary["labels"]), "train/model_bytes": summary["bytes"]}
    )
    if name is not None:
        tracker.artifact(_papers(layout), used=True)
        tracker.artifact(_model(layout, name), used=False)


def evaluate(
    tracker: Tracker, layout: Layout, summary: Mapping[str, Any], name: str | None
) -> None:
    """Tell of an evaluation: every figure with its interval, every label and slice, and charts."""
    split = summary["split"]
    flat: dict[str, Any] = {}
    for figure, value, interval in figures(summary):
        flat[f"{split}/{figure}"] = value
        if interval is not None:
            flat[f"{split}/{figure}_low"], flat[f"{split}/{figure}_high"] = interval
    tracker.figures(flat)
    labels = [[row[column] for column in LABEL_COLUMNS] for row in summary["per_label"]]
    tracker.table(f"{split}/labels", LABEL_COLUMNS, labels)
    slices = [
        [by, group, found["papers"], found["micro_f1"], found["macro_f1"]]
        for by, groups in summary["slices"].items()
        for group, found in groups.items()
    ]
    tracker.table(f"{split}/slices", ("by", "group", "papers", "micro_f1", "macro_f1"), slices)
    insight = layout.run / "insight.json"
    if insight.exists():
        charts(tracker, split, read_json(insight))
    if name is not None:
        tracker.artifact(_papers(layout), used=True)
        tracker.artifact(_model(layout, name), used=True)


def package(tracker: Tracker, layout: Layout, summary: Mapping[str, Any], name: str | None) -> None:
    """Tell of a package: the model that went in, the directory that came out."""
    del summary
    if name is not None:
        tracker.artifact(_model(layout, name), used=True)
        files = {path.name: path for path in sorted(layout.package.iterdir()) if path.is_file()}
        tracker.artifact(Artifact(f"package-{name}", "model", files), used=False)


def _papers(layout: Layout) -> Artifact:
    manifest = read_json(layout.prepared / "manifest.json")
    known = ("versions", "source", "papers", "ranges")
    names = ("manifest.json", "config.json", layout.papers.name)
    files = {name: layout.prepared / name for name in names if (layout.prepared / name).exists()}
    return Artifact("papers", "dataset", files, {name: manifest[name] for name in known})


def _model(layout: Layout, name: str) -> Artifact:
    spec = read_json(layout.model / "classifier.json")
    files = {path.name: path for path in sorted(layout.model.iterdir()) if path.is_file()}
    about = {
        "head": spec["head"]["kind"],
        "labels": len(spec["labels"]),
        "encoder": spec["encoder"],
        "label_space_version": spec["label_space_version"],
        "template_version": spec["template_version"],
    }
    return Artifact(f"model-{name}", "model", files, about)
