"""Embeddings as sentence-transformers computes them, in a process of its own.

    python reference.py REQUEST.json OUT.npz

The request is a list of `{model, max_length, texts}`; array `i` of the output answers request `i`.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer


def main() -> None:
    request, out = map(Path, sys.argv[1:])
    answers = []
    for job in json.loads(request.read_text(encoding="utf-8")):
        model = SentenceTransformer(job["model"], device="cpu")
        if job["max_length"] is not None:
            model.max_seq_length = job["max_length"]
        answers.append(model.encode(job["texts"], show_progress_bar=False))
    np.savez(out, *answers)


if __name__ == "__main__":
    main()
