"""Stage ``evaluate``: a model's scores on papers it has not seen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core.models import sha256
from arxiv_core.pipeline.figures import figures
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.record import as_dict, read_json, write_json
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["OPTIONS", "run"]

_log = logging.getLogger(__name__)

OPTIONS = {
    "min_positives": "evaluation.min_positives",
    "bootstrap.samples": "evaluation.bootstrap.samples",
    "bootstrap.level": "evaluation.bootstrap.level",
    "bootstrap.seed": "seed",
}


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Score the run's model and write ``metrics.json`` and ``headline.json``."""
    layout = Layout.of(config)
    papers = needs(layout.papers, "prepare")
    embeddings = needs(layout.embeddings, "embed")
    model = needs(layout.model, "train")
    split = config.evaluation.split.value
    made = layout.run / "config.json"
    if split != "test" and made.exists() and read_json(made)["train"]["refit"]:
        _log.warning("train.refit: the head was fitted to the papers of the split %s", split)
    with explained(OPTIONS):
        metrics = stages.evaluate(
            papers, embeddings, model, split, translated(config, OPTIONS), progress
        )
    metrics["model"] = {"manifest_sha256": sha256(model / "manifest.json")}
    metrics["evaluated_with"] = as_dict(config)["evaluation"]
    write_json(layout.metrics, metrics)
    write_json(layout.headline, {name: value for name, value, _ in figures(metrics)})
    return metrics
