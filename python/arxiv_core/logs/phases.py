"""A stage's phases as log records: what it did, how much of it, and for how long."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["Phases"]

_log = logging.getLogger(__name__)

COUNTED = {"stage", "done", "total", "unit"}


class Phases:
    """Takes a stage's progress and logs each phase once it is over.

    Progress is looked at twenty times a second, so a phase shorter than that may be missing.

    Parameters
    ----------
    stage
        The stage's name.
    progress
        Called with every event first.
    """

    def __init__(self, stage: str, progress: OnProgress | None = None) -> None:
        self._stage = stage
        self._progress = progress
        self._last: dict[str, Any] | None = None
        self._began = time.monotonic()

    @property
    def now(self) -> str | None:
        """The phase under way."""
        return None if self._last is None else self._last["stage"]

    def __call__(self, event: dict[str, Any]) -> None:
        """Take one point of progress."""
        if self._progress is not None:
            self._progress(event)
        if self._last is not None and event["stage"] != self._last["stage"]:
            self.finish()
        self._last = dict(event)

    def finish(self) -> None:
        """Log the phase under way, which is over."""
        last, self._last = self._last, None
        if last is None:
            return
        now = time.monotonic()
        seconds, self._began = now - self._began, now
        amount = f" {last['done']:,} {last['unit']}" if last["done"] else ""
        figures = {name: value for name, value in last.items() if name not in COUNTED}
        _log.info(
            "%s: %s%s in %.1f s",
            self._stage,
            last["stage"],
            amount,
            seconds,
            extra={
                "stage": self._stage,
                "phase": last["stage"],
                "done": last["done"],
                "unit": last["unit"],
                "seconds": round(seconds, 3),
                **({"figures": figures} if figures else {}),
            },
        )
