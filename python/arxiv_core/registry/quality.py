"""Quality beside the model in place now, on the same papers and on the labels that both know."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import stages
from arxiv_core._core import InputError, ShapeError
from arxiv_core.classifier import encoder_directory
from arxiv_core.pipeline.record import read_json
from arxiv_core.registry.report import Bars, Check

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["Evidence", "check"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evidence:
    """The papers that models are compared on."""

    papers: Path | None = None
    """Papers table; None where there is none."""
    embeddings: Path | None = None
    """The table's embeddings; a model that reads other ones encodes the papers itself."""
    split: str = "test"


def check(
    candidate: Path,
    present: Path | None,
    evidence: Evidence,
    bars: Bars,
    device: str,
    progress: OnProgress | None = None,
) -> Check:
    """Compare micro-F1 by a paired bootstrap.

    Parameters
    ----------
    candidate
        Model directory.
    present
        Directory of the model in its place now; None where there is none.
    evidence
        What to compare on.
    bars
        ``tolerance`` and the bootstrap's options are used.
    device
        Device of the encoder.
    progress
        Receives progress.

    Returns
    -------
    Check
        Failed where the whole interval of the difference lies below minus the tolerance.
    """
    if present is None:
        return Check("quality", True, "there is no model in place to be worse than")
    if evidence.papers is None or not evidence.papers.is_file():
        missing = f"{evidence.papers} is not there" if evidence.papers else "no papers are given"
        return Check(
            "quality",
            False,
            f"{missing}: give a papers table with --papers papers.parquet, or leave the check "
            "out with --without quality",
        )
    known = [set(read_json(one / "classifier.json")["labels"]) for one in (present, candidate)]
    if known[0].isdisjoint(known[1]):
        return Check("quality", False, "the two models have no label in common")
    options = {"bootstrap": {"samples": bars.samples, "seed": bars.seed, "level": bars.level}}
    with tempfile.TemporaryDirectory(prefix="arxiv-core-") as folder:
        old, new = Path(folder) / "present", Path(folder) / "candidate"
        _score(present, old, evidence, device, progress)
        _score(candidate, new, evidence, device, progress)
        compared = stages.compare(old, new, options, progress)
    return _judged(compared, bars)


def _judged(compared: Mapping[str, Any], bars: Bars) -> Check:
    figures = compared["figures"]
    micro = figures["micro_f1"]
    low, high = micro["interval"]
    passed = high >= -bars.tolerance
    only_old, only_new = len(compared["only_a"]), len(compared["only_b"])
    labels = f"{compared['labels']} labels"
    if only_old or only_new:
        labels += f" that both have ({only_old} only the present model, {only_new} only this one)"
    said = (
        f"micro-F1 {micro['b']:.4f} beside {micro['a']:.4f}, "
        f"difference {micro['difference']:+.4f} "
        f"({100 * bars.level:g} % interval {low:+.4f} to {high:+.4f}) "
        f"on {figures['papers']:,} papers of the split {compared['split']} and {labels}"
    )
    if not passed:
        said += f": all of it lies below {0 - bars.tolerance:g}"
    found = figures | {
        "split": compared["split"],
        "labels": compared["labels"],
        "labels_only_present": only_old,
        "labels_only_candidate": only_new,
        "tolerance": bars.tolerance,
    }
    return Check("quality", passed, said, found)


def _score(
    model: Path, file: Path, evidence: Evidence, device: str, progress: OnProgress | None
) -> None:
    """Evaluate a model, for what it says of each paper."""
    assert evidence.papers is not None
    options: dict[str, Any] = {"scores": str(file), "bootstrap": {"samples": 0}, "device": device}
    encoder = encoder_directory(model)
    if encoder is not None:
        options["encoder"] = encoder
    try:
        embeddings = evidence.embeddings
        stages.evaluate(evidence.papers, embeddings, model, evidence.split, options, progress)
    except (InputError, ShapeError) as error:
        if evidence.embeddings is None:
            raise
        _log.info("encoding the papers for %s now: %s", model, error)
        stages.evaluate(evidence.papers, None, model, evidence.split, options, progress)
