"""Stage ``prepare``: snapshot to papers table."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core.config.schema import Config
from arxiv_core.pipeline.layout import Layout
from arxiv_core.pipeline.record import as_dict, read_json, write_json
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["OPTIONS", "SAMPLE", "SAMPLE_MONTHS", "made_with", "options", "run", "source"]

CONFIG = "config.json"
"""Beside the table: the part of the configuration that made it."""

_log = logging.getLogger(__name__)

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
    """Write ``papers.parquet``, its manifest, and the configuration that made them."""
    prepared = Layout.of(config).prepared
    with explained(OPTIONS):
        manifest = stages.prepare(source(config), prepared, options(config), progress)
    made = {section: as_dict(config)[section] for section in ("data", "labels", "split")}
    del made["labels"]["min_train_papers"]
    write_json(prepared / CONFIG, made)
    return manifest


def made_with(config: Config) -> dict[str, Any]:
    """Give the configuration as plain values, with what the papers table was prepared with.

    `data`, `split` and all of `labels` but ``min_train_papers`` count when `prepare` runs; other
    values that a later stage is given for them change nothing, and are warned of.
    """
    given = as_dict(config)
    found = Layout.of(config).prepared / CONFIG
    if not found.exists():
        return given
    prepared, usual = read_json(found), as_dict(Config())
    for section, before in prepared.items():
        for key in before.keys() & given[section].keys():
            if given[section][key] not in (before[key], usual[section][key]):
                _log.warning(
                    "%s.%s = %s changes nothing: the papers were prepared with %s",
                    section,
                    key,
                    given[section][key],
                    before[key],
                )
        given[section] |= before
    return given


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
