"""``ARXIV_CORE_HOME``: where caches and registries lie between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

__all__ = ["folder", "home"]


def home() -> Path:
    """Return ``ARXIV_CORE_HOME``, by default a folder in the platform's cache."""
    if given := os.environ.get("ARXIV_CORE_HOME"):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "arxiv-core"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "arxiv-core"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arxiv-core"


def folder(name: Literal["embeddings", "models", "registry", "collected"]) -> Path:
    """Return the folder for one kind of thing; it need not exist."""
    return home() / name
