"""One arm of `run.py`: the default model's recipe, as the build that runs it reads texts.

Prepares and embeds the corpus, unless that is done, fits a head for each seed, and
writes the probabilities of the test papers and `answer.json`, which `run.py` reads.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from arxiv_core import _core, stages
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
import corpora
from default_model import RECIPE

LENGTHS = (256, 512)
"""Word pieces after which sentence-transformers and the default model cut a text."""
BLOCK = 4096


def word_pieces(papers: Path) -> dict[str, Any]:
    """Mean length of all texts, uncut, and the share of them that a model would cut."""
    tokenizer = Tokenizer.from_file(str(corpora.encoder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = _core.Papers.read(str(papers)).texts()
    counts = [
        len(encoding.ids)
        for start in range(0, len(texts), BLOCK)
        for encoding in tokenizer.encode_batch_fast(texts[start : start + BLOCK])
    ]
    over = {str(length): sum(count > length for count in counts) for length in LENGTHS}
    return {
        "a_paper": sum(counts) / len(counts),
        "papers_over": {length: count / len(counts) for length, count in over.items()},
    }


def main() -> None:
    """Fit and measure this arm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of corpus, models and probabilities")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--from", dest="first", required=True, help="the first month kept")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    options = parser.parse_args()
    corpus = replace(corpora.REPORTED, subset={"from": options.first})
    papers, embeddings = corpora.ready(corpus, options.data, options.out, options.cache)
    fits = []
    for seed in options.seeds:
        model = options.out / f"seed-{seed}" / "model"
        summary = stages.train(
            papers, embeddings, model, {**RECIPE, "holdout": corpus.holdout, "seed": seed}
        )
        scores = model.with_name("scores.safetensors")
        evaluation = stages.evaluate(papers, embeddings, model, "test", {"scores": str(scores)})
        spec = json.loads((model / "classifier.json").read_text(encoding="utf-8"))
        fits.append(
            {
                "scores": str(scores),
                "labels": spec["labels"],
                "thresholds": spec["thresholds"],
                "figures": corpora.headline(evaluation),
                "papers": summary["papers"],
            }
        )
    answer = {
        "template_version": _core.TEMPLATE_VERSION,
        "papers": str(papers),
        "word_pieces": word_pieces(papers),
        "fits": fits,
    }
    (options.out / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
