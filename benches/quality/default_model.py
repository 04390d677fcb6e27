"""Remakes the wheel's default model, and measures it: one recipe, two fits.

    python benches/quality/default_model.py [--ship today] [--data DIR] [--work DIR] [--cache DIR]

The fit on the corpus named by `--ship` ships: `today` by default, after a fit on `reported`, which
is there to be compared with others; with `--ship reported` that one alone is made. Fits
go into `benches/results/quality.json` and, beside the baselines found there
(`benches/quality/baselines.py`), onto the model card. Embedding both corpora takes most of
the time; `--cache` keeps it over runs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import corpora
from arxiv_core import _core, classifier, stages
from card import card

TARGET = corpora.ROOT / "python" / "arxiv_core" / "default_model"
LIMIT = 10_000_000
"""Bytes that the default model may take, everything counted."""

RECIPE: dict[str, Any] = {
    "head": "hybrid",
    "min_papers": corpora.MIN_PAPERS,
    "mlp": {"word_dropout": 0.4, "smoothing": 0.02},
    "seed": 0,
}
"""Chosen on validation papers; what is not named here is the stage's default."""

LINEAR_CS = (1.0, 10.0, 100.0)
"""Strengths of the logistic regression that the recipe is compared with."""


def fit(corpus: corpora.Corpus, papers: Path, embeddings: Path, work: Path) -> dict[str, Any]:
    """Fit and measure the recipe on one corpus."""
    model = work / corpus.place / "model"
    started = time.monotonic()
    summary = stages.train(
        papers,
        embeddings,
        model,
        {**RECIPE, "holdout": corpus.holdout, "refit": corpus.refit},
        corpora.progress(f"{corpus.name}: train"),
    )
    seconds = time.monotonic() - started
    evaluation = stages.evaluate(papers, embeddings, model, "test")
    row = corpora.headline(evaluation) | {
        "train_papers": summary["papers"]["refit"] or summary["papers"]["fit"],
        "validation_papers": summary["papers"]["validation"],
        "labels": len(summary["labels"]),
        "train_seconds": round(seconds, 1),
        "bytes": summary["bytes"],
    }
    print(corpus.name, json.dumps({k: row[k] for k in row if k not in ("intervals", "expanded")}))
    corpora.record(corpus.name, {"arxiv-core": row})
    return {"evaluation": evaluation, "summary": summary, "model": model}


def reference(corpus: corpora.Corpus, papers: Path, embeddings: Path, work: Path) -> None:
    """Measure this library's logistic regression on the embedding alone."""
    model = work / corpus.place / "linear"

    def train(c: float, refit: bool) -> None:
        options = {"head": "logistic", "logistic": {"c": c}, "refit": refit}
        stages.train(
            papers,
            embeddings,
            model,
            {**RECIPE, "holdout": corpus.holdout, **options},
            corpora.progress(f"{corpus.name}: linear, C={c:g}"),
        )

    found = {}
    for c in LINEAR_CS:
        train(c, refit=False)
        found[c] = stages.evaluate(papers, embeddings, model, "validation")["map"]
    c = max(found, key=found.__getitem__)
    train(c, corpus.refit)
    evaluation = stages.evaluate(papers, embeddings, model, "test")
    corpora.record(corpus.name, {"linear": corpora.headline(evaluation) | {"chosen": f"C={c:g}"}})


def main() -> None:
    """Fit both, write the shipped one with its card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=corpora.DATA)
    parser.add_argument("--work", type=Path, default=corpora.WORK)
    parser.add_argument("--cache", type=Path, help="folder of the embedding cache")
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--ship", choices=("reported", "today"), default="today")
    options = parser.parse_args()
    fits = {}
    for corpus in corpora.CORPORA if options.ship == "today" else (corpora.REPORTED,):
        papers, embeddings = corpora.ready(corpus, options.data, options.work, options.cache)
        reference(corpus, papers, embeddings, options.work)
        fits[corpus.name] = fit(corpus, papers, embeddings, options.work)
    result = json.loads(corpora.RESULTS.read_text(encoding="utf-8"))
    shipped = fits[options.ship]
    spec = json.loads((shipped["model"] / "classifier.json").read_text(encoding="utf-8"))
    metrics = {name: made["evaluation"] for name, made in fits.items()}
    summaries = {name: made["summary"] for name, made in fits.items()}
    canonical = {
        entry["category"]
        for entry in stages.taxonomy()
        if entry["active"] and _core.canonical(entry["category"]) == entry["category"]
    }
    classifier.package(
        shipped["model"],
        options.out,
        texts={
            "README.md": card(spec, result, summaries, metrics, options.ship, canonical),
            "metrics.json": json.dumps(metrics, ensure_ascii=False) + "\n",
        },
    )
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    print(f"{options.out}: {size} bytes")
    if size > LIMIT:
        raise SystemExit(f"{size} bytes are more than the {LIMIT} that the default model may take")


if __name__ == "__main__":
    main()
