"""The file in which a stage's records stay: JSON lines, bounded in size and number."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from arxiv_core.logs.json_lines import JsonLines
from arxiv_core.logs.phases import Phases

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["BYTES", "FILES", "stage_log"]

BYTES = 2_000_000
"""Size at which a file is put aside."""

FILES = 3
"""Files put aside that are kept: ``run.log.1`` is the newest."""

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def stage_log(stage: str, path: Path, progress: OnProgress | None = None) -> Iterator[Phases]:
    """Write the process's log records to a file too, while a stage runs.

    The file is opened by the first record, and its folder made. How the stage ends is the last
    record: a failure goes to the file alone, with its traceback, since whoever called hears the
    exception itself; where there is no folder yet, nothing had begun, and nothing is written.

    Parameters
    ----------
    stage
        Its name.
    path
        The file; lines are added to what it holds.
    progress
        Receives the stage's progress.

    Yields
    ------
    Phases
        To be called with progress in place of `progress`; logs each phase that is over.
    """
    handler = _File(path)
    phases = Phases(stage, progress)
    root = logging.getLogger()
    root.addHandler(handler)
    started = time.monotonic()
    try:
        yield phases
    except BaseException:
        if path.parent.is_dir():
            handler.handle(_ended(stage, phases.now, time.monotonic() - started))
        raise
    finally:
        root.removeHandler(handler)
        handler.close()


def _ended(stage: str, phase: str | None, seconds: float) -> logging.LogRecord:
    kind, error, traceback = sys.exc_info()
    stopped = isinstance(error, KeyboardInterrupt)
    return _log.makeRecord(
        _log.name,
        logging.WARNING if stopped else logging.ERROR,
        __file__,
        0,
        "%s %s after %.1f s: %s",
        (stage, "was stopped" if stopped else "failed", seconds, error or kind),
        None if stopped or error is None or kind is None else (kind, error, traceback),
        extra={"stage": stage, "phase": phase, "seconds": round(seconds, 3)},
    )


class _File(RotatingFileHandler):
    """A rotating file that says once, in one sentence, that it cannot be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=BYTES, backupCount=FILES, encoding="utf-8", delay=True)
        self.setFormatter(JsonLines())
        self._path = path
        self._broken = False

    def emit(self, record: logging.LogRecord) -> None:
        if self._broken:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            self.handleError(record)
        else:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's
        self._broken = True
        _log.warning("%s: cannot be written, the log goes on without it: %s", *self._reason())

    def _reason(self) -> tuple[Path, object]:
        error = sys.exc_info()[1]
        return self._path, getattr(error, "strerror", None) or error
