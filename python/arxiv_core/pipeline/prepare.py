"""Stage ``prepare``: snapshot to papers table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core.pipeline.layout import Layout

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["options", "run", "source"]

SAMPLE = Path(__file__).parents[1] / "sample" / "papers.jsonl"


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Write ``papers.parquet`` and its manifest."""
    return stages.prepare(source(config), Layout.of(config).prepared, options(config), progress)


def source(config: Config) -> Path:
    """Find the snapshot: ``sample`` is the corpus in the package."""
    return SAMPLE if config.data.source == "sample" else Path(config.data.source)


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    return {}
