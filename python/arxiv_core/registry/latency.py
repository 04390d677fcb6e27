"""How long a single paper takes, beside the model in place now, in the same process."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from arxiv_core.registry import behaviour
from arxiv_core.registry.report import Bars, Check

if TYPE_CHECKING:
    from arxiv_core import Classifier

__all__ = ["ROUNDS", "check", "medians"]

ROUNDS = 5
"""Times that each paper is classified by each model."""


def check(candidate: Classifier, present: Classifier | None, bars: Bars) -> Check:
    """Compare what one paper takes.

    Parameters
    ----------
    candidate
        The model to be promoted.
    present
        The model in its place now; None where there is none.
    bars
        ``latency_ratio`` and ``latency_limit`` are used.

    Returns
    -------
    Check
        Passed where neither bar is broken.
    """
    models = [candidate] if present is None else [candidate, present]
    mine, *others = (1e3 * seconds for seconds in medians(models))
    figures: dict[str, float | None] = {"candidate_ms": round(mine, 3)}
    failures = []
    said = f"a paper takes {mine:.1f} ms"
    if others:
        ratio = mine / others[0]
        figures |= {"present_ms": round(others[0], 3), "ratio": round(ratio, 3)}
        said += f", {ratio:.2f} times the present model's {others[0]:.1f} ms"
        if ratio > bars.latency_ratio:
            failures.append(f"the ratio {ratio:.2f} is above {bars.latency_ratio:g}")
    else:
        said += "; there is no model in place to compare with"
    if bars.latency_limit is not None and mine > bars.latency_limit:
        failures.append(f"{mine:.1f} ms is above the limit of {bars.latency_limit:g} ms")
    return Check(
        "latency",
        passed=not failures,
        sentence=f"{said}: {'; '.join(failures)}" if failures else said,
        figures=figures,
        failures=failures,
    )


def medians(models: list[Classifier]) -> list[float]:
    """Measure the median of classifying one paper, in seconds.

    The models take turns with every paper, so that whatever else the machine does strikes all.

    Parameters
    ----------
    models
        Loaded models.

    Returns
    -------
    list of float
        In the order of `models`.
    """
    papers = [{"title": one["title"], "abstract": one["abstract"]} for one in behaviour.papers()]
    for model in models:
        model.classify(papers)
        model.classify(papers[:1])
    taken: list[list[float]] = [[] for _ in models]
    for round_ in range(ROUNDS):
        for paper in papers:
            # Neither always first: the second finds the caches warm.
            order = range(len(models)) if round_ % 2 else reversed(range(len(models)))
            for at in order:
                start = time.perf_counter()
                models[at].classify([paper])
                taken[at].append(time.perf_counter() - start)
    return [statistics.median(one) for one in taken]
