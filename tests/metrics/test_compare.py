"""Two models on the same papers: the paired bootstrap beside one written by hand."""

import json
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk
from arxiv_core import _core
from numpy.typing import NDArray

PAPERS, LABELS = 400, 6
THRESHOLDS = np.full(LABELS, 0.5, np.float32)

Scores = NDArray[np.float32]


def models() -> tuple[Scores, Scores, NDArray[np.uint8]]:
    """Truth, and two models that share most of their errors."""
    rng = np.random.default_rng(5)
    truth = (rng.random((PAPERS, LABELS)) < 0.3).astype(np.uint8)
    shared = 0.5 * truth + rng.random(truth.shape) * 0.6
    a, b = (np.clip(shared + rng.normal(0, s, truth.shape), 0, 1) for s in (0.05, 0.01))
    return a.astype(np.float32), b.astype(np.float32), truth


def compare(a: Scores, b: Scores, truth: NDArray[np.uint8], **options: Any) -> Any:
    return json.loads(
        _core.compare_scores(a, THRESHOLDS, b, THRESHOLDS, truth, json.dumps(options))
    )


def f1(scores: Scores, truth: NDArray[np.uint8], average: str) -> float:
    assigned = scores >= THRESHOLDS
    return float(sk.f1_score(truth, assigned, average=average, zero_division=0))


def test_figures_are_those_of_each_model_alone() -> None:
    a, b, truth = models()
    found = compare(a, b, truth, bootstrap={"samples": 10})
    for average in ("micro", "macro"):
        row = found[f"{average}_f1"]
        assert row["a"] == pytest.approx(f1(a, truth, average))
        assert row["b"] == pytest.approx(f1(b, truth, average))
        assert row["difference"] == pytest.approx(row["b"] - row["a"])
    assert {"precision_at_1", "recall_at_5", "samples", "level"} <= set(found)
    assert (found["samples"], found["papers"], found["macro_labels"]) == (10, PAPERS, LABELS)


def test_the_interval_is_that_of_a_paired_bootstrap_by_hand() -> None:
    a, b, truth = models()
    row = compare(a, b, truth, bootstrap={"samples": 3000, "level": 0.9})["micro_f1"]
    rng = np.random.default_rng(6)
    both = truth.sum(axis=1)
    hits, sizes = zip(
        *((((s >= 0.5) & (truth == 1)).sum(axis=1), (s >= 0.5).sum(axis=1)) for s in (a, b)),
        strict=True,
    )
    draws = rng.integers(0, PAPERS, (3000, PAPERS))
    of = [2 * hits[m][draws].sum(axis=1) / (sizes[m] + both)[draws].sum(axis=1) for m in (0, 1)]
    by_hand = np.quantile(of[1] - of[0], [0.05, 0.95])
    # Each end moves by about a thirtieth of the width from one draw of 3000 resamples to another.
    assert row["interval"] == pytest.approx(by_hand, abs=0.1 * (by_hand[1] - by_hand[0]))
    assert row["above"] == pytest.approx((of[1] > of[0]).mean(), abs=0.02)
    alone = [np.quantile(one, [0.05, 0.95]) for one in of]
    assert row["interval"][1] - row["interval"][0] < min(high - low for low, high in alone)


def test_the_seed_decides() -> None:
    a, b, truth = models()
    one, same, other = (
        compare(a, b, truth, bootstrap={"samples": 50, "seed": seed})["micro_f1"]["interval"]
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_what_does_not_fit_is_a_named_error() -> None:
    a, b, truth = models()
    with pytest.raises(_core.ShapeError, match="truth"):
        compare(a, b[:9].copy(), truth)
    with pytest.raises(_core.OptionError, match=r"option bootstrap\.level = 2"):
        compare(a, b, truth, bootstrap={"level": 2.0})
    with pytest.raises(_core.OptionError, match="unknown field"):
        compare(a, b, truth, bins=3)
    with pytest.raises(_core.InputError, match="not in"):
        compare(a, b + 1, truth)
