"""The gate before an alias moves: quality, latency, behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from arxiv_core._core import OptionError
from arxiv_core.registry import behaviour, latency, quality
from arxiv_core.registry.quality import Evidence
from arxiv_core.registry.report import CHECKS, Bars, Check, Report

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["run"]


def run(
    candidate: Path,
    present: Path | None,
    evidence: Evidence,
    bars: Bars,
    *,
    without: Sequence[str] = (),
    device: str = "auto",
    progress: OnProgress | None = None,
) -> Report:
    """Run every check, also after one has failed.

    Parameters
    ----------
    candidate
        Directory of the model to be promoted.
    present
        Directory of the model in its place now; None where there is none.
    evidence
        Papers for the comparison of quality.
    bars
        How high the bars are.
    without
        Checks to leave out.
    device
        Device of the encoders.
    progress
        Receives progress.

    Returns
    -------
    Report
        What was found.

    Raises
    ------
    OptionError
        `without` names no check, or a bar cannot be.
    ModelError
        A model cannot be loaded.
    """
    _sensible(without, bars)
    from arxiv_core import Classifier

    checks: list[Check] = []
    if "quality" not in without:
        checks.append(quality.check(candidate, present, evidence, bars, device, progress))
    # Whatever is left out, what does not load is not promoted.
    model = Classifier.load(candidate, device=device)
    if "latency" not in without:
        other = None if present is None else Classifier.load(present, device=device)
        checks.append(latency.check(model, other, bars))
    if "behaviour" not in without:
        checks.append(behaviour.check(model, bars))
    return Report(bars, checks, [name for name in CHECKS if name in without])


def _sensible(without: Sequence[str], bars: Bars) -> None:
    for name in without:
        if name not in CHECKS:
            raise OptionError(f"without = {name}: one of {', '.join(CHECKS)}")
    bounds = {
        "tolerance": (bars.tolerance, 0.0, 1.0),
        "level": (bars.level, 0.5, 0.9999),
        "latency_ratio": (bars.latency_ratio, 0.01, 1000.0),
        "latency_limit": (bars.latency_limit, 0.001, 1e6),
        "probability_tolerance": (bars.probability_tolerance, 0.0, 1.0),
    }
    for name, (value, low, high) in bounds.items():
        if value is not None and not low <= value <= high:
            raise OptionError(f"{name} = {value}: from {low:g} to {high:g}")
