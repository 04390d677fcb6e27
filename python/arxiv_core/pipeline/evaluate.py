"""Stage ``evaluate``: a model's scores on papers it has not seen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from arxiv_core import _core, stages
from arxiv_core.extras import MissingExtraError
from arxiv_core.models import sha256
from arxiv_core.pipeline import curves, finetune
from arxiv_core.pipeline.figures import figures
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.record import as_dict, read_json, write_json
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from pathlib import Path

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
    """Score the run's model; write its figures, insight, scores and the report.

    Parameters
    ----------
    config
        ``paths``, ``run``, ``evaluation``.
    progress
        Receives progress.

    Returns
    -------
    dict
        The metrics. A report that cannot be drawn for want of matplotlib is told in the log.
    """
    layout = Layout.of(config)
    papers = needs(layout.papers, "prepare")
    model = needs(layout.model, "train")
    if read_json(model / "classifier.json")["encoder"]["source"] == "local":
        embeddings = finetune.embedded(config, model, progress)
    else:
        embeddings = needs(layout.embeddings, "embed")
    split = config.evaluation.split.value
    made = layout.run / "config.json"
    if split != "test" and made.exists() and read_json(made)["train"]["refit"]:
        _log.warning("train.refit: the head was fitted to the papers of the split %s", split)
    options = translated(config, OPTIONS) | {"insight": True, "scores": str(layout.scores)}
    with explained(OPTIONS):
        metrics = stages.evaluate(papers, embeddings, model, split, options, progress)
    insight = metrics.pop("insight")
    write_json(layout.insight, insight)
    curves.of_scores(layout.curves, insight)
    metrics["model"] = {"manifest_sha256": sha256(model / "manifest.json")}
    metrics["data"] = {"papers_checksum": _core.checksum(papers)}
    metrics["evaluated_with"] = as_dict(config)["evaluation"]
    write_json(layout.metrics, metrics)
    write_json(layout.headline, {name: value for name, value, _ in figures(metrics)})
    if config.evaluation.report:
        _report(layout, layout.baselines(split))
    return metrics


def _report(layout: Layout, measured: Path) -> None:
    from arxiv_core import report

    try:
        report.require("The report on a run")
    except MissingExtraError as error:
        _log.warning("no %s: %s", layout.report, error)
        return
    from arxiv_core.report import evaluation

    _log.info("%s", evaluation.write(layout.run, measured=measured))
