"""Logging of a command: Rust's and Python's records alike, on standard error."""

from __future__ import annotations

import logging
import sys

from arxiv_core.cli.group import Level

__all__ = ["start"]


def start(level: Level) -> None:
    """Send this project's records at `level` and worse to standard error.

    Other libraries' records start at warning, whatever the level.

    Parameters
    ----------
    level
        Least serious level that is shown.
    """
    handler = _handler()
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("arxiv_core", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())


def _handler() -> logging.Handler:
    if sys.stderr.isatty():
        from rich.logging import RichHandler

        from arxiv_core.cli.console import stderr

        # The bars' console, so that records scroll above a running bar.
        return RichHandler(console=stderr(), show_path=False, log_time_format="%H:%M:%S")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler
