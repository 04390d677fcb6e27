"""The pipeline's stages, one file each: configuration in, files under ``paths`` out.

Every stage is ``run(config, progress) -> summary``. What a stage computes is computed in Rust;
here it learns where things lie and what it is called with.
"""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["STAGES", "run"]

STAGES = ("fetch", "raw", "prepare", "embed", "train", "evaluate", "package")
"""In the order in which each needs the one before."""


def run(
    stage: str, config: Config, progress: OnProgress | None = None, **options: bool
) -> dict[str, Any]:
    """Run one stage.

    Parameters
    ----------
    stage
        One of `STAGES`.
    config
        The composed configuration.
    progress
        Receives progress.
    **options
        What only this stage takes: ``package`` takes ``self_contained``.

    Returns
    -------
    dict
        The stage's summary, which also lies beside its output.
    """
    if stage not in STAGES:
        raise ValueError(f"stage {stage!r}: one of {', '.join(STAGES)}")
    from arxiv_core.logs import stage_log
    from arxiv_core.pipeline import events
    from arxiv_core.pipeline.layout import Layout
    from arxiv_core.tracking import tracked

    module = importlib.import_module(f"{__name__}.{stage}")
    started = time.monotonic()
    with (
        stage_log(stage, Layout.of(config).log(stage), progress) as observed,
        tracked(stage, config, observed) as recorded,
    ):
        summary: dict[str, Any] = module.run(config, recorded.progress, **options)
        observed.finish()
        events.finished(stage, config, summary, time.monotonic() - started)
        recorded.done(summary)
    return summary
