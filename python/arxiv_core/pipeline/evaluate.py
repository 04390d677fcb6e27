"""Stage ``evaluate``: a model's scores on papers it has not seen."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.record import write_json

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["options", "run"]


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Score the run's model and write ``metrics.json``."""
    layout = Layout.of(config)
    metrics = stages.evaluate(
        needs(layout.papers, "prepare"),
        needs(layout.embeddings, "embed"),
        needs(layout.model, "train"),
        config.evaluation.split.value,
        options(config),
        progress,
    )
    write_json(layout.metrics, metrics)
    return metrics


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    evaluation = config.evaluation
    return {
        "min_positives": evaluation.min_positives,
        "bootstrap": asdict(evaluation.bootstrap) | {"seed": config.seed},
    }
