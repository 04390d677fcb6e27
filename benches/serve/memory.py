"""Resident memory of the service after 5,000 and after 100,000 requests.

    python benches/serve/memory.py [--requests 100000] [--clients 16] [--data FILE]

Real titles with the beginnings of their abstracts, one a request, so that many come in little time.
Papers longer than the model reads come before any is counted and now and then afterwards: batches
have been at their largest early. Writes `benches/results/serve-memory-*.json`, a file a kind of
processor.
"""

import argparse
import http.client
import itertools
import json
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import own_file, provenance
from run import DATA, read
from services import arms, running

EARLY = 5000
LONG = 500
"""Every so many requests one is long."""


def request(paper: dict[str, str], abstract: str) -> bytes:
    """A request's body."""
    return json.dumps({"title": paper["title"], "abstract": abstract}).encode()


def resident(url: str) -> float:
    """Resident memory of the service, in MB, as it says itself."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return float(text.split("\nprocess_resident_memory_bytes ")[1].split()[0]) / 2**20


def ask(url: str, papers: list[dict[str, str]], requests: int, clients: int) -> dict:
    """Ask so often; tell what the service held on to meanwhile."""
    short = [request(paper, " ".join(paper["abstract"].split()[:5])) for paper in papers]
    long = [request(paper, " ".join([paper["abstract"]] * 12)[:30_000]) for paper in papers[:64]]
    early = min(EARLY, requests // 2)
    after: dict[int, float] = {}
    every = max(1, requests // 20)
    lock = threading.Lock()

    def several(bodies: Iterable[bytes], counted: bool) -> None:
        turns, done = iter(bodies), itertools.count(1)

        def one() -> None:
            kept = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
            while True:
                with lock:
                    body = next(turns, None)
                if body is None:
                    return
                kept.request("POST", "/classify", body)
                with kept.getresponse() as answer:
                    content = answer.read()
                if answer.status != 200:
                    raise SystemExit(f"{answer.status}: {content.decode()}")
                with lock:
                    count = next(done)
                if counted and (count in (early, requests) or count % every == 0):
                    after[count] = resident(url)

        with ThreadPoolExecutor(clients) as pool:
            for client in [pool.submit(one) for _ in range(clients)]:
                client.result()

    mixed = (
        long[number % len(long)] if number % LONG == LONG - 1 else short[number % len(short)]
        for number in range(requests)
    )
    several(long, counted=False)
    several(mixed, counted=True)
    return {
        "early_requests": early,
        "early_mb": after[early],
        "late_mb": after[requests],
        "ratio": after[requests] / after[early],
        "series_mb": {str(count): round(mb, 1) for count, mb in after.items()},
    }


def main() -> None:
    """Ask and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--papers", type=int, default=5000)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=own_file("serve-memory"))
    options = parser.parse_args()
    if not options.data.exists():
        raise SystemExit(f"{options.data} is not there; give a snapshot with --data")
    papers = read(options.data, options.papers)
    result = {
        "bench": "serve-memory",
        **provenance("torch", "fastapi", "uvicorn"),
        "requests": options.requests,
        "clients": options.clients,
    }
    with tempfile.TemporaryDirectory() as folder:
        ours = arms(Path(folder), Path(folder, "head.npz"))["f32"]
        with running("f32", ours) as url:
            result |= ask(url, papers, options.requests, options.clients)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(
        f"{result['early_mb']:.0f} MB after {result['early_requests']}, "
        f"{result['late_mb']:.0f} MB after {result['requests']}: {result['ratio']:.3f} x"
    )


if __name__ == "__main__":
    main()
