"""This encoder beside sentence-transformers on real abstracts: same model, texts and threads.

    python benches/encode/run.py [--papers 300] [--repeats 3] [--threads N] [--data FILE]

Every run is a process of its own; arms take turns, so that a machine that slows down slows all
of them, and the median of the repeats counts. 256 tokens is sentence-transformers' own limit for
this model, 512 the default classifier's. Writes `benches/results/encode-*.json`, a file a kind of
processor; bf16 is measured where it has instructions for it.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zstandard
from arxiv_core import Encoder, _core, models

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import ROOT, multiplies_bf16, own_file, provenance

DATA = ROOT.parent / "shared" / "data" / "arxiv-2009-2016.jsonl.zst"
ARMS = ("peer", "f32", *(["bf16"] if multiplies_bf16() else []))
LENGTHS = (256, 512)


def read(path: Path, count: int) -> list[str]:
    """Texts of every n-th paper of the file, `count` of them."""
    with path.open("rb") as raw:
        stream = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(raw)
        lines = list(io.TextIOWrapper(stream, encoding="utf-8"))
    papers = [json.loads(lines[index * len(lines) // count]) for index in range(count)]
    return [_core.template(paper["title"], paper["abstract"]) for paper in papers]


def run(arm: str, job: Path, length: int, threads: int, *flags: str) -> dict:
    """One process; its answer and how long it lived."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
    environment = os.environ | {name: str(threads) for name in names} | {"HF_HUB_OFFLINE": "1"}
    worker = Path(__file__).with_name("worker.py")
    command = [sys.executable, str(worker), arm, str(job), str(length), *flags]
    started = time.perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return json.loads(ran.stdout) | {"process_seconds": time.perf_counter() - started}


def compare(job: Path, length: int, tokens: int, papers: int, options: argparse.Namespace) -> dict:
    """Medians of every arm at one maximum length, and their ratios to the peer."""
    runs: dict[str, list[dict]] = {arm: [] for arm in ARMS}
    for _ in range(options.repeats):
        for arm in ARMS:
            runs[arm].append(run(arm, job, length, options.threads))
    figures = {}
    seconds = {arm: statistics.median(one["seconds"] for one in runs[arm]) for arm in ARMS}
    expected = np.array(runs["peer"][0]["first"])
    for arm in ARMS:
        first = np.array(runs[arm][0]["first"])
        figures[arm] = {
            "seconds": seconds[arm],
            "papers_per_second": papers / seconds[arm],
            "tokens_per_second": tokens / seconds[arm],
            "times_peer": seconds["peer"] / seconds[arm],
            "peak_mb": statistics.median(one["peak_mb"] for one in runs[arm]),
            "cosine_to_peer": float(first @ expected),
            "all_seconds": [one["seconds"] for one in runs[arm]],
        }
    return {"tokens": tokens, "tokens_per_paper": tokens / papers, **figures}


def start(job: Path, options: argparse.Namespace) -> dict:
    """Process start to first embedding or prediction, files already in the page cache."""
    arms = ("peer", "f32", "classifier")
    runs: dict[str, list[dict]] = {arm: [] for arm in arms}
    # What the first round reads from the disk the others find in memory.
    for _ in range(options.repeats + 1):
        for arm in arms:
            runs[arm].append(run(arm, job, 256, options.threads, "--first"))
    figures = {}
    for arm in arms:
        figures[arm] = {
            "seconds": statistics.median(one["process_seconds"] for one in runs[arm][1:]),
            "peak_mb": statistics.median(one["peak_mb"] for one in runs[arm][1:]),
        }
    return figures


def main() -> None:
    """Run every arm and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--papers", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=own_file("encode"))
    options = parser.parse_args()
    if not options.data.exists():
        raise SystemExit(f"{options.data} is not there; give a snapshot with --data")

    model = str(models.resolve("minilm"))
    texts = read(options.data, options.papers)
    packages = ("torch", "sentence-transformers", "transformers", "tokenizers", "numpy")
    result = {
        "bench": "encode",
        **provenance(*packages),
        "papers": options.papers,
        "threads": options.threads,
        "repeats": options.repeats,
    }
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        content = {"model": model, "texts": texts, "warm": min(64, options.papers)}
        job.write_text(json.dumps(content), encoding="utf-8")
        for length in LENGTHS:
            encoder = Encoder.load(model, device="cpu", max_length=length)
            tokens = sum(map(len, encoder.token_ids(texts)))
            del encoder
            result[f"at_{length}"] = compare(job, length, tokens, options.papers, options)
        result["start_to_first_answer"] = start(job, options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for length in LENGTHS:
        for arm, figures in result[f"at_{length}"].items():
            if isinstance(figures, dict):
                rate, times = figures["papers_per_second"], figures["times_peer"]
                print(f"{length} tokens  {arm:5} {rate:8.1f} papers/s  {times:.2f} x")


if __name__ == "__main__":
    main()
