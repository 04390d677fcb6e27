"""The baselines beside a run: those of its papers, its split and its categories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arxiv_core.pipeline.layout import BASELINES
from arxiv_core.report.run import Run, read

__all__ = ["beside", "folder"]


def folder(run: Run) -> Path | None:
    """Give the folder of the baselines of a run's data; None where the data's is not known."""
    data = run.config.get("paths", {}).get("data")
    return None if data is None else Path(data) / BASELINES / run.metrics["split"]


def beside(run: Run, place: Path | None) -> tuple[list[Run], str]:
    """Find the baselines that a run can be compared with.

    Parameters
    ----------
    run
        The run.
    place
        Their folder.

    Returns
    -------
    tuple
        The baselines, and a remark: which are left out and why, or how to get some.
    """
    found, left_out = [], []
    for file in [] if place is None else sorted(place.glob("*.json"), reverse=True):
        try:
            one = read(file, whole=False)
            reason = _reason(run, one)
        except (ValueError, AttributeError):
            left_out.append(f"{file.stem} (no file of metrics)")
            continue
        if reason is None:
            found.append(one)
        else:
            left_out.append(f"{one.name} ({reason})")
    command = f"arxiv-core baselines --from RUN{_split(run)}"
    if left_out:
        return found, f"Baselines left out: {', '.join(left_out)}; {command} measures them here."
    return found, "" if found else f"{command} sets the two baselines beside it."


def _reason(run: Run, baseline: Run) -> str | None:
    """Say why a baseline cannot be compared; None where it can."""
    if not run.same_papers(baseline):
        return "measured on other papers"
    mine, theirs = (_labels(one.metrics) for one in (run, baseline))
    if mine != theirs:
        return f"fitted for {len(theirs)} categories, not these {len(mine)}"
    mine_least, least = (
        one.metrics.get("evaluated_with", {}).get("min_positives") for one in (run, baseline)
    )
    if mine_least != least:
        return f"means over categories with {least} papers, not {mine_least}"
    return None


def _labels(metrics: Mapping[str, Any]) -> set[str]:
    return {row["label"] for row in metrics.get("per_label", [])}


def _split(run: Run) -> str:
    """Give the override that `evaluate` had and `train` had not."""
    split = run.metrics["split"]
    usual = run.config.get("evaluation", {}).get("split", split)
    return "" if usual == split else f" evaluation.split={split}"
