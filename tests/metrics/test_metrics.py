"""Parity of every figure with scikit-learn and scipy, ties and empty labels included."""

import json
import warnings
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk
from arxiv_core import _core
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binned_statistic
from sklearn.calibration import calibration_curve

TOLERANCE = 1e-9
F32_LOSS_TOLERANCE = 1e-6

# scikit-learn's argument checks take most of the time of a small case.
parity = settings(deadline=None, max_examples=40)

Case = tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Probabilities of few distinct values (ties), truth with empty rows and columns."""
    papers, labels = draw(st.integers(1, 25)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([2, 5, 1000]))
    probabilities = (rng.integers(0, levels + 1, (papers, labels)) / levels).astype(np.float32)
    density = draw(st.sampled_from([0.0, 0.1, 0.4, 1.0]))
    truth = (rng.random((papers, labels)) < density).astype(np.uint8)
    thresholds = (rng.integers(0, levels + 1, labels) / levels).astype(np.float32)
    return probabilities, truth, thresholds


def evaluate(case: Case, primary: NDArray[np.int32] | None = None, **options: Any) -> Any:
    options = {"min_positives": 1, "bootstrap": {"samples": 0}} | options
    return json.loads(_core.evaluate_scores(*case, primary, json.dumps(options)))


def close(ours: float | None, theirs: float, tolerance: float = TOLERANCE) -> None:
    assert ours == pytest.approx(theirs, abs=tolerance)


@parity
@given(cases(), st.integers(1, 6))
def test_precision_recall_and_f1(case: Case, least: int) -> None:
    probabilities, truth, thresholds = case
    assigned = probabilities >= thresholds
    ours = evaluate(case, min_positives=least)
    single = json.loads(_core.f1_scores(*case))
    names = ["precision", "recall", "f1"]
    if truth.shape[1] == 1:
        # One column is a binary problem to scikit-learn, which then scores both classes.
        theirs = sk.f1_score(truth.ravel(), assigned.ravel(), zero_division=0)
        close(ours["micro_f1"], theirs)
        return
    theirs = {
        average: sk.precision_recall_fscore_support(
            truth, assigned, average=average, zero_division=0
        )[:3]
        for average in ["micro", "weighted", "samples", "macro", None]
    }
    for average in ["micro", "weighted", "samples"]:
        for name, value in zip(names, theirs[average], strict=True):
            close(ours[f"{average}_{name}"], value)
    np.testing.assert_allclose(single["macro_all"], theirs["macro"], atol=TOLERANCE)
    np.testing.assert_allclose(np.transpose(single["labels"]), theirs[None], atol=TOLERANCE)
    held, frequent = truth.any(axis=0), truth.sum(axis=0) >= least
    close(ours["macro_f1_any"], theirs[None][2][held].mean() if held.any() else 0.0)
    assert (ours["macro_labels"], ours["any_labels"]) == (frequent.sum(), held.sum())
    for name, each in zip(names, theirs[None], strict=True):
        close(ours[f"macro_{name}"], each[frequent].mean() if frequent.any() else 0.0)
        for row, value in zip(ours["per_label"], each, strict=True):
            close(row[name], value)
    assert [row["positives"] for row in ours["per_label"]] == truth.sum(axis=0).tolist()
    assert [row["assigned"] for row in ours["per_label"]] == assigned.sum(axis=0).tolist()


@parity
@given(cases())
def test_ranking(case: Case) -> None:
    probabilities, truth, _ = case
    ours = evaluate(case)
    if truth.shape[1] > 1:
        close(ours["lrap"], sk.label_ranking_average_precision_score(truth, probabilities))
    rows = np.arange(len(truth))
    close(ours["precision_at_1"], truth[rows, probabilities.argmax(axis=1)].mean())
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :5]
    held = truth.any(axis=1)
    if held.any():
        found = np.take_along_axis(truth, best, axis=1).sum(axis=1)[held]
        close(ours["recall_at_5"], (found / truth[held].sum(axis=1)).mean())
    else:
        assert ours["recall_at_5"] is None


@parity
@given(cases(), st.integers(0, 2**32 - 1))
def test_primary_accuracy(case: Case, seed: int) -> None:
    probabilities, truth, _ = case
    labels = truth.shape[1]
    primary = np.random.default_rng(seed).integers(-1, labels, len(truth)).astype(np.int32)
    ours = evaluate(case, primary)
    held = primary >= 0
    assert ours["primary_papers"] == held.sum()
    if labels < 3 or not held.any():
        return
    for depth in [1, 3, 5]:
        # scikit-learn ranks ties by index, high first; mirrored columns turn that around.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sk._ranking.UndefinedMetricWarning)
            theirs = sk.top_k_accuracy_score(
                labels - 1 - primary[held],
                probabilities[held, ::-1],
                k=depth,
                labels=np.arange(labels),
            )
        close(ours[f"primary_at_{depth}"], theirs)


@parity
@given(cases(), st.integers(1, 6))
def test_average_precision(case: Case, least: int) -> None:
    probabilities, truth, _ = case
    each, micro = _core.average_precision(probabilities, truth)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No positive class found")
        for label, ours in enumerate(each):
            theirs = sk.average_precision_score(truth[:, label], probabilities[:, label])
            close(ours, theirs if truth[:, label].any() else 0.0)
        theirs = sk.average_precision_score(truth.ravel(), probabilities.ravel())
        close(micro, theirs if truth.any() else 0.0)
    figures = evaluate(case, min_positives=least)
    frequent = truth.sum(axis=0) >= least
    close(figures["map"], each[frequent].mean() if frequent.any() else 0.0)
    held = truth.any(axis=0)
    close(figures["map_any"], each[held].mean() if held.any() else 0.0)
    close(figures["map_micro"], micro)


@parity
@given(cases(), st.integers(1, 20))
def test_reliability(case: Case, bins: int) -> None:
    probabilities, truth, _ = case
    ours = json.loads(_core.reliability_scores(probabilities, truth, bins))
    wide = probabilities.astype(np.float64)
    close(ours["brier"], ((wide - truth) ** 2).mean())
    clipped = wide.clip(np.finfo(np.float32).eps, 1 - np.finfo(np.float32).eps)
    for label in range(truth.shape[1]):
        y, p = truth[:, label], wide[:, label]
        close(ours["brier_labels"][label], sk.brier_score_loss(y, p, pos_label=1))
        loss = sk.log_loss(y, clipped[:, label], labels=[0, 1])
        close(ours["log_loss_labels"][label], loss, F32_LOSS_TOLERANCE)
        close(ours["ece_labels"][label], expected_error(y, p, bins))
    close(ours["ece"], expected_error(truth.ravel(), wide.ravel(), bins))
    figures = evaluate(case, bins=bins)
    for name in ["ece", "brier", "log_loss"]:
        close(figures[name], ours[name])
    close(figures["ece_labels"], np.mean(ours["ece_labels"]))
    for name in ["ece", "brier"]:
        each = [row[name] for row in figures["per_label"]]
        np.testing.assert_allclose(each, ours[f"{name}_labels"], atol=TOLERANCE)


def expected_error(y: NDArray[np.uint8], p: NDArray[np.float64], bins: int) -> float:
    frequency, mean = calibration_curve(y, p, n_bins=bins, pos_label=1)
    at = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], p)
    count = binned_statistic(at, at, "count", bins=np.arange(bins + 1) - 0.5).statistic
    return float((np.abs(frequency - mean) * count[count > 0]).sum() / len(y))


@parity
@given(cases())
def test_expanded_figures_score_both_spellings(case: Case) -> None:
    probabilities, truth, thresholds = case
    columns = [*range(truth.shape[1]), 0]
    raw = (
        probabilities[:, columns].copy(),
        truth[:, columns].copy(),
        thresholds[columns],
    )
    ours = evaluate(case, expanded=columns)["expanded"]
    assert ours == {k: v for k, v in evaluate(raw).items() if k in ours}


def realistic(papers: int, labels: int, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    logits = rng.normal(-4, 2, (papers, labels)).astype(np.float32)
    truth = (rng.random(logits.shape) < expit(logits)).astype(np.uint8)
    return expit(logits), truth, np.full(labels, 0.3, np.float32)


def test_intervals_agree_with_rescoring_resamples() -> None:
    case = realistic(400, 12, 0)
    ours = evaluate(case, bootstrap={"samples": 2000})["intervals"]
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(2000):
        rows = rng.integers(0, 400, 400)
        assigned = case[0][rows] >= case[2]
        draws.append(sk.f1_score(case[1][rows], assigned, average="micro"))
    np.testing.assert_allclose(ours["micro_f1"], np.quantile(draws, [0.025, 0.975]), atol=0.006)


def test_slices_equal_scoring_their_papers_alone() -> None:
    case = realistic(90, 6, 2)
    of = np.arange(90) % 3
    slices = [{"name": "third", "groups": ["a", "b", "c"], "of": of.tolist()}]
    ours = evaluate(case, slices=slices)["slices"]["third"]
    for group, name in enumerate("abc"):
        alone = evaluate((case[0][of == group], case[1][of == group], case[2]))
        assert ours[name] == {key: alone[key] for key in ours[name]}


def test_bool_truth_is_the_same_as_uint8() -> None:
    scores, truth, thresholds = realistic(50, 4, 3)
    assert evaluate((scores, truth.astype(bool), thresholds)) == evaluate(  # type: ignore[arg-type]
        (scores, truth, thresholds)
    )


def test_calibration_lowers_the_error_on_papers_it_has_not_seen() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(-4, 2, (6000, 20)).astype(np.float32)
    truth = (rng.random(logits.shape) < expit(1.7 * logits + 1)).astype(np.uint8)
    scale, bias, report = _core.fit_calibration(logits[:3000], truth[:3000])
    figures = json.loads(report)
    assert figures["after"]["ece"] < figures["before"]["ece"] / 3
    probabilities = _core.calibrate(logits[3000:], scale, bias)
    np.testing.assert_allclose(probabilities, expit(scale * logits[3000:] + bias), atol=1e-6)
    held_out = json.loads(_core.reliability_scores(probabilities, truth[3000:]))
    assert held_out["ece"] == pytest.approx(figures["after"]["ece"], abs=0.01)
    assert held_out["log_loss"] < figures["before"]["log_loss"]


def test_thresholds_beat_one_half_on_papers_they_have_not_seen() -> None:
    probabilities, truth, _ = realistic(6000, 30, 5)
    thresholds, report = _core.fit_thresholds(probabilities[:3000], truth[:3000])
    assert set(json.loads(report)) == {"global", "shrinkage", "labels_own", "tried"}
    held_out = [
        evaluate((probabilities[3000:], truth[3000:], at))["micro_f1"]
        for at in (thresholds, np.full(30, 0.5, np.float32))
    ]
    assert held_out[0] > held_out[1] + 0.05


def test_what_does_not_fit_is_a_named_error() -> None:
    scores, truth, thresholds = realistic(10, 3, 6)
    with pytest.raises(_core.ShapeError, match="truth"):
        _core.average_precision(scores, truth[:, :2].copy())
    with pytest.raises(_core.ShapeError, match="C-contiguous"):
        _core.average_precision(scores[:, ::-1], truth[:, ::-1])
    with pytest.raises(_core.ShapeError, match="thresholds"):
        _core.f1_scores(scores, truth, thresholds[:2])
    with pytest.raises(_core.ShapeError, match="primary"):
        evaluate((scores, truth, thresholds), np.empty(0, np.int32))
    with pytest.raises(_core.ShapeError, match="bias"):
        _core.calibrate(scores, thresholds, thresholds[:2])
    with pytest.raises(_core.OptionError, match="option bins = 1000000"):
        _core.reliability_scores(scores, truth, 1_000_000)
    with pytest.raises(_core.OptionError, match=r"option bootstrap\.level = 1"):
        evaluate((scores, truth, thresholds), bootstrap={"level": 1.0})
    with pytest.raises(_core.OptionError, match="unknown field"):
        evaluate((scores, truth, thresholds), bin=3)
    with pytest.raises(_core.FitError, match="no validation paper"):
        _core.fit_thresholds(scores, np.zeros_like(truth))
    scores[4, 1] = np.nan
    with pytest.raises(_core.InputError, match=r"scores\[4, 1\]: NaN is not finite"):
        evaluate((scores, truth, thresholds))
