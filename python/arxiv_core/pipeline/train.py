"""Stage ``train``: embeddings to a model directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arxiv_core import stages
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
    return {"head": config.head.kind.value, "seed": config.seed}
