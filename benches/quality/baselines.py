"""The two baselines of every result: scikit-learn on the same papers, tuned as fairly as ours.

    python benches/quality/baselines.py [--data DIR] [--work DIR] [--cache DIR] [--corpus NAME]

- `tfidf`: TF-IDF over words and pairs of words, one-vs-rest logistic SGD.
- `minilm`: one-vs-rest logistic regression on the frozen MiniLM embedding.

Strength of regularisation is chosen by mean average precision on validation papers, with heads
fitted to a quarter of the training papers. Logits are
calibrated and thresholds fitted on the same papers and by the same procedure as the default
model's, and measured by the same code. Logits are kept beside the embeddings, so that only
what is not there is fitted. Writes into `benches/results/quality.json`.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import corpora
import numpy as np
from arxiv_core import _core
from joblib import Parallel, delayed
from numpy.typing import NDArray
from safetensors.numpy import load_file
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import average_precision_score

TFIDF_ALPHAS = (1e-7, 3e-7, 1e-6, 3e-6, 1e-5)
MINILM_CS = (10.0, 100.0)


@dataclass
class Task:
    """Rows, labels and truth of one corpus, the same as the default model's."""

    texts: list[str]
    truth: NDArray[np.uint8]
    primary: NDArray[np.int32]
    labels: list[str]
    fit: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    @classmethod
    def read(cls, papers: Path) -> Task:
        """Read the table; labels are those with enough training papers."""
        table = _core.Papers.read(str(papers))
        # A property makes its list anew whenever it is read.
        splits, papers_categories = np.array(table.splits), table.categories
        rows = {name: np.flatnonzero(splits == name) for name in ("train", "validation", "test")}
        counts: dict[str, int] = {}
        for row in rows["train"]:
            for category in papers_categories[row]:
                counts[category] = counts.get(category, 0) + 1
        labels = sorted(name for name, count in counts.items() if count >= corpora.MIN_PAPERS)
        index = {name: at for at, name in enumerate(labels)}
        truth = np.zeros((len(splits), len(labels)), np.uint8)
        for row, categories in enumerate(papers_categories):
            truth[row, [index[name] for name in categories if name in index]] = 1
        primary = np.array([index.get(name, -1) for name in table.primaries], np.int32)
        return cls(
            table.texts(),
            truth,
            primary,
            labels,
            rows["train"],
            rows["validation"],
            rows["test"],
        )


