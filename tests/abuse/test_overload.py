"""Ten times what the service can answer: it refuses quickly, and answers those it accepts."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from abuse.papers import long
from serve.process import OPENER, ask, serving

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CAPACITY = 16
SECONDS = 10

TOLD = {
    "/classify": {"message"},
    "/v1/classify": {"error"},
    "/embed": {"error", "error_type"},
    "/v1/embeddings": {"error"},
}
"""How each route's refusal is written."""


def load(url: str, bodies: Path, seconds: float, *flags: object) -> dict[str, Any]:
    """What the load generator says."""
    cargo = ["cargo", "run", "--quiet", "--release", "--locked", "--target-dir", ROOT / "target"]
    generator = [*cargo, "--manifest-path", ROOT / "benches/serve/generator/Cargo.toml", "--"]
    flags = (f"{url}/classify", bodies, "--seconds", seconds, "--warm", 2, *flags)
    command = [str(part) for part in (*generator, *flags)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr
    said: dict[str, Any] = json.loads(ran.stdout)
    return said


def lone(url: str) -> float:
    """Seconds that one paper takes by itself."""
    began = time.perf_counter()
    assert ask(f"{url}/classify", long(1)[0])[0] == 200
    return time.perf_counter() - began


@contextmanager
def asking(url: str) -> Iterator[list[tuple[str, int, Any, Any]]]:
    """Some in the crowd, who look closely at each answer: path, status, headers, body."""
    paper = long(1)[0]
    text = paper["title"]
    bodies: dict[str, Any] = {
        "/classify": paper,
        "/v1/classify": {"papers": [paper, paper]},
        "/embed": {"inputs": [text, text]},
        "/v1/embeddings": {"input": text},
    }
    seen: list[tuple[str, int, Any, Any]] = []
    stop = threading.Event()

    def look(path: str) -> None:
        while not stop.is_set():
            content, sent = json.dumps(bodies[path]).encode(), {"Content-Type": "application/json"}
            try:
                asked = urllib.request.Request(f"{url}{path}", content, sent)
                # Whoever is not refused leaves the place to another, and asks again later.
                with OPENER.open(asked, timeout=2) as answer:
                    seen.append((path, answer.status, answer.headers, json.load(answer)))
            except urllib.error.HTTPError as error:
                with error:
                    seen.append((path, error.code, error.headers, json.load(error)))
            except (TimeoutError, urllib.error.URLError) as error:
                late = isinstance(error, TimeoutError) or isinstance(error.reason, TimeoutError)
                assert late, error
            stop.wait(0.5)

    with ThreadPoolExecutor(len(bodies)) as pool:
        looking = [pool.submit(look, path) for path in bodies]
        try:
            yield seen
        finally:
            stop.set()
        for one in looking:
            one.result()


def test_ten_times_what_it_can_do_costs_those_whom_it_accepts_little(tmp_path: Path) -> None:
    bodies = tmp_path / "bodies.jsonl"
    bodies.write_text("".join(f"{json.dumps(paper)}\n" for paper in long(64)), encoding="utf-8")
    with serving(f"serve.capacity={CAPACITY}", "serve.timeout=null") as url:
        alone = sorted(lone(url) for _ in range(5))[2]
        before = load(url, bodies, SECONDS, "--clients", CAPACITY)
        assert set(before["statuses"]) == {"200"}
        with asking(url) as seen:
            # On a slow machine longer: a request that is accepted waits for fifteen others.
            seconds = max(SECONDS, 4 * before["p50"])
            storm = load(url, bodies, seconds, "--rate", 10 * before["per_second"])
        ended = time.monotonic()
        while (took := lone(url)) > 2 * alone:
            assert time.monotonic() < ended + 10, f"a lone paper takes {took} s, before {alone} s"
        # The machine may have become slower meanwhile, or quicker, by what else runs on it.
        after = load(url, bodies, SECONDS, "--clients", CAPACITY)
        refusals = dict.fromkeys(TOLD, 0)
        for path, status, headers, body in seen:
            assert status in {200, 429}, (path, status, body)
            if status == 429:
                refusals[path] += 1
                assert int(headers["Retry-After"]) >= 1
                assert set(body) == TOLD[path]
                assert "under way" in json.dumps(body)

    figures = {"alone": alone, "before": before, "storm": storm, "after": after}
    assert all(refusals.values()), (refusals, figures)
    assert set(storm["statuses"]) == {"200", "429"}
    refused, accepted = storm["latency"]["429"], storm["latency"]["200"]
    assert storm["statuses"]["429"] > 3 * storm["statuses"]["200"]
    assert refused["p95"] < accepted["p50"] / 4, figures
    assert accepted["p99"] <= 2 * max(before["p99"], after["p99"]), figures
    assert storm["per_second"] >= 0.5 * min(before["per_second"], after["per_second"]), figures
