"""Papers to ask with: invented ones, as long as they should be."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "python/arxiv_core/sample/papers.jsonl"


@cache
def sample() -> list[dict[str, str]]:
    """Titles and abstracts of the bundled corpus."""
    found = []
    for line in SAMPLE.read_text(encoding="utf-8").splitlines():
        try:
            paper = json.loads(line)
        except ValueError:
            continue  # The bundled corpus has broken lines on purpose.
        if isinstance(paper.get("title"), str) and isinstance(paper.get("abstract"), str):
            found.append({key: paper[key] for key in ("title", "abstract")})
    return found


def long(count: int) -> list[dict[str, str]]:
    """Papers that fill what the model reads: twelve abstracts each."""
    every = sample()
    return [
        every[at] | {"abstract": " ".join(one["abstract"] for one in every[at : at + 12])}
        for at in range(count)
    ]
