"""One arm of the bench in a process of its own: loads, warms up, encodes, prints JSON.

    python worker.py ARM TEXTS.json MAX_LENGTH

ARM is `peer` (sentence-transformers, its f32 default), `f32` or `bf16` (this library).
With `--first` it encodes one text and stops: the time from process start to the first vector.
There ARM may be `classifier`: the default model of this library, which has its own maximum length.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from memory import peak_mb

Answer = Callable[[list[str]], Any]


def load(arm: str, model: str, max_length: int) -> Answer:
    """The arm's function from texts to embeddings, or to predictions."""
    if arm == "peer":
        from sentence_transformers import SentenceTransformer

        peer = SentenceTransformer(model, device="cpu")
        peer.max_seq_length = max_length
        return lambda texts: peer.encode(texts, show_progress_bar=False)
    if arm == "classifier":
        from arxiv_core import Classifier

        classify = Classifier.load(device="cpu").classify
        return lambda texts: classify([{"title": "", "abstract": text} for text in texts])
    from arxiv_core import Encoder

    encoder = Encoder.load(model, device="cpu", dtype=arm, max_length=max_length)
    return encoder.encode


def main() -> None:
    """Run the arm and print what it took."""
    arm, path, max_length = sys.argv[1:4]
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    encode = load(arm, job["model"], int(max_length))
    result: dict[str, float | list[float]] = {}
    if "--first" in sys.argv:
        encode(job["texts"][:1])
    else:
        encode(job["texts"][: job["warm"]])
        started = time.perf_counter()
        embeddings = encode(job["texts"])
        result["seconds"] = time.perf_counter() - started
        # What tells a fast wrong answer from a right one.
        result["first"] = embeddings[0].tolist()
    result["peak_mb"] = peak_mb()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
