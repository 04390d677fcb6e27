"""This service beside others, under the same load.

    python benches/serve/run.py [--papers 512] [--clients 64] [--seconds 20] [--repeats 3]

Real titles and abstracts, one a request, clients that ask again as soon as they are answered;
then requests at half and nine tenths of each service's own throughput, whoever still waits, and
ours at nine tenths of the peer's too. The peer is what one would write otherwise (`peer.py`);
BentoML runs the same classifier (`deploy/bentoml`) in the faster number format. Infinity only
embeds, so ours is asked for embeddings beside it, in the slower number format at full load alone.
The load generator, the services and the offline run share the machine; arms take turns, and medians
count. Writes `benches/results/serve-*.json`, a file a kind of processor.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import zstandard
from arxiv_core import Encoder, _core, models
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

sys.path.insert(0, str(Path(__file__).parents[1]))
from load import SINK, command, load
from provenance import ROOT, own_file, provenance
from services import BENTOML, DTYPES, ENGINE, HERE, INFINITY, INFINITY_DTYPE, arms, running, version

DATA = ROOT.parent / "shared" / "data" / "arxiv-2009-2016.jsonl.zst"
CUTS = ("p50", "p95", "p99")


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


def offline(bodies: Path, seconds: float, dtype: str, rate: float) -> float:
    """Papers a second offline, while a load of the same rate runs against nothing."""
    beside = command(SINK, bodies, "--rate", rate, "--seconds", 600)
    offline = [sys.executable, str(HERE / "offline.py"), str(bodies), str(seconds), dtype]
    # It ends with a pass over the papers, and the load after it.
    with subprocess.Popen(beside, stdout=subprocess.DEVNULL) as generator:
        ran = subprocess.run(offline, capture_output=True, text=True, timeout=600, check=True)
        generator.terminate()
    return json.loads(ran.stdout)["per_second"]


def full(url: str, bodies: Path, seconds: float, clients: int) -> dict:
    """What clients get that never pause."""
    # Several batches go by before any counts: some services learn how long theirs take.
    one = load(url, bodies, "--seconds", seconds, "--clients", clients, "--warm", 6)
    if not one["per_second"]:
        raise SystemExit(f"{url}: nothing answered; give more --seconds")
    return one


def shares(url: str, bodies: Path, seconds: float, clients: int) -> dict:
    """As `full`, and what clients get at half and at nine tenths of that."""
    one = full(url, bodies, seconds, clients)
    for share in (0.5, 0.9):
        rate = share * one["per_second"]
        one[f"at_{share:.0%}"] = load(url, bodies, "--seconds", seconds, "--rate", rate)
    return one


def measured(
    name: str, url: str, files: dict[str, Path], seconds: float, clients: int, peer: float
) -> dict:
    """One turn of a service; `peer` is the peer's requests a second in the same round."""
    if name == "infinity":
        return shares(f"{url}/embeddings", files["texts"], seconds, clients)
    address = f"{url}/classify"
    one = shares(address, files["papers"], seconds, clients)
    if name in DTYPES:
        flags = ("--seconds", seconds, "--rate", 0.9 * peer)
        one["at_peers_90%"] = load(address, files["papers"], *flags)
        embeddings = shares if name == DTYPES[-1] else full
        one["embeddings"] = embeddings(f"{url}/v1/embeddings", files["truncated"], seconds, clients)
    return one


def written(papers: list[dict[str, str]], folder: Path) -> dict[str, Path]:
    """Write requests' bodies: papers, texts as Infinity takes them, and as ours does."""
    texts = [{"input": f"{paper['title']}\n{paper['abstract']}", "model": "m"} for paper in papers]
    bodies = {
        "papers": [{key: paper[key] for key in ("title", "abstract")} for paper in papers],
        "texts": texts,
        "truncated": [text | {"truncate": True} for text in texts],
    }
    files = {name: folder / f"{name}.jsonl" for name in bodies}
    for name, file in files.items():
        lines = (json.dumps(body) for body in bodies[name])
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return files


def summary(runs: list[dict], peer: float) -> dict:
    """Medians over the rounds of one service's turns; `peer` is the peer's median."""
    per_second = statistics.median(one["per_second"] for one in runs)
    rates = [key for key in runs[0] if key.startswith("at_")]
    return {
        "per_second": per_second,
        "times_peer": per_second / peer,
        "share_of_offline": statistics.median(one["per_second"] / one["offline"] for one in runs)
        if "offline" in runs[0]
        else None,
        "latency": {
            name: {
                cut: statistics.median((one if name == "full" else one[name])[cut] for one in runs)
                for cut in CUTS
            }
            for name in ("full", *rates)
        },
        "runs": runs,
    }


def main() -> None:
    """Run every arm and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--papers", type=int, default=512)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=own_file("serve"))
    options = parser.parse_args()
    if not options.data.exists():
        raise SystemExit(f"{options.data} is not there; give a snapshot with --data")
    result = {
        "bench": "serve",
        **provenance(
            "torch",
            "sentence-transformers",
            "scikit-learn",
            "fastapi",
            "uvicorn",
            bentoml=version(BENTOML, "bentoml"),
            **{"infinity-emb": version(INFINITY, "infinity-emb")},
        ),
        "papers": options.papers,
        "clients": options.clients,
        "seconds": options.seconds,
        "repeats": options.repeats,
        "infinity": {"engine": ENGINE, "dtype": INFINITY_DTYPE},
    }
    runs: dict[str, list[dict]] = {}
    with tempfile.TemporaryDirectory() as folder:
        head = Path(folder, "head.npz")
        services = arms(Path(folder), head)
        papers = read(options.data, options.papers)
        files = written(papers, Path(folder))
        fitted(papers, head)
        for _ in range(options.repeats):
            for name, arm in services.items():
                turns = runs.setdefault(name, [])
                peer = runs["peer"][-1]["per_second"] if name != "peer" else 0.0
                with running(name, arm) as url:
                    turns.append(measured(name, url, files, options.seconds, options.clients, peer))
                if name in DTYPES:
                    rate = turns[-1]["per_second"]
                    turns[-1]["offline"] = offline(files["papers"], options.seconds, name, rate)
    peer = statistics.median(one["per_second"] for one in runs["peer"])
    infinity = statistics.median(one["per_second"] for one in runs["infinity"])
    result["arms"] = {name: summary(runs[name], peer) for name in services if name != "infinity"}
    embeddings = {name: [one["embeddings"] for one in runs[name]] for name in DTYPES}
    result["embeddings"] = {
        name: summary(turns, infinity)
        for name, turns in {"infinity": runs["infinity"], **embeddings}.items()
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for what in ("arms", "embeddings"):
        for name, figures in result[what].items():
            share = figures["share_of_offline"]
            print(
                f"{what:10} {name:12} {figures['per_second']:7.1f}/s  {figures['times_peer']:.2f} x"
                + (f"  {share:.0%} of offline" if share else "")
                + "".join(
                    f"  {load} p50 {cuts['p50'] * 1000:.0f} p99 {cuts['p99'] * 1000:.0f} ms"
                    for load, cuts in figures["latency"].items()
                )
            )


if __name__ == "__main__":
    main()
