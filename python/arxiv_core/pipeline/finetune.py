"""The first part of ``train`` with ``train.mode=full``: the encoder tuned, the papers embedded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arxiv_core import models, stages
from arxiv_core.pipeline import embed
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from pathlib import Path

    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["OPTIONS", "embedded", "options", "run"]

OPTIONS = {
    "epochs": "train.finetune.epochs",
    "batch_tokens": "train.finetune.batch_tokens",
    "learning_rate": "train.finetune.lr",
    "head_learning_rate": "train.finetune.head_lr",
    "weight_decay": "train.finetune.weight_decay",
    "warmup": "train.finetune.warmup",
    "clip": "train.finetune.clip",
    "keep": "train.finetune.keep",
    "checkpoint_seconds": "train.finetune.checkpoint_seconds",
    "max_length": "model.max_length",
    "device": "model.device",
    "min_papers": "labels.min_train_papers",
    "holdout": "calibration.holdout",
    "seed": "seed",
}


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Tune the encoder that `model.name` names, into the run's ``encoder/``.

    A run that was stopped goes on from its checkpoint, and an encoder that is there already is
    not tuned again.
    """
    layout = Layout.of(config)
    papers = needs(layout.papers, "prepare")
    encoder = models.resolve(config.model.name)
    with explained(OPTIONS):
        return stages.finetune(papers, encoder, layout.encoder, options(config), progress)


def embedded(config: Config, encoder: Path, progress: OnProgress | None = None) -> Path:
    """Embed every paper with a run's own encoder; what is known comes from the cache.

    Parameters
    ----------
    config
        ``paths``, ``run`` and ``model``.
    encoder
        The encoder's directory.
    progress
        Receives progress.

    Returns
    -------
    Path
        The embeddings, in the run's directory.
    """
    layout = Layout.of(config)
    papers = needs(layout.papers, "prepare")
    with explained(embed.OPTIONS):
        stages.embed(papers, encoder, layout.own_embeddings, embed.options(config), progress)
    return layout.own_embeddings


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the options of fine-tuning."""
    return translated(config, OPTIONS) | {"checkpoint_dir": str(Layout.of(config).checkpoint)}
