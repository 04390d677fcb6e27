"""A stage as it is recorded: where its record lies, what is told before, during and after it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core.pipeline.layout import Layout
from arxiv_core.pipeline.record import as_dict, read_json
from arxiv_core.tracking import results
from arxiv_core.tracking.live import Live
from arxiv_core.tracking.run import Run

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["Tracked"]

_log = logging.getLogger(__name__)


class Tracked:
    """Records one stage with Weights & Biases.

    ``train`` begins a run in its run directory, ``evaluate`` and ``package`` go on with it.
    ``prepare`` is a run of its own, beside the papers table: many runs read what it makes.

    Parameters
    ----------
    stage
        The stage's name.
    config
        The composed configuration.
    progress
        Receives progress as well.
    """

    def __init__(self, stage: str, config: Config, progress: OnProgress | None) -> None:
        self._stage, self._config, self._onward = stage, config, progress
        self._layout = Layout.of(config)
        begins = stage in {"prepare", "train"}
        place = Path(config.paths.data) if stage == "prepare" else self._layout.run
        name = "prepare" if stage == "prepare" else config.run
        self._run = Run(config.tracking, place, name=name, job=stage, anew=begins)
        self._run.config(as_dict(config) if begins else self._as_trained())
        self._live = Live(self._run)

    def progress(self, event: dict[str, Any]) -> None:
        """Take a point of progress and hand it on."""
        if self._onward is not None:
            self._onward(event)
        self._live(event)

    def done(self, summary: Mapping[str, Any]) -> None:
        """Record what the stage found and what it made."""
        self._live.flush()
        name = re.sub(r"[^\w.-]", "-", self._config.run)
        told = getattr(results, self._stage)
        try:
            if self._stage == "train":
                self._run.config(self._as_trained())
            told(
                self._run, self._layout, summary, name if self._config.tracking.artifacts else None
            )
        except Exception:
            # The stage has done its work, whatever there is to tell of it.
            _log.exception("tracking: the outcome of %s could not be recorded", self._stage)

    def close(self, *, failed: bool) -> None:
        """Close the record."""
        self._live.flush()
        self._run.finish(failed=failed)

    def _as_trained(self) -> dict[str, Any]:
        """Give the configuration of the run's model, and how it is evaluated now.

        A command that evaluates need not repeat what only training reads.
        """
        now = as_dict(self._config)
        made = self._layout.run / "config.json"
        if not made.exists():
            return now
        return read_json(made) | {one: now[one] for one in ("evaluation", "paths", "tracking")}
