"""The headline of an evaluation: its figures, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["figures"]


def figures(metrics: Mapping[str, Any]) -> Iterator[tuple[str, Any, tuple[float, float] | None]]:
    """List the plain figures of an evaluation.

    Parameters
    ----------
    metrics
        What `evaluate` found.

    Yields
    ------
    tuple
        Name, value and interval. Means over labels with enough positives are left out where
        there is no such label: a mean of nothing is no zero.
    """
    intervals = metrics.get("intervals") or {}
    nothing = metrics.get("macro_labels") == 0
    for name, value in metrics.items():
        if value is None or isinstance(value, (Mapping, list)):
            continue
        if nothing and name in {"macro_precision", "macro_recall", "macro_f1", "map"}:
            continue
        low_high = intervals.get(name)
        yield name, value, (low_high[0], low_high[1]) if low_high else None
