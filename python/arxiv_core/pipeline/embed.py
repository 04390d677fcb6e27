"""Stage ``embed``: papers table to embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import home, models, stages
from arxiv_core.encoder import prepare_device
from arxiv_core.pipeline.layout import Layout, needs

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["options", "run"]


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Embed every paper that the cache does not hold yet."""
    layout = Layout.of(config)
    papers = needs(layout.papers, "prepare")
    layout.embeddings.parent.mkdir(parents=True, exist_ok=True)
    encoder = models.resolve(config.model.name)
    return stages.embed(papers, encoder, layout.embeddings, options(config), progress)


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    cache = config.paths.cache
    return {
        "device": prepare_device(config.model.device),
        "dtype": config.model.dtype,
        "max_length": config.model.max_length,
        "batch_tokens": config.model.batch_tokens,
        "cache_dir": str(Path(cache) if cache is not None else home.folder("embeddings")),
    }
