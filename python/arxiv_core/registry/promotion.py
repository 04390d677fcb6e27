"""Promotion: the gate, then the alias; what the gate refuses is recorded too."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from arxiv_core.registry import gate
from arxiv_core.registry.quality import Evidence
from arxiv_core.registry.records import Move, Registry, Version
from arxiv_core.registry.reference import PRODUCTION, RegistryError, check_alias
from arxiv_core.registry.report import Bars, Report

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["promote"]

_log = logging.getLogger(__name__)


def promote(
    registry: Registry,
    version: Version,
    alias: str = PRODUCTION,
    *,
    evidence: Evidence | None = None,
    bars: Bars | None = None,
    without: Sequence[str] = (),
    why: str = "",
    device: str = "auto",
    progress: OnProgress | None = None,
) -> tuple[Report, Move]:
    """Move an alias to a version if the gate lets it pass.

    Parameters
    ----------
    registry
        Where the version is.
    version
        What is to be promoted.
    alias
        What is to point to it.
    evidence
        Papers for the comparison of quality.
    bars
        How high the gate's bars are.
    without
        Checks to leave out; which ones is recorded.
    why
        Reason, for the history.
    device
        Device of the encoders.
    progress
        Receives progress.

    Returns
    -------
    tuple of Report and Move
        What the gate found, and the record of what became of the alias: ``moved`` is False
        where the gate refused.

    Raises
    ------
    RegistryError
        The alias points there already, is none, or was moved by someone else meanwhile.
    ModelError
        A model is damaged.
    """
    check_alias(alias)
    present = registry.holder(version.name, alias)
    if present is not None and present.version == version.version:
        raise RegistryError(f"model {version}: is {alias} already")
    if present is None:
        _log.info("model %s: there is no %s version yet", version.name, alias)
    # A damaged model must not keep its successor out: it is read only where it is compared with.
    compared = present is not None and not {"quality", "latency"} <= set(without)
    report = gate.run(
        registry.directory(version),
        registry.directory(present) if present is not None and compared else None,
        evidence or Evidence(),
        bars or Bars(),
        without=without,
        device=device,
        progress=progress,
    )
    found = report.as_dict() | {
        "candidate": str(version),
        "compared_with": str(present) if compared else None,
    }
    if not report.passed:
        return report, registry.refuse(version, alias, why or report.why_not, found)
    expected = None if present is None else present.version
    passed = "the gate passed"
    if report.without:
        passed += f", without {' and '.join(report.without)}"
    move = registry.move(version, alias, why or passed, gate=found, expected=expected)
    return report, move
