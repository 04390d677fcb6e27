"""The two baselines of every result: scikit-learn on the same papers, tuned as fairly as ours.

    python benches/quality/baselines.py [--data DIR] [--work DIR] [--cache DIR] [--corpus NAME]

- `tfidf`: TF-IDF over words and pairs of words, one-vs-rest logistic SGD.
- `minilm`: one-vs-rest logistic regression on the frozen MiniLM embedding.

Strength of regularisation is chosen by mean average precision on validation papers: heads fitted to
a quarter of the training papers leave the best and the next weaker, heads fitted to all decide.
Logits are calibrated and thresholds fitted on validation papers by the same procedure as the
default model's, heads fitted once more where its are, and measured by the same code. Logits are
kept beside the embeddings, so that only what is not there is fitted. Writes into
`benches/results/quality.json`.
"""

from __future__ import annotations

import argparse
import json
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

# From the strongest regularisation to the weakest.
TFIDF_ALPHAS = (3e-6, 1e-6, 3e-7, 1e-7)
MINILM_CS = (0.1, 1.0, 10.0, 100.0)
CHOICE = "the best of a quarter and the next weaker, then all"


@dataclass
class Task:
    """Rows, labels and truth of one corpus, the same as the default model's."""

    texts: list[str]
    truth: NDArray[np.uint8]
    primary: NDArray[np.int32]
    labels: list[str]
    fit: NDArray[np.int64]
    validation: NDArray[np.int64]
    refit: NDArray[np.int64]
    """Papers of the head that is tested: those of `fit`, or of `fit` and `validation`."""
    test: NDArray[np.int64]

    @classmethod
    def read(cls, papers: Path, refit: bool) -> Task:
        """Read the table; labels are those with enough papers in the last fit."""
        table = _core.Papers.read(str(papers))
        # A property makes its list anew whenever it is read.
        splits, papers_categories = np.array(table.splits), table.categories
        rows = {name: np.flatnonzero(splits == name) for name in ("train", "validation", "test")}
        last = np.concatenate([rows["train"], rows["validation"]]) if refit else rows["train"]
        counts: dict[str, int] = {}
        for row in last:
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
            last,
            rows["test"],
        )


Logits = NDArray[np.float32]


def one_label(
    make: Callable[[], Any], truth: NDArray[np.uint8], train: Any, validation: Any, test: Any
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
    make: Callable[[], Any], features: Any, task: Task, fit: NDArray[np.int64], jobs: int
) -> tuple[Logits, Logits]:
    """Fit a label at a time to the rows `fit`; logits of validation and test."""
    parts = [features[rows] for rows in (fit, task.validation, task.test)]
    # Large arrays among the arguments are mapped by the workers, not copied for every label.
    columns = Parallel(jobs, mmap_mode="r")(
        delayed(one_label)(make, task.truth[fit, label], *parts)
        for label in range(len(task.labels))
    )
    first, second = zip(*columns, strict=True)
    return np.stack(first, 1), np.stack(second, 1)


Candidates = dict[str, Callable[[], Any]]
Features = Callable[[NDArray[np.int64]], Any]
"""Features of all papers, learned from those of some rows."""


def best(
    candidates: Candidates, learn: Features, task: Task, jobs: int
) -> tuple[str, Logits, Logits]:
    """Choose by validation mAP, then fit once more where `refit` has more papers than `fit`."""
    features = learn(task.fit)
    truth = task.truth[task.validation]
    present = truth.sum(0) >= 10

    def score(validation: NDArray[np.float32]) -> float:
        return average_precision_score(truth[:, present], validation[:, present], average="macro")

    found = {}
    for name, make in candidates.items():
        found[name] = score(one_vs_rest(make, features, task, task.fit[::4], jobs)[0])
        print(name, f"a quarter of train, validation mAP {found[name]:.4f}", flush=True)
    fits = {}
    # More papers want less regularisation, so the best of a quarter need not be the best of all.
    best_of_quarter = [*found].index(max(found, key=found.__getitem__))
    for name in [*found][best_of_quarter : best_of_quarter + 2]:
        validation, test = one_vs_rest(candidates[name], features, task, task.fit, jobs)
        fits[name] = score(validation), validation, test
        print(name, f"all of train, validation mAP {fits[name][0]:.4f}", flush=True)
    name = max(fits, key=lambda one: fits[one][0])
    _, validation, test = fits[name]
    if len(task.refit) > len(task.fit):
        test = one_vs_rest(candidates[name], learn(task.refit), task, task.refit, jobs)[1]
    return name, validation, test


def before(path: Path, asked: str) -> tuple[str, Logits, Logits] | None:
    """Give what `best` found earlier for the same question."""
    if not path.exists():
        return None
    with np.load(path) as arrays:
        if str(arrays.get("asked", "")) != asked:
            return None
        return str(arrays["chosen"]), arrays["validation"], arrays["test"]


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


def tfidf(task: Task) -> tuple[Features, Candidates]:
    """Words and pairs of words of the papers fitted to, and heads to try."""

    def learn(rows: NDArray[np.int64]) -> Any:
        words = TfidfVectorizer(
            ngram_range=(1, 2), min_df=5, sublinear_tf=True, max_features=300_000, dtype=np.float32
        )
        words.fit([task.texts[row] for row in rows])
        return words.transform(task.texts)

    def make(alpha: float) -> SGDClassifier:
        return SGDClassifier(loss="log_loss", alpha=alpha, max_iter=15, tol=None, random_state=0)

    return learn, {f"alpha={alpha:g}": partial(make, alpha) for alpha in TFIDF_ALPHAS}


def minilm(embeddings: Path) -> tuple[Features, Candidates]:
    """The frozen embedding, and heads to try."""

    def make(c: float) -> LogisticRegression:
        return LogisticRegression(C=c, max_iter=200)

    candidates = {f"C={c:g}": partial(make, c) for c in MINILM_CS}
    vectors = load_file(embeddings)["embeddings"]
    return lambda _: vectors, candidates


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
        task = Task.read(papers, corpus.refit)
        for name in ("tfidf", "minilm"):
            if options.baseline not in (None, name):
                continue
            # What the logits depend on: others are not taken for them.
            read = [papers]
            if name == "tfidf":
                learn, candidates = tfidf(task)
            else:
                read.append(corpora.embedded(corpus, papers, options.cache))
                learn, candidates = minilm(read[-1])
            checksums = [_core.checksum(str(path)) for path in read]
            asked = json.dumps([checksums, task.labels, [*candidates], corpus.refit, CHOICE])
            kept = papers.with_name(f"{name}.npz")
            if (found := before(kept, asked)) is None:
                found = best(candidates, learn, task, options.jobs)
                names = ("chosen", "validation", "test")
                np.savez(kept, asked=asked, **dict(zip(names, found, strict=True)))
            chosen, validation, test = found
            row = measure(task, validation, test) | {
                "chosen": chosen,
                "train_papers": len(task.refit),
                "validation_papers": len(task.validation),
                "labels": len(task.labels),
            }
            print(corpus.name, name, json.dumps({k: row[k] for k in ("micro_f1", "macro_f1")}))
            corpora.record(corpus.name, {name: row})


if __name__ == "__main__":
    main()
