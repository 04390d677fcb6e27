"""Stage ``prepare``: snapshot to papers table."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core.pipeline.layout import Layout

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["options", "run", "source"]

SAMPLE = Path(__file__).parents[1] / "sample" / "papers.jsonl"

SAMPLE_MONTHS = {
    "train_until": "2008-06",
    "validation_until": "2009-02",
    "test_until": "2015-06",
}
"""The bundled corpus has few papers a month: three months, the usual length, would be empty."""


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Write ``papers.parquet`` and its manifest."""
    return stages.prepare(source(config), Layout.of(config).prepared, options(config), progress)


def source(config: Config) -> Path:
    """Find the snapshot: ``sample`` is the corpus in the package."""
    return SAMPLE if config.data.source == "sample" else Path(config.data.source)


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    data, labels = config.data, config.labels
    split = asdict(config.split)
    if data.source == "sample" and all(split[name] is None for name in SAMPLE_MONTHS):
        split |= SAMPLE_MONTHS
    return {
        "clean": data.clean.value,
        "min_abstract_chars": data.min_abstract_chars,
        "keep_withdrawn": data.withdrawn,
        "keep_unlabelled": data.unlabelled,
        "dedup": asdict(data.duplicates),
        "subset": {
            "from": data.since,
            "until": data.until,
            "categories": labels.categories,
            "categories_match": labels.match.value,
            "other_labels": labels.others,
            "per_category": labels.per_category,
            "max_papers": data.max_papers,
            "min_support": labels.min_support,
            "seed": config.seed,
        },
        "split": split | {"by": config.split.by.value, "seed": config.seed},
    }
