"""Records runs beside their own directory. Only this room imports wandb (extra ``tracking``).

`tracked` opens what ``tracking.kind`` names while a stage runs. The stage learns nothing of it, and
a tracker that fails is a line in the log: it never costs the stage its result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from arxiv_core.config.schema import Tracker as Kind

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["Stage", "tracked"]

ARTIFACTS_ONLY = {"prepare", "package"}
"""Stages of which nothing else is recorded."""

STAGES = {"train", "evaluate"} | ARTIFACTS_ONLY


class Stage(Protocol):
    """A stage that is being recorded."""

    @property
    def progress(self) -> OnProgress | None:
        """What the stage reports its progress to."""

    def done(self, summary: Mapping[str, Any]) -> None:
        """Record what the stage found and what it made.

        Parameters
        ----------
        summary
            The stage's summary.
        """


class Untracked:
    """A stage that nobody records."""

    def __init__(self, progress: OnProgress | None) -> None:
        self.progress = progress

    def done(self, summary: Mapping[str, Any]) -> None:
        """Record nothing."""


@contextlib.contextmanager
def tracked(stage: str, config: Config, progress: OnProgress | None) -> Iterator[Stage]:
    """Record a stage while the block runs; what the block raises closes the record as failed.

    Parameters
    ----------
    stage
        The stage's name.
    config
        The composed configuration; ``tracking`` says what records, and how.
    progress
        Receives progress as well.

    Yields
    ------
    Stage
        With the callback for the stage.

    Raises
    ------
    MissingExtraError
        The tracker is not installed.
    OptionError
        ``tracking.mode`` is online and there is no key.
    """
    chosen = config.tracking
    wanted = stage in STAGES and (chosen.artifacts or stage not in ARTIFACTS_ONLY)
    if chosen.kind is Kind.none or not wanted:
        yield Untracked(progress)
        return
    from arxiv_core.tracking.stage import Tracked

    recorded = Tracked(stage, config, progress)
    try:
        yield recorded
    except BaseException:
        recorded.close(failed=True)
        raise
    recorded.close(failed=False)
