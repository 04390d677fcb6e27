"""Stage ``prepare``: snapshot to papers table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core.pipeline.layout import Layout
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["OPTIONS", "SAMPLE", "SAMPLE_MONTHS", "options", "run", "source"]

SAMPLE = Path(__file__).parents[1] / "sample" / "papers.jsonl"

SAMPLE_MONTHS = {
    "train_until": "2008-06",
    "validation_until": "2009-02",
    "test_until": "2015-06",
}
"""The bundled corpus has few papers a month: three months, the usual length, would be empty."""

OPTIONS = {
    "clean": "data.clean",
    "min_abstract_chars": "data.min_abstract_chars",
    "keep_withdrawn": "data.withdrawn",
    "keep_unlabelled": "data.unlabelled",
    "dedup.exact": "data.duplicates.exact",
    "dedup.near": "data.duplicates.near",
    "dedup.threshold": "data.duplicates.threshold",
    "subset.from": "data.since",
    "subset.until": "data.until",
    "subset.categories": "labels.categories",
    "subset.categories_match": "labels.match",
    "subset.other_labels": "labels.others",
    "subset.per_category": "labels.per_category",
    "subset.max_papers": "data.max_papers",
    "subset.min_support": "labels.min_support",
    "subset.seed": "seed",
    "split.by": "split.by",
    "split.test_months": "split.test_months",
    "split.validation_months": "split.validation_months",
    "split.train_until": "split.train_until",
    "split.validation_until": "split.validation_until",
    "split.test_from": "split.test_from",
    "split.test_until": "split.test_until",
    "split.validation_fraction": "split.validation_fraction",
    "split.test_fraction": "split.test_fraction",
    "split.seed": "seed",
}


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Write ``papers.parquet`` and its manifest."""
    with explained(OPTIONS):
        return stages.prepare(source(config), Layout.of(config).prepared, options(config), progress)


def source(config: Config) -> Path:
    """Find the snapshot: ``sample`` is the corpus in the package."""
    return SAMPLE if config.data.source == "sample" else Path(config.data.source)


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    found = translated(config, OPTIONS)
    split = found["split"]
    if config.data.source == "sample" and all(split[name] is None for name in SAMPLE_MONTHS):
        split |= SAMPLE_MONTHS
    return found
