"""The two baselines of every result: scikit-learn on the same papers, tuned as fairly as ours.

    python benches/quality/baselines.py [--data DIR] [--work DIR] [--cache DIR] [--corpus NAME]

- `tfidf`: TF-IDF over words and pairs of words, one-vs-rest logistic SGD.
- `minilm`: one-vs-rest logistic regression on the frozen MiniLM embedding.

Heads, the choice of their regularisation, calibration and figures are those of
`arxiv-core baselines`; heads are fitted once more where the default model's are. Logits are kept
beside the embeddings, so that only what is not there is fitted. Writes into
`benches/results/quality.json`.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import corpora
import numpy as np
from arxiv_core import _core
from arxiv_core.baselines.heads import CHOICE, Logits, best, frozen, tfidf
from arxiv_core.baselines.measure import measure
from arxiv_core.baselines.task import Task
from safetensors.numpy import load_file


def before(path: Path, asked: str) -> tuple[str, Logits, Logits] | None:
    """Give what `best` found earlier for the same question."""
    if not path.exists():
        return None
    with np.load(path) as arrays:
        if str(arrays.get("asked", "")) != asked:
            return None
        return str(arrays["chosen"]), arrays["validation"], arrays["test"]


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
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for corpus in corpora.CORPORA:
        if options.corpus not in (None, corpus.name):
            continue
        papers = corpora.prepared(corpus, options.data, options.work)
        task = Task.read(papers, refit=corpus.refit, min_papers=corpora.MIN_PAPERS)
        for name in ("tfidf", "minilm"):
            if options.baseline not in (None, name):
                continue
            # What the logits depend on: others are not taken for them.
            read = [papers]
            if name == "tfidf":
                learn, candidates = tfidf(task)
            else:
                read.append(corpora.embedded(corpus, papers, options.cache))
                learn, candidates = frozen(load_file(read[-1])["embeddings"])
            checksums = [_core.checksum(str(path)) for path in read]
            asked = json.dumps([checksums, task.labels, [*candidates], corpus.refit, CHOICE])
            kept = papers.with_name(f"{name}.npz")
            if (found := before(kept, asked)) is None:
                found = best(candidates, learn, task, options.jobs)
                names = ("chosen", "validation", "test")
                np.savez(kept, asked=asked, **dict(zip(names, found, strict=True)))
            chosen, validation, test = found
            row = corpora.headline(measure(task, validation, test)) | {
                "chosen": chosen,
                "train_papers": len(task.refit),
                "validation_papers": len(task.validation),
                "labels": len(task.labels),
            }
            print(corpus.name, name, json.dumps({k: row[k] for k in ("micro_f1", "macro_f1")}))
            corpora.record(corpus.name, {name: row})


if __name__ == "__main__":
    main()
