"""Stage ``package``: a run's model with its metrics and card, as one directory to hand on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from arxiv_core import classifier
from arxiv_core.models import sha256
from arxiv_core.pipeline.card import card
from arxiv_core.pipeline.layout import Layout, NotYetError, needs
from arxiv_core.pipeline.record import read_json

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["run"]


def run(
    config: Config, progress: OnProgress | None = None, *, self_contained: bool = False
) -> dict[str, Any]:
    """Write ``package/``, verified before and after.

    Parameters
    ----------
    config
        ``paths`` and ``run``.
    progress
        Receives progress.
    self_contained
        Put the encoder inside, so that the directory is all that is needed.

    Returns
    -------
    dict
        Where the directory is, its labels, its size and its files' hashes.
    """
    layout = Layout.of(config)
    model = needs(layout.model, "train")
    metrics = read_json(needs(layout.metrics, "evaluate"))
    trained_with = read_json(needs(layout.run / "config.json", "train"))
    if metrics["model"]["manifest_sha256"] != sha256(model / "manifest.json"):
        raise NotYetError(
            f"{layout.metrics} is about another model than {model}: run arxiv-core evaluate first"
        )
    spec = read_json(model / "classifier.json")
    return classifier.package(
        model,
        layout.package,
        self_contained=self_contained,
        texts={
            "README.md": card(config.run, spec, metrics, trained_with),
            "metrics.json": json.dumps(metrics, indent=2, ensure_ascii=False) + "\n",
        },
        progress=progress,
    )
