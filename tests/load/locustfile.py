"""Load as it comes to a service that sorts papers, for Locust: `make test-api`, or

    .venv-api/bin/locust -f tests/load/locustfile.py --host http://127.0.0.1:8000 Steady Slow

Scenarios are classes, to be named on the command line; a thousand people at once are
``-u 1000 -r 200 Steady``. ``Watching`` beside them asks whether the service lives, once a second.
``BURSTS=1`` lets the number of people rise and fall. Papers come from
the JSON Lines file in ``PAPERS``, by default the bundled invented ones. A service that is full says
so (429), and that counts as an answer: it is what it should do.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, LoadTestShape, between, constant_throughput, task

ROOT = Path(__file__).parents[2]
FILE = Path(os.environ.get("PAPERS", ROOT / "python/arxiv_core/sample/papers.jsonl"))


def read() -> list[dict[str, str]]:
    """Papers of the file, as they are submitted."""
    found = []
    with FILE.open(encoding="utf-8") as lines:
        for line in itertools.islice(lines, 2000):
            try:
                paper = json.loads(line)
            except ValueError:
                continue  # The bundled corpus has broken lines on purpose.
            if isinstance(paper.get("title"), str) and isinstance(paper.get("abstract"), str):
                found.append({key: paper[key] for key in ("title", "abstract")})
    if not found:
        raise SystemExit(f"{FILE}: no papers")
    return found


PAPERS = read()


class Asking(FastHttpUser):
    """Someone who asks, and knows that the service may be full."""

    abstract = True
    network_timeout = 60.0

    def ask(self, path: str, body: Any) -> None:
        """Send a body; whatever is neither an answer nor a plain refusal is a failure."""
        with self.client.post(path, json=body, catch_response=True) as answer:
            if answer.status_code == 429:
                answer.success()
                time.sleep(min(float(answer.headers.get("Retry-After", 1)), 5))
            elif answer.status_code != 200:
                answer.failure(f"{answer.status_code}: {answer.text[:200]}")


class Steady(Asking):
    """A paper a second."""

    wait_time = constant_throughput(1)

    @task
    def classify(self) -> None:
        """Submit a paper."""
        self.ask("/classify", random.choice(PAPERS))


class Mixed(Asking):
    """Papers of a few words beside papers longer than the model reads, one or many at a time."""

    wait_time = between(0.5, 2)

    @task(4)
    def short(self) -> None:
        """A title alone."""
        self.ask("/classify", {"title": random.choice(PAPERS)["title"], "abstract": ""})

    @task(2)
    def long(self) -> None:
        """More than the model reads."""
        texts = " ".join(paper["abstract"] for paper in random.choices(PAPERS, k=12))
        self.ask("/classify", {"title": "Everything", "abstract": texts[:32_768]})

    @task
    def many(self) -> None:
        """Sixteen at a time, with everything that is known about them."""
        self.ask("/v1/classify", {"papers": random.choices(PAPERS, k=16), "top_k": 3})


class Slow(Asking):
    """Someone whose connection brings a body piece by piece."""

    wait_time = between(1, 3)

    @task
    def drip(self) -> None:
        """Send a body in eight pieces over two seconds."""
        body = json.dumps(random.choice(PAPERS)).encode()
        size = len(body) // 8 + 1

        def pieces() -> Any:
            for start in range(0, len(body), size):
                yield body[start : start + size]
                time.sleep(0.25)

        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        with self.client.post(
            "/classify",
            data=pieces(),
            headers=headers,
            name="/classify (slow)",
            catch_response=True,
        ) as answer:
            if answer.status_code in {200, 429}:
                answer.success()
            else:
                answer.failure(f"{answer.status_code}: {answer.text[:200]}")


class Watching(FastHttpUser):
    """Whoever runs the service, and must be told quickly that it lives, whatever it does."""

    fixed_count = 1
    wait_time = constant_throughput(1)
    network_timeout = 5.0

    @task
    def look(self) -> None:
        """Ask what orchestrators ask."""
        self.client.get("/health")
        self.client.get("/ready")


if os.environ.get("BURSTS"):

    class Bursts(LoadTestShape):
        """Ten people, and every twenty seconds ten times as many for five."""

        def tick(self) -> tuple[int, float] | None:
            """Return how many people there are now, and how fast they come; None at the end."""
            # Locust itself looks at --run-time only where there is no shape.
            limit = self.runner and self.runner.environment.parsed_options.run_time
            if limit and self.get_run_time() >= limit:
                return None
            return (100, 100.0) if self.get_run_time() % 20 > 15 else (10, 100.0)
