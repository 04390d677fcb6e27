"""One fit of the bench in a process of its own; prints its seconds and peak memory as JSON.

    python worker.py ARM FOLDER C

ARM is `ours`, `sklearn`, `sklearn, n_jobs=2`, or `checked`: the peer at a tight tolerance on the
labels of `checked.npy`. Weights and biases go to FOLDER/fitted.npz.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from memory import peak_mb


def ours(embeddings: np.ndarray, truth: np.ndarray, c: float) -> tuple:
    """Every label at once."""
    from arxiv_core import _core

    _core.fit_logistic(embeddings[:256], truth[:256, :2].copy(), json.dumps({"c": c}))
    started = time.perf_counter()
    weight, bias, report = _core.fit_logistic(embeddings, truth, json.dumps({"c": c}))
    seconds = time.perf_counter() - started
    figures = json.loads(report)
    extra = {name: figures[name] for name in ("passes", "mean_passes")}
    return seconds, weight, bias, extra | {"unconverged": len(figures["unconverged"])}


def peer(embeddings: np.ndarray, truth: np.ndarray, c: float, jobs: int | None) -> tuple:
    """One label after the other, or in two processes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    model = OneVsRestClassifier(LogisticRegression(C=c, max_iter=1000), n_jobs=jobs)
    model.fit(embeddings[:256], truth[:256, :2])
    started = time.perf_counter()
    model.fit(embeddings, truth)
    seconds = time.perf_counter() - started
    weight = np.vstack([one.coef_[0] for one in model.estimators_])
    bias = np.array([one.intercept_[0] for one in model.estimators_])
    return (
        seconds,
        weight,
        bias,
        {"iterations": int(sum(one.n_iter_[0] for one in model.estimators_))},
    )


def checked(embeddings: np.ndarray, truth: np.ndarray, c: float) -> tuple:
    """The peer in f64 to a gradient ten thousand times smaller than its default."""
    from sklearn.linear_model import LogisticRegression

    wide = embeddings.astype(np.float64)
    started = time.perf_counter()
    models = [LogisticRegression(C=c, tol=1e-8, max_iter=5000).fit(wide, y) for y in truth.T]
    seconds = time.perf_counter() - started
    weight = np.vstack([one.coef_[0] for one in models])
    return seconds, weight, np.array([one.intercept_[0] for one in models]), {}


def main() -> None:
    """Fit and print."""
    arm, folder, c = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    embeddings, truth = np.load(folder / "embeddings.npy"), np.load(folder / "truth.npy")
    if arm == "ours":
        seconds, weight, bias, extra = ours(embeddings, truth, c)
    elif arm == "checked":
        labels = np.load(folder / "checked.npy")
        seconds, weight, bias, extra = checked(embeddings, truth[:, labels], c)
    else:
        jobs = 2 if arm.endswith("n_jobs=2") else None
        seconds, weight, bias, extra = peer(embeddings, truth, c, jobs)
    np.savez(folder / "fitted.npz", weight=weight, bias=bias)
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb()} | extra))


if __name__ == "__main__":
    main()
