"""The bench's input: copies of a corpus, made so that no paper is another's duplicate."""

import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import zstandard

SEED = 20_261_123
REPLACED = 5  # one word in this many


def papers(paths: list[Path]) -> list[dict]:
    """Every paper of the files, in order."""
    found = []
    for path in paths:
        with path.open("rb") as raw:
            stream = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(raw)
            found += map(json.loads, io.TextIOWrapper(stream, encoding="utf-8", newline="\n"))
    return found


def vocabulary(corpus: list[dict]) -> list[str]:
    """Words of a sample of the abstracts, as often as they occur there."""
    return [word for paper in corpus[::37] for word in paper["abstract"].split()]


def copies(corpus: list[dict]) -> Iterator[dict]:
    """The corpus again and again: ids of their own, a random fifth of the words replaced."""
    rng = random.Random(SEED)
    words = vocabulary(corpus)
    serials: Counter[str] = Counter()

    def other(text: str) -> str:
        parts = text.split(" ")
        for place in rng.sample(range(len(parts)), -(-len(parts) // REPLACED)):
            parts[place] = words[int(rng.random() * len(words))]
        return " ".join(parts)

    while True:
        for paper in corpus:
            month = paper["id"][:4]
            serials[month] += 1
            yield paper | {
                "id": f"{month}.{serials[month]:05}",
                "title": other(paper["title"]),
                "abstract": other(paper["abstract"]),
            }


def make(path: Path, corpus: list[Path], size: int) -> None:
    """Write `size` bytes of papers, to the next whole line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", encoding="ascii") as out:
        written = 0
        for paper in copies(papers(corpus)):
            written += out.write(json.dumps(paper, separators=(",", ":")) + "\n")
            if written >= size:
                break
    part.rename(path)
