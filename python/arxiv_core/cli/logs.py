"""Logging of a command: Rust's and Python's records alike, on standard error."""

from __future__ import annotations

import logging
import sys

from arxiv_core.cli.group import Form, Level

__all__ = ["start"]


def start(level: Level, form: Form = "auto") -> None:
    """Send this project's records at `level` and worse to standard error.

    Other libraries' records start at warning, whatever the level. A stage's own file keeps info
    and worse even where the terminal shows less.

    Parameters
    ----------
    level
        Least serious level that is shown.
    form
        ``human``, ``json``, or ``auto``: human on a terminal, JSON elsewhere.
    """
    handler = _handler(form)
    handler.setLevel(level.upper())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn").setLevel(level.upper())
    # What is shown the handler decides; Rust asks the logger whether a record is made at all.
    logging.getLogger("arxiv_core").setLevel(min(handler.level, logging.INFO))


def _handler(form: Form) -> logging.Handler:
    terminal = sys.stderr.isatty()
    if form == "json" or (form == "auto" and not terminal):
        from arxiv_core.logs import JsonLines

        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        return handler
    if terminal:
        from rich.logging import RichHandler

        from arxiv_core.cli.console import stderr

        # The bars' console, so that records scroll above a running bar.
        return RichHandler(console=stderr(), show_path=False, log_time_format="%H:%M:%S")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler
