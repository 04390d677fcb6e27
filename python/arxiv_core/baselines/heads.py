"""One-vs-rest heads of scikit-learn, their regularisation chosen as fairly as ours.

Strength of regularisation is chosen by mean average precision on validation papers: heads fitted
to a quarter of the training papers leave the best and the next weaker, heads fitted to all decide.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import average_precision_score

if TYPE_CHECKING:
    from arxiv_core.baselines.task import Task

__all__ = ["CHOICE", "Candidates", "Features", "Logits", "best", "frozen", "tfidf"]

# From the strongest regularisation to the weakest.
TFIDF_ALPHAS = (3e-6, 1e-6, 3e-7, 1e-7)
FROZEN_CS = (0.1, 1.0, 10.0, 100.0)
CHOICE = "the best of a quarter and the next weaker, then all"

ENOUGH = 10
"""Validation papers that a label needs to have a say in the choice."""

FEW = 100
"""Papers below which an n-gram of one paper counts too."""

Logits = NDArray[np.float32]
Candidates = dict[str, Callable[[], Any]]
"""Strength of regularisation → what makes a head of it, from the strongest to the weakest."""
# Features are a dense array or a sparse matrix of [papers, features].
Features = Callable[[NDArray[np.int64]], Any]
"""Features of all papers, learned from those of some rows."""
OnHeads = Callable[[int, int], None]
"""Called with the heads that are fitted, and how many there will be at most."""

_log = logging.getLogger(__name__)


def one_label(
    make: Callable[[], Any],
    truth: NDArray[np.uint8],
    train: Any,  # noqa: ANN401 - dense or sparse
    validation: Any,  # noqa: ANN401
    test: Any,  # noqa: ANN401
) -> tuple[Logits, Logits]:
    """Fit one label's head; logits of validation and test."""
    if truth.min() == truth.max():
        constant = np.float32(-20.0 if truth.max() == 0 else 20.0)
        one, other = (np.full(part.shape[0], constant) for part in (validation, test))
        return one, other
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = make().fit(train, truth)
    one, other = (fitted.decision_function(part).astype(np.float32) for part in (validation, test))
    return one, other


def one_vs_rest(
    make: Callable[[], Any],
    features: Any,  # noqa: ANN401
    task: Task,
    fit: NDArray[np.int64],
    jobs: int,
    fitted: Callable[[], None],
) -> tuple[Logits, Logits]:
    """Fit a label at a time to the rows `fit`; logits of validation and test."""
    parts = [features[rows] for rows in (fit, task.validation, task.test)]
    columns = []
    # Large arrays among the arguments are mapped by the workers, not copied for every label.
    for column in Parallel(jobs, mmap_mode="r", return_as="generator")(
        delayed(one_label)(make, task.truth[fit, label], *parts)
        for label in range(len(task.labels))
    ):
        columns.append(column)
        fitted()
    first, second = zip(*columns, strict=True)
    return np.stack(first, 1), np.stack(second, 1)


def best(
    candidates: Candidates,
    learn: Features,
    task: Task,
    jobs: int,
    on_heads: OnHeads | None = None,
) -> tuple[str, Logits, Logits]:
    """Choose by validation mAP, then fit once more where `refit` has more papers than `fit`.

    Parameters
    ----------
    candidates, learn
        As `tfidf` or `frozen` gives them.
    task
        Papers and labels.
    jobs
        Labels fitted at once, each in a process of its own; -1 for one a core.
    on_heads
        Receives progress.

    Returns
    -------
    tuple
        Name of the candidate; logits of the validation papers by the heads fitted to `fit`; logits
        of the test papers by those fitted to `refit`. Shape [papers, labels].
    """
    again = len(task.refit) > len(task.fit)
    done, most = 0, (len(candidates) + 2 + again) * len(task.labels)

    def fitted() -> None:
        nonlocal done
        done += 1
        if on_heads is not None:
            on_heads(done, most)

    features = learn(task.fit)
    truth = task.truth[task.validation]
    present = truth.sum(0) >= ENOUGH
    if not present.any():
        present = truth.any(0)

    def score(validation: Logits) -> float:
        if not present.any():
            return 0.0
        return float(
            average_precision_score(truth[:, present], validation[:, present], average="macro")
        )

    found = {}
    for name, make in candidates.items():
        quarter = one_vs_rest(make, features, task, task.fit[::4], jobs, fitted)[0]
        found[name] = score(quarter)
        _log.info("%s: a quarter of train, validation mAP %.4f", name, found[name])
    fits = {}
    # More papers want less regularisation, so the best of a quarter need not be the best of all.
    best_of_quarter = [*found].index(max(found, key=found.__getitem__))
    for name in [*found][best_of_quarter : best_of_quarter + 2]:
        validation, test = one_vs_rest(candidates[name], features, task, task.fit, jobs, fitted)
        fits[name] = score(validation), validation, test
        _log.info("%s: all of train, validation mAP %.4f", name, fits[name][0])
    name = max(fits, key=lambda one: fits[one][0])
    _, validation, test = fits[name]
    if again:
        learned = learn(task.refit)
        test = one_vs_rest(candidates[name], learned, task, task.refit, jobs, fitted)[1]
    return name, validation, test


def tfidf(task: Task, seed: int = 0) -> tuple[Features, Candidates]:
    """Words and pairs of words of the papers fitted to, and heads to try."""

    def learn(rows: NDArray[np.int64]) -> Any:  # noqa: ANN401
        words = TfidfVectorizer(
            ngram_range=(1, 2),
            min_df=5 if len(rows) >= FEW else 1,
            sublinear_tf=True,
            max_features=300_000,
            dtype=np.float32,
        )
        words.fit([task.texts[row] for row in rows])
        return words.transform(task.texts)

    def make(alpha: float) -> SGDClassifier:
        return SGDClassifier(loss="log_loss", alpha=alpha, max_iter=15, tol=None, random_state=seed)

    return learn, {f"alpha={alpha:g}": partial(make, alpha) for alpha in TFIDF_ALPHAS}


def frozen(vectors: NDArray[np.float32]) -> tuple[Features, Candidates]:
    """Frozen embeddings [papers, hidden], and heads to try."""

    def make(c: float) -> LogisticRegression:
        return LogisticRegression(C=c, max_iter=200)

    return lambda _: vectors, {f"C={c:g}": partial(make, c) for c in FROZEN_CS}
