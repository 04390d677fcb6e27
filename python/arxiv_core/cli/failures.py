"""What the command says, and the code it ends with, when something goes wrong."""

from __future__ import annotations

import os
import re

from arxiv_core import ArxivCoreError, OptionError
from arxiv_core.extras import MissingExtraError

__all__ = ["FAILURE", "INTERRUPTED", "USAGE", "UsageError", "explain"]

FAILURE = 1
USAGE = 2
INTERRUPTED = 130


class UsageError(Exception):
    """The command line does not make sense."""


def explain(error: BaseException) -> tuple[int, str]:
    """Say in one sentence what went wrong.

    Parameters
    ----------
    error
        Whatever a command raised.

    Returns
    -------
    tuple of int and str
        The exit code and the sentence.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, f"stopped; {str(error) or 'nothing half-written was left behind'}"
    if isinstance(error, UsageError):
        return USAGE, str(error)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        # Rust adds the number that Python keeps apart.
        text = re.sub(r" \(os error \d+\)$", "", error.strerror)
        return FAILURE, f"{os.fsdecode(error.filename)}: {text}"
    if isinstance(error, (OSError, MissingExtraError)):
        return FAILURE, str(error)

    if isinstance(error, OptionError):
        return USAGE, str(error)
    if isinstance(error, ArxivCoreError):
        return FAILURE, str(error)
    return FAILURE, f"internal error: {type(error).__name__}: {error} (--debug shows where)"
