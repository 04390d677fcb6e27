"""What a stage did, as one log record: what it read, left out and fitted, and where it wrote."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from arxiv_core.pipeline.figures import figures
from arxiv_core.pipeline.layout import Layout

if TYPE_CHECKING:
    from arxiv_core.config import Config

__all__ = ["finished"]

_log = logging.getLogger(__name__)

Event = tuple[str, dict[str, Any]]
"""A sentence, and the figures in it and more as fields."""


def finished(stage: str, config: Config, summary: Mapping[str, Any], seconds: float) -> None:
    """Log what a stage did.

    Parameters
    ----------
    stage
        Its name.
    config
        What it ran with.
    summary
        What it returned.
    seconds
        How long it took.
    """
    describe = _EVENTS.get(stage)
    sentence, fields = describe(Layout.of(config), config, summary) if describe else ("done", {})
    _log.info(
        "%s: %s in %.1f s",
        stage,
        sentence,
        seconds,
        extra={"stage": stage, "seconds": round(seconds, 3), **fields},
    )


def _fetch(_: Layout, config: Config, summary: Mapping[str, Any]) -> Event:
    sentence = f"{config.data.dataset}, {summary['bytes']:,} bytes -> {summary['source']}"
    return sentence, {"bytes": summary["bytes"], "output": summary["source"]}


def _raw(layout: Layout, config: Config, record: Mapping[str, Any]) -> Event:
    sentence = f"{config.data.source}, {record['bytes']:,} bytes -> {layout.raw}"
    return sentence, {"bytes": record["bytes"], "output": layout.raw}


def _prepare(layout: Layout, config: Config, manifest: Mapping[str, Any]) -> Event:
    dropped = {reason: count for reason, count in manifest["dropped"].items() if count}
    splits = {name: split["papers"] for name, split in manifest["splits"].items()}
    why = ", ".join(f"{count:,} {reason}" for reason, count in dropped.items()) or "none"
    sentence = (
        f"{manifest['papers']:,} papers of {manifest['lines']:,} lines of {config.data.source} "
        f"(dropped: {why}) -> {layout.papers}"
    )
    return sentence, {
        "source": config.data.source,
        "lines": manifest["lines"],
        "papers": manifest["papers"],
        "dropped": dropped,
        "splits": splits,
        "labels": len(manifest["labels"]),
        "output": layout.papers,
    }


def _embed(layout: Layout, config: Config, summary: Mapping[str, Any]) -> Event:
    known = summary["papers"] - summary["embedded"]
    sentence = (
        f"{summary['embedded']:,} of {summary['papers']:,} papers embedded by {config.model.name} "
        f"({known:,} were known, {summary['truncated']:,} cut) -> {layout.embeddings}"
    )
    counted = {name: summary[name] for name in ("papers", "embedded", "truncated", "tokens")}
    return sentence, {"model": config.model.name, **counted, "output": layout.embeddings}


def _train(layout: Layout, config: Config, report: Mapping[str, Any]) -> Event:
    papers = report["papers"]
    refit = f", then to all {papers['refit']:,}" if papers["refit"] else ""
    tuned = report.get("finetune")
    encoder = (
        f"encoder tuned to {tuned['papers']:,} papers (validation loss "
        f"{tuned['epochs'][tuned['kept'] - 1]['validation_loss']:.4f}), "
        if tuned
        else ""
    )
    sentence = (
        f"{encoder}head {config.head.kind.value} for {len(report['labels'])} categories "
        f"({len(report['left_out'])} left out) fitted to {papers['fit']:,} papers, calibrated on "
        f"{papers['validation']:,}{refit} -> {layout.model}"
    )
    return sentence, {
        "head": config.head.kind.value,
        "labels": len(report["labels"]),
        "left_out": len(report["left_out"]),
        "papers": papers,
        "finetune": tuned and {one: tuned[one] for one in ("papers", "steps", "epochs", "kept")},
        "bytes": report["bytes"],
        "output": layout.model,
    }


def _evaluate(layout: Layout, _: Config, metrics: Mapping[str, Any]) -> Event:
    shown = ("micro_f1", "macro_f1", "precision_at_1")
    found = {name: value for name, value, _ in figures(metrics) if name in shown}
    text = ", ".join(f"{name} {value:.4f}" for name, value in found.items())
    sentence = f"{metrics['papers']:,} papers of {metrics['split']}: {text} -> {layout.metrics}"
    return sentence, {
        "split": metrics["split"],
        "papers": metrics["papers"],
        "pairs_outside": metrics["pairs_outside"],
        **found,
        "output": layout.metrics,
    }


def _package(layout: Layout, _: Config, summary: Mapping[str, Any]) -> Event:
    encoder = "with" if summary["self_contained"] else "without"
    return f"the model {encoder} its encoder, {summary['bytes']:,} bytes -> {layout.package}", {
        "bytes": summary["bytes"],
        "output": layout.package,
    }


_EVENTS: dict[str, Callable[[Layout, Config, Mapping[str, Any]], Event]] = {
    "fetch": _fetch,
    "raw": _raw,
    "prepare": _prepare,
    "embed": _embed,
    "train": _train,
    "evaluate": _evaluate,
    "package": _package,
}
