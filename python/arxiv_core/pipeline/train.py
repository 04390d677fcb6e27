"""Stage ``train``: embeddings to a model directory."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import models, stages
from arxiv_core.config.schema import CalibrationKind
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.record import as_dict, write_json

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["options", "run"]


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Fit the head and write ``model/``, with the configuration beside it."""
    layout = Layout.of(config)
    report = stages.train(
        needs(layout.papers, "prepare"),
        needs(layout.embeddings, "embed"),
        layout.model,
        options(config),
        progress,
    )
    write_json(layout.run / "config.json", as_dict(config))
    write_json(layout.run / "train.json", report)
    return report


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    head, train, calibration = config.head, config.train, config.calibration
    optimizer, thresholds = train.optimizer, calibration.thresholds
    known = models.KNOWN.get(config.model.name)
    translated: dict[str, Any] = {
        "head": head.kind.value,
        "min_papers": config.labels.min_train_papers,
        "holdout": calibration.holdout,
        "refit": train.refit,
        "logistic": {
            "c": head.c,
            "tolerance": optimizer.tolerance,
            "max_passes": optimizer.max_passes,
        },
        "mlp": {
            "width": head.width,
            "members": head.members,
            "dimensions": head.dimensions,
            "epochs": train.epochs,
            "batch": train.batch_size,
            "learning_rate": optimizer.lr,
            "vectors_learning_rate": optimizer.vectors_lr,
            "weight_decay": optimizer.weight_decay,
            "dropout": head.dropout,
            "embedding_dropout": head.embedding_dropout,
            "word_dropout": head.word_dropout,
            "smoothing": head.smoothing,
            "warmup": optimizer.warmup,
            "words": asdict(head.words),
        },
        "calibrate": calibration.kind is not CalibrationKind.none,
        "calibration": {
            "min_support": calibration.min_support,
            "shrinkage": calibration.shrinkage,
            "folds": calibration.folds,
            "seed": config.seed,
        },
        "thresholds": asdict(thresholds)
        | {"objective": thresholds.objective.value, "seed": config.seed},
        "encoder": {
            "source": config.model.name,
            "name": known.hub if known else Path(config.model.name).name,
        },
        "seed": config.seed,
    }
    return translated
