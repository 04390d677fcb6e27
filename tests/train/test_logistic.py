"""Parity of the logistic regression with scikit-learn's, and its manners at the border."""

import json
import time
from typing import Any

import numpy as np
import pytest
from arxiv_core import _core
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float32]
Truth = NDArray[np.uint8]


def papers(count: int, hidden: int, width: int, seed: int = 0) -> tuple[Floats, Truth]:
    """Unit embeddings whose components shrink as a sentence encoder's do, and rare labels."""
    rng = np.random.default_rng(seed)
    scale = (1 + np.arange(hidden)) ** -0.7
    topics = rng.normal(size=(width, hidden)) * scale
    of = rng.integers(0, width, count)
    embeddings = 0.6 * topics[of] + rng.normal(size=(count, hidden)) * scale + 0.3 * scale
    embeddings = embeddings @ np.linalg.qr(rng.normal(size=(hidden, hidden)))[0]
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    logits = rng.normal(size=(hidden, width)) * 3
    truth = expit(embeddings @ logits - rng.uniform(1, 4, width)) > rng.random((count, width))
    return embeddings.astype(np.float32), truth.astype(np.uint8)


def fit(embeddings: Floats, truth: Truth, **options: Any) -> tuple[Floats, Floats, Any]:
    weight, bias, report = _core.fit_logistic(embeddings, truth, json.dumps(options))
    return weight, bias, json.loads(report)


def objective(
    embeddings: NDArray[Any], y: Truth, weight: NDArray[Any], bias: float, c: float
) -> float:
    logits = embeddings.astype(np.float64) @ weight.astype(np.float64) + bias
    return float(0.5 * weight @ weight + c * (np.logaddexp(0, logits) - y * logits).sum())


@pytest.mark.parametrize(
    ("count", "hidden", "width", "c"),
    [
        (4000, 64, 8, 1.0),
        (4000, 64, 4, 30.0),
        (17000, 32, 4, 1.0),
        (60, 5, 3, 0.1),
        (9, 20, 2, 1.0),
    ],
)
def test_reaches_the_optimum_of_scikit_learn(count: int, hidden: int, width: int, c: float) -> None:
    embeddings, truth = papers(count, hidden, width)
    weight, bias, report = fit(embeddings, truth, c=c)
    assert report["unconverged"] == []
    wide = embeddings.astype(np.float64)
    for label in range(width):
        y = truth[:, label]
        if y.min() == y.max():
            assert label in report["constant"]
            continue
        theirs = LogisticRegression(C=c, tol=1e-8, max_iter=2000).fit(wide, y)
        ours = objective(wide, y, weight[label], bias[label], c)
        best = objective(wide, y, theirs.coef_[0], theirs.intercept_[0], c)
        assert ours <= best * 1.001
        assert report["objectives"][label] == pytest.approx(ours, rel=1e-4)
        difference = expit(wide @ weight[label] + bias[label]) - theirs.predict_proba(wide)[:, 1]
        assert np.abs(difference).max() < 1e-3


def test_labels_do_not_depend_on_their_neighbours() -> None:
    embeddings, truth = papers(2000, 32, 6)
    together, _, _ = fit(embeddings, truth)
    alone, _, _ = fit(embeddings, truth[:, 2:3].copy())
    np.testing.assert_allclose(
        expit(embeddings @ together[2]), expit(embeddings @ alone[0]), atol=1e-4
    )


def test_layout_and_truth_type_do_not_matter() -> None:
    embeddings, truth = papers(500, 16, 3)
    plain = fit(embeddings, truth)
    for other in [
        fit(np.asfortranarray(embeddings), truth),
        fit(embeddings, truth.astype(bool)),  # type: ignore[arg-type]
    ]:
        np.testing.assert_array_equal(plain[0], other[0])
        np.testing.assert_array_equal(plain[1], other[1])


def test_progress_counts_labels_up_to_all() -> None:
    embeddings, truth = papers(3000, 64, 20)
    seen: list[dict[str, Any]] = []
    _core.fit_logistic(embeddings, truth, "{}", seen.append)
    assert seen
    assert {(event["stage"], event["unit"], event["total"]) for event in seen} == {
        ("fit", "labels", 20)
    }
    done = [event["done"] for event in seen]
    assert done == sorted(done)
    assert done[-1] == 20


def test_an_exception_from_progress_stops_the_fit() -> None:
    embeddings, truth = papers(30000, 64, 20)
    long = '{"tolerance": 1e-12, "c": 1000}'

    def stop(event: dict[str, Any]) -> None:
        raise RuntimeError(event["stage"])

    # What is computed holds on a busy machine too.
    began = time.process_time()
    _core.fit_logistic(embeddings, truth, long)
    whole = time.process_time() - began
    began = time.process_time()
    with pytest.raises(RuntimeError, match="fit"):
        _core.fit_logistic(embeddings, truth, long, stop)
    assert time.process_time() - began < whole / 2


def test_what_cannot_be_fitted_is_a_named_error() -> None:
    embeddings, truth = papers(20, 4, 2)
    with pytest.raises(_core.ShapeError, match=r"labels: expected shape \[20\], got \[19\]"):
        fit(embeddings, truth[:19].copy())
    with pytest.raises(_core.OptionError, match="tolerance"):
        fit(embeddings, truth, tolerance=0)
    with pytest.raises(_core.OptionError, match="unknown field `C`"):
        fit(embeddings, truth, C=1)
    with pytest.raises(_core.FitError, match="0 labels"):
        fit(embeddings, truth[:, :0].copy())
    embeddings[3, 1] = np.nan
    with pytest.raises(_core.InputError, match=r"embeddings\[3\]"):
        fit(embeddings, truth)
