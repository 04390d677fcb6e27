"""Stage ``embed``: papers table to embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import home, models, stages
from arxiv_core.pipeline.layout import Layout, needs
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["OPTIONS", "options", "run"]

OPTIONS = {
    "device": "model.device",
    "dtype": "model.dtype",
    "max_length": "model.max_length",
    "batch_tokens": "model.batch_tokens",
    "cache_dir": "paths.cache",
}


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Embed every paper that the cache does not hold yet."""
    layout = Layout.of(config)
    papers = needs(layout.papers, "prepare")
    layout.embeddings.parent.mkdir(parents=True, exist_ok=True)
    encoder = models.resolve(config.model.name)
    with explained(OPTIONS):
        return stages.embed(papers, encoder, layout.embeddings, options(config), progress)


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    found = translated(config, OPTIONS)
    cache = found["cache_dir"]
    found["cache_dir"] = str(home.folder("embeddings") if cache is None else Path(cache))
    return found
