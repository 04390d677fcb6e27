"""Stage ``prepare``: snapshot to papers table."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core.config.schema import Config
from arxiv_core.models import sha256
from arxiv_core.pipeline import raw
from arxiv_core.pipeline.layout import Layout
from arxiv_core.pipeline.record import as_dict, read_json, write_json
from arxiv_core.pipeline.translation import explained, translated

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["OPTIONS", "SAMPLE_MONTHS", "made_with", "options", "run"]

CONFIG = "config.json"
"""Beside the table: the part of the configuration that made it."""

LATER = (("labels", "min_train_papers"), ("data", "dataset"))
"""Keys of the same groups that other stages read."""

_log = logging.getLogger(__name__)

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
    raw.check(config)
    with explained(OPTIONS):
        manifest = stages.prepare(raw.source(config), prepared, options(config), progress)
    made = {section: as_dict(config)[section] for section in ("data", "labels", "split")}
    for section, key in LATER:
        del made[section][key]
    manifest_sha256 = sha256(prepared / "manifest.json")
    write_json(prepared / CONFIG, {"manifest_sha256": manifest_sha256, "seed": config.seed} | made)
    return manifest


def made_with(config: Config) -> dict[str, Any]:
    """Give the configuration as plain values, with what the papers table was prepared with.

    `data`, `labels` and `split` count when `prepare` runs, `LATER` apart: other values than its
    change nothing now and are warned of. Its seed stands under ``prepared``. How a service would
    be run makes nothing, and is left out.
    """
    given, usual = as_dict(config), as_dict(Config())
    del given["serve"]
    prepared = Layout.of(config).prepared
    found = prepared / CONFIG
    if not found.exists():
        return given
    before = read_json(found)
    if before.pop("manifest_sha256", None) != sha256(prepared / "manifest.json"):
        return given
    given["prepared"] = {"seed": before.pop("seed")}
    for key, was in leaves(before):
        *groups, name = key.split(".")
        now, default = (_group(tree, groups)[name] for tree in (given, usual))
        if now not in (was, default):
            _log.warning("%s = %s changes nothing: the papers were prepared with %s", key, now, was)
        _group(given, groups)[name] = was
    return given


def _group(tree: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    for name in names:
        tree = tree[name]
    return tree


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk the values of a nested configuration with their dotted keys."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def options(config: Config) -> dict[str, Any]:
    """Translate the configuration into the stage's options."""
    found = translated(config, OPTIONS)
    split = found["split"]
    if config.data.source == "sample" and all(split[name] is None for name in SAMPLE_MONTHS):
        split |= SAMPLE_MONTHS
    return found
