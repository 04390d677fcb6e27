"""Stage ``train``: embeddings to a model directory; before, where asked for, a tuned encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import models, stages
from arxiv_core.config.schema import CalibrationKind, TrainMode
from arxiv_core.pipeline import curves, environment, finetune
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.prepare import made_with
from arxiv_core.pipeline.record import write_json
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["OPTIONS", "options", "run"]

OPTIONS = {
    "head": "head.kind",
    "max_length": "model.max_length",
    "dtype": "model.dtype",
    "min_papers": "labels.min_train_papers",
    "holdout": "calibration.holdout",
    "refit": "train.refit",
    "logistic.c": "head.c",
    "logistic.tolerance": "train.optimizer.tolerance",
    "logistic.max_passes": "train.optimizer.max_passes",
    "mlp.width": "head.width",
    "mlp.members": "head.members",
    "mlp.dimensions": "head.dimensions",
    "mlp.epochs": "train.epochs",
    "mlp.batch": "train.batch_size",
    "mlp.learning_rate": "train.optimizer.lr",
    "mlp.vectors_learning_rate": "train.optimizer.vectors_lr",
    "mlp.weight_decay": "train.optimizer.weight_decay",
    "mlp.dropout": "head.dropout",
    "mlp.embedding_dropout": "head.embedding_dropout",
    "mlp.word_dropout": "head.word_dropout",
    "mlp.smoothing": "head.smoothing",
    "mlp.warmup": "train.optimizer.warmup",
    "mlp.words.features": "head.words.features",
    "mlp.words.title_features": "head.words.title_features",
    "mlp.words.min_papers": "head.words.min_papers",
    "mlp.words.max_papers": "head.words.max_papers",
    "calibration.min_support": "calibration.min_support",
    "calibration.shrinkage": "calibration.shrinkage",
    "calibration.folds": "calibration.folds",
    "calibration.seed": "seed",
    "thresholds.min_support": "calibration.thresholds.min_support",
    "thresholds.prior": "calibration.thresholds.prior",
    "thresholds.shrinkage": "calibration.thresholds.shrinkage",
    "thresholds.micro_weight": "calibration.thresholds.micro_weight",
    "thresholds.folds": "calibration.thresholds.folds",
    "thresholds.seed": "seed",
    "seed": "seed",
}


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Fit the head and write ``model/``, with configuration and surroundings beside it.

    With ``train.mode=full`` the encoder is tuned first, and lies in the model in the end.
    """
    layout = Layout.of(config)
    papers = needs(layout.papers, "prepare")
    chosen = options(config)
    tuned = None
    if config.train.mode is TrainMode.full:
        with explained(OPTIONS):
            # A head that cannot be is not found out hours later.
            stages.check_train(chosen)
        tuned = finetune.run(config, progress)
        embeddings = finetune.embedded(config, layout.encoder, progress)
    else:
        embeddings = needs(layout.embeddings, "embed")
    record = made_with(config)
    with explained(OPTIONS):
        report = stages.train(papers, embeddings, layout.model, chosen, progress)
    if tuned is not None:
        report["finetune"] = tuned
    environment.write(layout.run)
    write_json(layout.run / "config.json", record)
    write_json(layout.run / "train.json", report)
    curves.of_fit(layout.curves, report)
    return report


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    found = translated(config, OPTIONS)
    known = models.KNOWN.get(config.model.name)
    found["calibrate"] = config.calibration.kind is not CalibrationKind.none
    name = config.model.name
    if known is None and Path(name).is_dir():
        # The model may be loaded from elsewhere.
        name = str(Path(name).resolve())
    encoder = {"source": name, "name": known.hub if known else Path(name).name}
    if config.train.mode is TrainMode.full:
        encoder["directory"] = str(Layout.of(config).encoder)
    found["encoder"] = encoder
    return found
