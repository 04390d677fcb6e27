"""This service beside the one that one would write otherwise, under the same load.

    python benches/serve/run.py [--papers 512] [--seconds 20] [--repeats 3] [--data FILE]

Real titles and abstracts, one a request, 64 clients that ask again as soon as they are answered;
then requests at half and nine tenths of each service's own throughput, whoever still waits. The
load generator, the services and the offline run share the machine; arms take turns, and medians
count. Writes `benches/results/serve-*.json`, a file a kind of processor.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import zstandard
from arxiv_core import Encoder, _core, models
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import ROOT, multiplies_bf16, own_file, provenance

HERE = Path(__file__).parent
DATA = ROOT.parent / "shared" / "data" / "arxiv-2009-2016.jsonl.zst"
OURS = ("f32", *(["bf16"] if multiplies_bf16() else []))
CLIENTS = 64


def read(path: Path, count: int) -> list[dict[str, str]]:
    """Every n-th paper of the file, `count` of them."""
    with zstandard.open(path, "rt", encoding="utf-8") as lines:
        every = list(lines)
    return [json.loads(every[index * len(every) // count]) for index in range(count)]


def fitted(papers: list[dict[str, str]], file: Path) -> None:
    """Fit scikit-learn's logistic regressions to the papers' embeddings."""
    texts = [_core.template(paper["title"], paper["abstract"]) for paper in papers]
    embeddings = Encoder.load(str(models.resolve("minilm")), device="cpu").encode(texts)
    names = [set(paper["categories"].split()) for paper in papers]
    labels = sorted(set().union(*names))
    truth = np.array([[label in own for label in labels] for own in names], dtype=int)
    model = OneVsRestClassifier(LogisticRegression()).fit(embeddings, truth)
    some = [one for one in model.estimators_ if hasattr(one, "coef_")]
    # The default model's labels: repeated, they cost what as many would.
    rows = [some[at % len(some)] for at in range(148)]
    np.savez(
        file,
        coef=np.concatenate([one.coef_ for one in rows]).astype(np.float32),
        intercept=np.concatenate([one.intercept_ for one in rows]).astype(np.float32),
        labels=np.array([f"label-{at}" for at in range(148)]),
    )


@contextlib.contextmanager
def service(arm: str, head: Path) -> Iterator[str]:
    """Run a service and give its address once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    if arm == "peer":
        model = str(models.resolve("minilm"))
        command = [sys.executable, str(HERE / "peer.py"), model, str(head), port]
    else:
        command = [sys.executable, "-m", "arxiv_core", "--log-level", "warning", "serve"]
        command += ["--port", port, "--dtype", arm]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(command, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{url}/ready", timeout=5):
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"{arm}: the service does not answer") from None
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def load(url: str, bodies: Path, seconds: float, *flags: str) -> dict:
    """What the load generator says."""
    command = [sys.executable, str(HERE / "load.py"), url, str(bodies), "--seconds", str(seconds)]
    ran = subprocess.run([*command, *flags], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return json.loads(ran.stdout)


def offline(bodies: Path, seconds: float, dtype: str, rate: float) -> float:
    """Papers a second offline, while a load of the same rate runs against nothing."""
    command = [sys.executable, str(HERE / "offline.py"), str(bodies), str(seconds), dtype]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        load("sink", bodies, seconds + 2, "--rate", str(rate))
        answer, _ = process.communicate(timeout=600)
    return json.loads(answer)["per_second"]


def main() -> None:
    """Run every arm and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--papers", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=own_file("serve"))
    options = parser.parse_args()
    if not options.data.exists():
        raise SystemExit(f"{options.data} is not there; give a snapshot with --data")
    papers = read(options.data, options.papers)
    arms = ("peer", *OURS)
    result = {
        "bench": "serve",
        **provenance("torch", "sentence-transformers", "scikit-learn", "fastapi", "uvicorn"),
        "papers": options.papers,
        "clients": CLIENTS,
        "seconds": options.seconds,
        "repeats": options.repeats,
    }
    with tempfile.TemporaryDirectory() as folder:
        bodies, head = Path(folder, "bodies.jsonl"), Path(folder, "head.npz")
        lines = (json.dumps({key: one[key] for key in ("title", "abstract")}) for one in papers)
        bodies.write_text("\n".join(lines) + "\n", encoding="utf-8")
        fitted(papers, head)
        runs: dict[str, list[dict]] = {arm: [] for arm in arms}
        for _ in range(options.repeats):
            for arm in arms:
                with service(arm, head) as url:
                    flags = ("--clients", str(CLIENTS))
                    one = load(f"{url}/classify", bodies, options.seconds, *flags)
                    if not one["per_second"]:
                        raise SystemExit(f"{arm}: nothing answered; give more --seconds")
                    for share in (0.5, 0.9):
                        rate = ("--rate", str(share * one["per_second"]))
                        at = load(f"{url}/classify", bodies, options.seconds, *rate)
                        one[f"at_{share:.0%}"] = at
                if arm != "peer":
                    one["offline"] = offline(bodies, options.seconds, arm, one["per_second"])
                runs[arm].append(one)
    medians = {arm: statistics.median(one["per_second"] for one in runs[arm]) for arm in arms}
    result["arms"] = {
        arm: {
            "per_second": medians[arm],
            "times_peer": medians[arm] / medians["peer"],
            "share_of_offline": None
            if arm == "peer"
            else statistics.median(one["per_second"] / one["offline"] for one in runs[arm]),
            "latency": {
                name: {
                    cut: statistics.median(
                        (one if name == "full" else one[name])[cut] for one in runs[arm]
                    )
                    for cut in ("p50", "p95", "p99")
                }
                for name in ("at_50%", "at_90%", "full")
            },
            "runs": runs[arm],
        }
        for arm in arms
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for arm, figures in result["arms"].items():
        share = figures["share_of_offline"]
        print(
            f"{arm:5} {figures['per_second']:7.1f}/s  {figures['times_peer']:.2f} x"
            + (f"  {share:.0%} of offline" if share else "")
            + "".join(
                f"  {name} p50 {cuts['p50'] * 1000:.0f} p99 {cuts['p99'] * 1000:.0f} ms"
                for name, cuts in figures["latency"].items()
            )
        )


if __name__ == "__main__":
    main()
