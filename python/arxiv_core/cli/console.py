"""The one console on standard error, shared by bars and log records."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["stderr"]


@functools.cache
def stderr() -> Console:
    """Return the console that writes to standard error."""
    from rich.console import Console

    return Console(stderr=True)
