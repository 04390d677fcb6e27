"""From a stage's progress to points of its live figures."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arxiv_core.tracking.tracker import Tracker

__all__ = ["Live"]

EVERY = 0.5
"""Seconds between two points at least, but for the last one of a part."""

PLACE = {"stage", "done", "total", "unit"}


class Live:
    """Tells a tracker the figures among a stage's progress.

    A part's figures are drawn over its own progress: over ``pass`` where it counts passes, else
    over what it has done (``fit/steps``). So a part that runs twice, as ``fit`` does with
    ``train.refit``, has two names, ``fit`` and ``fit-2``; and the count of all points, which W&B
    calls the step, may go on where another stage takes the run up.

    Parameters
    ----------
    tracker
        Who is told.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._begun: Counter[str] = Counter()
        self._part = ""
        self._waiting: tuple[dict[str, float], str] | None = None
        self._told = -EVERY

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one point of progress."""
        if event["stage"] != self._part:
            self.flush()
            self._part = event["stage"]
            self._begun[self._part] += 1
        figures = {name: float(value) for name, value in event.items() if name not in PLACE}
        if not figures:
            return
        again = self._begun[self._part]
        part = self._part if again == 1 else f"{self._part}-{again}"
        axis = f"{part}/{'pass' if 'pass' in figures else event['unit']}"
        row = {axis: float(event["done"])} | {f"{part}/{name}": figures[name] for name in figures}
        self._waiting = row, axis
        if time.monotonic() - self._told >= EVERY:
            self.flush()

    def flush(self) -> None:
        """Tell what still waits."""
        if self._waiting is not None:
            self._tracker.row(*self._waiting)
            self._waiting = None
            self._told = time.monotonic()
