"""The latency bar: a ratio within the same process, and a limit."""

from __future__ import annotations

import time
from typing import Any

import pytest
from arxiv_core.registry import latency
from arxiv_core.registry.report import Bars


class Slow:
    """A classifier that takes its time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.single = 0

    def classify(self, papers: list[dict[str, str]]) -> None:
        self.single += len(papers) == 1
        time.sleep(self._seconds)


def found(candidate: float, present: float | None, **bars: Any) -> Any:
    other = None if present is None else Slow(present)
    return latency.check(Slow(candidate), other, Bars(**bars))  # type: ignore[arg-type]


def test_a_model_as_fast_passes() -> None:
    check = found(0.002, 0.002)
    assert check.passed
    assert check.figures["ratio"] == pytest.approx(1, abs=0.4)


def test_a_slower_model_is_refused_with_both_figures() -> None:
    check = found(0.004, 0.001)
    assert not check.passed
    assert check.figures["candidate_ms"] > 2 * check.figures["present_ms"]
    assert "is above 1.5" in check.sentence


def test_the_ratio_that_is_accepted_can_be_set() -> None:
    assert found(0.004, 0.001, latency_ratio=50).passed


def test_without_a_present_model_only_the_limit_holds() -> None:
    free = found(0.002, None)
    assert free.passed
    assert "no model in place" in free.sentence
    bound = found(0.002, None, latency_limit=1.0)
    assert not bound.passed
    assert "above the limit of 1 ms" in bound.sentence


def test_every_paper_is_measured_alone_after_a_warm_up() -> None:
    models = [Slow(0), Slow(0)]
    medians = latency.medians(models)  # type: ignore[arg-type]
    assert len(medians) == 2
    papers = 12
    assert [one.single for one in models] == [1 + latency.ROUNDS * papers] * 2
