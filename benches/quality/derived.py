"""The wheel's default model through its public door: its figures, and what follows from them.

    python benches/quality/derived.py [--data DIR] [--work DIR]

Scores the papers of 2025-11 and 2025-12 with `Classifier.load()`, in f32 as users do, evaluates
them, and compares the rules for archives' probabilities and for shares of the primary that
`src/infer/prediction.rs` chooses between, by log loss and calibration error. The model has seen
none of these papers. The rule for shares was chosen on others: the validation papers of 2016-01 to
2016-03, scored by the recipe's fit before them, whose calibration has seen them.
Writes `benches/results/derived.json`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import arxiv_core
import corpora
import numpy as np
from arxiv_core import _core, stages
from arxiv_core.classifier import DEFAULT
from corpora import provenance
from numpy.typing import NDArray

OUT = corpora.RESULTS.with_name("derived.json")
POWERS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
Scores = NDArray[np.float64]


def odds(probabilities: Scores) -> Scores:
    """What a probability has against its complement."""
    return probabilities / np.maximum(1 - probabilities, 1e-9)


WEIGHTS: dict[str, Callable[[Scores], Scores]] = {"probability": lambda p: p, "odds": odds}
"""What shares of the primary are in proportion to, up to a power."""


def independent(members: Scores) -> Scores:
    """As if categories of an archive had nothing to do with each other."""
    return 1 - np.prod(1 - members, 1)


def exclusive(members: Scores) -> Scores:
    """As if a paper had at most one category of an archive."""
    return np.minimum(members.sum(1), 1)


RULES: dict[str, Callable[[Scores], Scores]] = {
    "largest": lambda members: members.max(1),
    "independent": independent,
    "exclusive": exclusive,
    "midway": lambda members: (independent(members) + exclusive(members)) / 2,
}


def figures(probabilities: Scores, truth: NDArray[np.bool_]) -> dict[str, float]:
    """Pooled over all pairs."""
    found = json.loads(_core.reliability_scores(probabilities.astype(np.float32), truth))
    return {name: found[name] for name in ("ece", "log_loss")}


def archives(
    scores: Scores, labels: list[str], categories: list[list[str]]
) -> dict[str, dict[str, float]]:
    """Each rule's figures over the archives that have more than one label."""
    archive = {entry["category"]: entry["archive"] for entry in stages.taxonomy()}
    members: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        members.setdefault(archive[label], []).append(at)
    several = {name: found for name, found in members.items() if len(found) > 1}
    own = [{archive[category] for category in row} for row in categories]
    truth = np.array([[name in row for name in several] for row in own])
    return {
        rule: figures(np.stack([of(scores[:, at]) for at in several.values()], 1), truth)
        for rule, of in RULES.items()
    }


def primaries(
    scores: Scores, labels: list[str], primary: list[str | None]
) -> dict[str, dict[str, dict[str, float]]]:
    """Figures of shares in proportion to a power of the probabilities, or of their odds."""
    index = {label: at for at, label in enumerate(labels)}
    rows = [row for row, name in enumerate(primary) if name in index]
    truth = np.array([index[primary[row] or ""] for row in rows])
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in WEIGHTS}
    for (name, weight), power in product(WEIGHTS.items(), POWERS):
        shares = weight(scores[rows]) ** power
        shares /= shares.sum(1, keepdims=True)
        largest, right = shares.max(1, keepdims=True), shares.argmax(1) == truth
        found[name][f"{power:g}"] = {
            "ece_of_the_largest": figures(largest, right[:, None])["ece"],
            "log_loss": float(-np.log(shares[np.arange(len(rows)), truth]).mean()),
        }
    return found


def evaluation(
    scores: Scores, classifier: arxiv_core.Classifier, table: _core.Papers
) -> dict[str, float]:
    """Headline figures under the model's own thresholds."""
    index = {label: at for at, label in enumerate(classifier.labels)}
    truth = np.zeros(scores.shape, np.uint8)
    for row, categories in enumerate(table.categories):
        truth[row, [index[name] for name in categories if name in index]] = 1
    primary = np.array([index.get(name or "", -1) for name in table.primaries], np.int32)
    answer = _core.evaluate_scores(
        scores.astype(np.float32),
        truth,
        classifier.thresholds,
        primary,
        json.dumps({"labels": classifier.labels}),
    )
    found = json.loads(answer)
    return {name: found[name] for name in corpora.FIGURES}


def scored(
    classifier: arxiv_core.Classifier,
    corpus: corpora.Corpus,
    split: str,
    options: argparse.Namespace,
) -> tuple[Scores, _core.Papers]:
    """Probabilities of one split's papers, and the papers."""
    papers = corpora.prepared(corpus, options.data, options.work)
    table = _core.Papers.read(str(papers), split)
    texts = [
        {"title": title, "abstract": abstract}
        for title, abstract in zip(table.titles, table.abstracts, strict=True)
    ]
    probabilities, _ = classifier.scores(texts, progress=corpora.progress(f"{corpus.name}: score"))
    return probabilities.astype(np.float64), table


def scoring_files() -> dict[str, str]:
    """SHA-256 of each of the model's files that a score depends on, as its manifest has it."""
    manifest = json.loads((DEFAULT / "manifest.json").read_text(encoding="utf-8"))
    words = ("README.md", "metrics.json")
    return {name: sha for name, sha in manifest["files"].items() if name not in words}


def main() -> None:
    """Score the papers and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=corpora.DATA)
    parser.add_argument("--work", type=Path, default=corpora.WORK)
    options = parser.parse_args()
    classifier = arxiv_core.Classifier.load()
    shipped, table = scored(classifier, corpora.TODAY, "test", options)
    earlier = arxiv_core.Classifier.load(options.work / corpora.REPORTED.place / "model")
    chosen_on, before = scored(earlier, corpora.REPORTED, "validation", options)
    result: dict[str, Any] = {
        "bench": "derived",
        **provenance("torch", "numpy"),
        "model": scoring_files(),
        "papers": len(shipped),
        "dtype": "f32",
        "evaluation": evaluation(shipped, classifier, table),
        "archives": archives(shipped, classifier.labels, table.categories),
        "primary_shares": {
            "chosen_on": primaries(chosen_on, earlier.labels, before.primaries),
            "later": primaries(shipped, classifier.labels, table.primaries),
        },
    }
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(OUT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
