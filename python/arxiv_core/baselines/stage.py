"""Both baselines of a configuration, each into a file of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sklearn
from threadpoolctl import threadpool_limits

from arxiv_core import _core
from arxiv_core.baselines.heads import CHOICE, Candidates, Features, best, frozen, tfidf
from arxiv_core.baselines.measure import measure
from arxiv_core.baselines.task import Task, embeddings
from arxiv_core.pipeline import evaluate, train
from arxiv_core.pipeline.figures import figures
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.record import as_dict, read_json, write_json
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["run"]

OPTIONS = {
    **{
        name: key
        for name, key in train.OPTIONS.items()
        if name.startswith(("calibration.", "thresholds."))
    },
    "calibration.kind": "calibration.kind",
    **{f"evaluation.{name}": key for name, key in evaluate.OPTIONS.items()},
    "min_papers": "labels.min_train_papers",
    "refit": "train.refit",
    "split": "evaluation.split",
    "seed": "seed",
}
"""What a baseline depends on besides papers and embeddings."""

SHOWN = ("micro_f1", "macro_f1", "precision_at_1")

ALONE = 4_000_000
"""Pairs of paper and label below which starting processes takes longer than the fit."""

Json = dict[str, Any]

_log = logging.getLogger(__name__)


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Json]:
    """As `arxiv_core.baselines.run`."""
    layout = Layout.of(config)
    papers = needs(layout.papers, "prepare")
    embedded = needs(layout.embeddings, "embed")
    options = translated(config, OPTIONS)
    checksum = _core.checksum(papers)
    vectors = embeddings(embedded, checksum)
    asked = {"papers_checksum": checksum, "choice": CHOICE, "options": options}
    on_vectors = asked | {"embeddings_checksum": _core.checksum(embedded)}
    task: Task | None = None
    found = {}
    for name, title, wanted, make in (
        ("tfidf", "TF-IDF + SGD", asked, lambda task: tfidf(task, config.seed)),
        (
            f"frozen-{embedded.stem}",
            f"frozen {embedded.stem} + logistic",
            on_vectors,
            lambda _: frozen(vectors),
        ),
    ):
        path = layout.baselines(options["split"]) / f"{name}.json"
        metrics = _before(path, wanted)
        known = metrics is not None
        if metrics is None:
            task = task or Task.read(
                papers,
                refit=options["refit"],
                min_papers=options["min_papers"],
                split=options["split"],
            )
            metrics = _made(name, task, make, options, progress)
            metrics = {
                "name": title,
                "split": options["split"],
                "submitted": list(task.submitted),
                **metrics,
                "data": {"papers_checksum": checksum},
                "evaluated_with": as_dict(config)["evaluation"],
                "made_for": wanted,
            }
            write_json(path, metrics)
        found[name] = _told(name, path, metrics, known=known)
    return found


def _before(path: Path, wanted: Mapping[str, Any]) -> Json | None:
    """Give what was measured earlier for the same question."""
    try:
        metrics = read_json(path)
    except (FileNotFoundError, ValueError):
        return None
    return metrics if metrics.get("made_for") == wanted else None


def _made(
    name: str,
    task: Task,
    make: Callable[[Task], tuple[Features, Candidates]],
    options: Mapping[str, Any],
    progress: OnProgress | None,
) -> Json:
    def on_heads(done: int, most: int) -> None:
        if progress is not None:
            progress({"stage": name, "done": done, "total": most, "unit": "heads"})

    learn, candidates = make(task)
    jobs = 1 if len(task.refit) * len(task.labels) < ALONE else -1
    # A label's fit is too small to share: threads that wait for each other cost six times as much.
    with threadpool_limits(1):
        chosen, validation, test = best(candidates, learn, task, jobs, on_heads)
    groups = {key: options[key] for key in ("calibration", "thresholds", "evaluation")}
    with explained(OPTIONS):
        metrics = measure(task, validation, test, **groups)
    return metrics | {
        "model": {
            "chosen": chosen,
            "train_papers": len(task.refit),
            "validation_papers": len(task.validation),
            "labels": len(task.labels),
            "scikit_learn": sklearn.__version__,
        }
    }


def _told(name: str, path: Path, metrics: Json, *, known: bool) -> Json:
    chosen = metrics["model"]["chosen"]
    values = {key: value for key, value, _ in figures(metrics) if key in SHOWN}
    _log.info(
        "baselines: %s, %s%s: %s -> %s",
        name,
        chosen,
        ", was measured on these papers before" if known else "",
        ", ".join(f"{key} {value:.4f}" for key, value in values.items()),
        path,
        extra={"baseline": name, "known": known, **values, "output": path},
    )
    return {"chosen": chosen, **values, "known": known, "file": str(path)}
