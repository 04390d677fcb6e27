"""Logistic regression of all labels beside scikit-learn's one-vs-rest, to the same optimum.

    python benches/head/run.py [--size 50000x384x140] [--embeddings FILE --papers FILE]

Without files the embeddings are made up: unit vectors around topics, in a space whose components
shrink as a sentence encoder's do, with label frequencies as arXiv's. With files (embeddings as
`arxiv-core embed` writes them, and their papers table) they are real, the size is an upper bound
and the labels are the most frequent ones. Every fit is a process of its own on the same arrays;
timed is the call of `fit`, data in memory and modules imported. The peer's own tolerance ends
before its optimum, so some labels are fitted again by the peer in f64 at a tolerance ten thousand
times tighter: the difference in probability to those is the error of ours. Peak memory is the
fitting process's, without those that n_jobs starts. Writes
`benches/results/head-*.json`, a file a kind of processor.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import own_file, provenance

PEERS = ("sklearn", "sklearn, n_jobs=2")
CHECKED = 10


def invented(papers: int, hidden: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Anisotropic unit embeddings, and labels from 15 % down to a few papers each."""
    rng = np.random.default_rng(0)
    scale = (1 + np.arange(hidden)) ** -0.5
    topics = rng.normal(size=(labels, hidden)) * scale
    share = (1 + np.arange(labels)) ** -1.1
    chosen = np.argsort(np.log(share) + rng.gumbel(size=(papers, labels)), axis=1)[:, ::-1][:, :3]
    held = rng.random((papers, 3)) < [1.0, 0.5, 0.2]
    truth = np.zeros((papers, labels), np.uint8)
    embeddings = rng.normal(size=(papers, hidden)) * scale + 0.5 * scale
    for at in range(3):
        rows = held[:, at]
        truth[np.flatnonzero(rows), chosen[rows, at]] = 1
        embeddings[rows] += 0.7 * topics[chosen[rows, at]]
    embeddings = embeddings @ np.linalg.qr(rng.normal(size=(hidden, hidden)))[0]
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    truth[rng.integers(0, papers, labels), np.arange(labels)] = 1
    return embeddings.astype(np.float32), truth


def real(embeddings: Path, papers: Path, count: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """The first papers of a table, and their most frequent categories."""
    import pyarrow.parquet as pq
    from safetensors.numpy import load_file

    vectors = load_file(embeddings)["embeddings"][:count]
    categories = pq.read_table(papers, columns=["categories"])["categories"].to_pylist()
    categories = categories[: len(vectors)]
    names, frequency = np.unique([name for one in categories for name in one], return_counts=True)
    place = {name: at for at, name in enumerate(names[np.argsort(-frequency)[:labels]])}
    truth = np.zeros((len(vectors), len(place)), np.uint8)
    for paper, one in enumerate(categories):
        for name in one:
            if name in place:
                truth[paper, place[name]] = 1
    return vectors, truth


def objectives(logits: np.ndarray, truth: np.ndarray, weight: np.ndarray, c: float) -> np.ndarray:
    """scikit-learn's objective of each label in f64."""
    loss = sum(
        (np.logaddexp(0, rows) - np.where(held, rows, 0)).sum(axis=0)
        for rows, held in zip(
            np.array_split(logits, 50), np.array_split(truth != 0, 50), strict=True
        )
    )
    return 0.5 * (weight**2).sum(axis=1) + c * loss


def fit(arm: str, folder: Path, c: float, threads: int) -> dict:
    """One fit in a process of its own: its seconds, memory and coefficients."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    environment = os.environ | {name: str(threads) for name in names}
    if arm == "sklearn, n_jobs=2":
        # Its processes share the cores among them.
        environment |= {name: str(max(1, threads // 2)) for name in names}
    worker = Path(__file__).with_name("worker.py")
    ran = subprocess.run(
        [sys.executable, str(worker), arm, str(folder), str(c)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        check=False,
    )
    if ran.returncode:
        raise SystemExit(f"{arm} failed")
    return json.loads(ran.stdout.splitlines()[-1])


def main() -> None:
    """Run every arm and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="50000x384x140", help="papers x values x labels")
    parser.add_argument("--embeddings", type=Path)
    parser.add_argument("--papers", type=Path)
    parser.add_argument("--c", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=own_file("head"))
    options = parser.parse_args()
    count, hidden, labels = map(int, options.size.split("x"))
    if options.embeddings:
        if not options.papers:
            parser.error("--embeddings needs the table they belong to: --papers FILE")
        vectors, truth = real(options.embeddings, options.papers, count, labels)
    else:
        vectors, truth = invented(count, hidden, labels)
    positives = truth.sum(axis=0)
    checked = np.argsort(positives)[:: max(1, len(positives) // CHECKED)][:CHECKED]
    result = {
        "bench": "head",
        **provenance("torch", "scikit-learn", "numpy"),
        "data": "real" if options.embeddings else "invented",
        "papers": len(vectors),
        "hidden": vectors.shape[1],
        "labels": truth.shape[1],
        "positives": [int(positives.min()), int(np.median(positives)), int(positives.max())],
        "c": options.c,
        "threads": options.threads,
        "arms": {},
    }
    logits: dict[str, np.ndarray] = {}
    weights: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "embeddings.npy", vectors)
        np.save(folder / "truth.npy", truth)
        np.save(folder / "checked.npy", checked)
        wide = vectors.astype(np.float64)
        for arm in ("ours", *PEERS, "checked"):
            figures = fit(arm, folder, options.c, options.threads)
            fitted = np.load(folder / "fitted.npz")
            weights[arm] = fitted["weight"].astype(np.float64)
            logits[arm] = wide @ weights[arm].T + fitted["bias"]
            held = truth[:, checked] if arm == "checked" else truth
            each = objectives(logits[arm], held, weights[arm], options.c)
            result["arms"][arm] = figures | {"objective": float(each.sum())}
            if arm == "checked":
                ours = logits["ours"][:, checked]
                excess = objectives(ours, held, weights["ours"][checked], options.c) / each - 1
                result["excess_objective"] = float(excess.max())
            print(f"{arm:20} {figures['seconds']:8.2f} s  {figures['peak_mb']:6.0f} MB", flush=True)

    def probabilities(logits: np.ndarray) -> np.ndarray:
        return np.exp(-np.logaddexp(0, -logits))

    def difference(arm: str, columns: np.ndarray | slice) -> float:
        gap = probabilities(logits["ours"][:, columns]) - probabilities(logits[arm])
        return float(np.abs(gap).max())

    arms = result["arms"]
    result["labels_checked"] = len(checked)
    result["max_difference_to_optimum"] = difference("checked", checked)
    result["max_difference_to_default"] = difference("sklearn", slice(None))
    result["objective_to_default"] = arms["ours"]["objective"] / arms["sklearn"]["objective"] - 1
    result["ratio_default"] = arms["sklearn"]["seconds"] / arms["ours"]["seconds"]
    result["ratio"] = min(arms[peer]["seconds"] for peer in PEERS) / arms["ours"]["seconds"]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(
        f"{result['ratio']:.1f} times the faster peer, {result['ratio_default']:.1f} times its "
        f"default; probabilities within "
        f"{result['max_difference_to_optimum']:.1e} of the optimum, objective within "
        f"{result['excess_objective']:.1e}"
    )


if __name__ == "__main__":
    main()