def one_vs_rest(
    make: Callable[[], Any], features: Any, task: Task, fit: NDArray[np.int64], jobs: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a label at a time to the rows `fit`; logits of validation and test."""
    train, validation, test = (features[rows] for rows in (fit, task.validation, task.test))

    def logits(label: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        truth = task.truth[fit, label]
        if truth.min() == truth.max():
            constant = np.float32(-20.0 if truth.max() == 0 else 20.0)
            return tuple(np.full(part.shape[0], constant) for part in (validation, test))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = make().fit(train, truth)
        return tuple(
            fitted.decision_function(part).astype(np.float32) for part in (validation, test)
        )

    columns = Parallel(jobs, mmap_mode="r")(
        delayed(logits)(label) for label in range(len(task.labels))
    )
    first, second = zip(*columns, strict=True)
    return np.stack(first, 1), np.stack(second, 1)


def best(candidates: dict[str, Callable[[], Any]], features: Any, task: Task, jobs: int) -> Any:
    """Choose on every fourth training paper by validation mAP, then fit to all of them."""
    truth = task.truth[task.validation]
    present = truth.sum(0) >= 10

    def score(validation: NDArray[np.float32]) -> float:
        return average_precision_score(truth[:, present], validation[:, present], average="macro")

    found = {}
    for name, make in candidates.items():
        found[name] = score(one_vs_rest(make, features, task, task.fit[::4], jobs)[0])
        print(name, f"a quarter of train, validation mAP {found[name]:.4f}", flush=True)
    name = max(found, key=found.__getitem__)
    started = time.monotonic()
    validation, test = one_vs_rest(candidates[name], features, task, task.fit, jobs)
    seconds = time.monotonic() - started
    print(
        name, f"all of train, validation mAP {score(validation):.4f}, {seconds:.0f} s", flush=True
    )
    return name, seconds, validation, test


def measure(task: Task, validation: NDArray[Any], test: NDArray[Any]) -> dict[str, Any]:
    """Calibrate, fit thresholds and evaluate as the default model is."""
    truth = np.ascontiguousarray(task.truth[task.validation])
    scale, bias, _ = _core.fit_calibration(np.ascontiguousarray(validation), truth)
    tuned = _core.calibrate(np.ascontiguousarray(validation), scale, bias)
    thresholds, _ = _core.fit_thresholds(tuned, truth)
    answer = _core.evaluate_scores(
        _core.calibrate(np.ascontiguousarray(test), scale, bias),
        np.ascontiguousarray(task.truth[task.test]),
        thresholds,
        np.ascontiguousarray(task.primary[task.test]),
        json.dumps({"labels": task.labels}),
    )
    return corpora.headline(json.loads(answer))


Candidates = dict[str, Callable[[], Any]]


def tfidf(task: Task) -> tuple[Any, Candidates]:
    """Words and pairs of words of the training papers, and heads to try."""
    words = TfidfVectorizer(
        ngram_range=(1, 2), min_df=5, sublinear_tf=True, max_features=300_000, dtype=np.float32
    )
    words.fit([task.texts[row] for row in task.fit])

    def make(alpha: float) -> SGDClassifier:
        return SGDClassifier(loss="log_loss", alpha=alpha, max_iter=15, tol=None, random_state=0)

    return words.transform(task.texts), {
        f"alpha={alpha:g}": partial(make, alpha) for alpha in TFIDF_ALPHAS
    }


def minilm(embeddings: Path) -> tuple[Any, Candidates]:
    """The frozen embedding, and heads to try."""

    def make(c: float) -> LogisticRegression:
        return LogisticRegression(C=c, max_iter=200)

    candidates = {f"C={c:g}": partial(make, c) for c in MINILM_CS}
    return load_file(embeddings)["embeddings"], candidates


def main() -> None:
    """Fit and measure both baselines on both corpora."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=corpora.DATA)
    parser.add_argument("--work", type=Path, default=corpora.WORK)
    parser.add_argument("--cache", type=Path, help="folder of the embedding cache")
    parser.add_argument("--corpus", choices=[corpus.name for corpus in corpora.CORPORA])
    parser.add_argument("--baseline", choices=["tfidf", "minilm"])
    parser.add_argument("--jobs", type=int, default=-1)
    options = parser.parse_args()
    for corpus in corpora.CORPORA:
        if options.corpus not in (None, corpus.name):
            continue
        papers = corpora.prepared(corpus, options.data, options.work)
        task = Task.read(papers)
        for name in ("tfidf", "minilm"):
            if options.baseline not in (None, name):
                continue
            kept = papers.with_name(f"{name}.npz")
            if kept.exists():
                with np.load(kept) as arrays:
                    validation, test = arrays["validation"], arrays["test"]
                    chosen, seconds = str(arrays["chosen"]), float(arrays["seconds"])
            else:
                features, candidates = (
                    tfidf(task)
                    if name == "tfidf"
                    else minilm(corpora.embedded(corpus, papers, options.cache))
                )
                chosen, seconds, validation, test = best(candidates, features, task, options.jobs)
                np.savez(kept, validation=validation, test=test, chosen=chosen, seconds=seconds)
            row = measure(task, validation, test) | {
                "chosen": chosen,
                "train_papers": len(task.fit),
                "validation_papers": len(task.validation),
                "labels": len(task.labels),
                "train_seconds": round(seconds, 1),
            }
            print(corpus.name, name, json.dumps({k: row[k] for k in ("micro_f1", "macro_f1")}))
            corpora.record(corpus.name, {name: row})


if __name__ == "__main__":
    main()
