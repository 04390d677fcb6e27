"""A tiny random encoder, papers that it can be tuned to, and PyTorch to compare with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arxiv_core import stages
from numpy.typing import NDArray

SCRIPT = Path(__file__).with_name("tiny_bert.py")
FILLER = [
    f"{one}{two}"
    for one in ("ba", "ke", "lo", "mu", "ni", "pa", "se", "to")
    for two in ("da", "fe", "gi", "ho", "ju", "ka", "le", "mo", "nu", "pi", "ra", "si")
]
"""Many words and few dimensions: in a frozen encoder's vectors one word is hard to tell."""
SIGNS = ("ring", "wave")

Tiny = Callable[..., Path]
Torch = Callable[[str, dict[str, Any]], dict[str, NDArray[np.float32]]]


def run(*arguments: object) -> None:
    """Run the script in a process of its own, which loads Python's torch."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


KINDS = (
    ("bert", "float32", 0.0),
    ("bert", "float32", 0.1),
    ("bert", "float16", 0.0),
    ("distilbert", "float32", 0.0),
)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Give one of `KINDS`: `tiny("bert", dtype="float32", dropout=0.0)`."""
    folder = tmp_path_factory.mktemp("tiny")
    kinds = [
        {"architecture": one, "dtype": dtype, "dropout": dropout, "words": [*FILLER, *SIGNS]}
        for one, dtype, dropout in KINDS
    ]
    (folder / "kinds.json").write_text(json.dumps(kinds), encoding="utf-8")
    run("make", folder, folder / "kinds.json")

    def give(architecture: str = "bert", *, dtype: str = "float32", dropout: float = 0.0) -> Path:
        return folder / str(KINDS.index((architecture, dtype, dropout)))

    return give


@pytest.fixture
def torch_answers(tmp_path: Path) -> Torch:
    """Ask PyTorch: `torch_answers("tune", request)`."""

    def ask(what: str, request: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
        (tmp_path / "request.json").write_text(json.dumps(request), encoding="utf-8")
        run(what, tmp_path / "request.json", tmp_path / "out.npz")
        with np.load(tmp_path / "out.npz") as arrays:
            return dict(arrays)

    return ask


@pytest.fixture(scope="session")
def signed_papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """480 papers over twelve months: cs.LG where one word is there, math.AG where another is, and
    hep-th by chance or where neither is."""
    folder = tmp_path_factory.mktemp("signed")
    random = np.random.default_rng(3)
    lines = []
    for number in range(480):
        there = random.integers(0, 2, 2)
        words = [*random.choice(FILLER, int(random.integers(15, 25)))]
        for sign, one in zip(SIGNS, there, strict=True):
            if one:
                words.insert(int(random.integers(0, len(words))), sign)
        labels = [name for name, one in zip(("cs.LG", "math.AG"), there, strict=True) if one]
        labels += ["hep-th"] if not labels or random.random() < 0.3 else []
        month = 1 + number // 40
        paper = {
            "id": f"23{month:02}.{number:05}",
            "title": f"bada {number}",
            "abstract": " ".join(words),
            "categories": " ".join(labels),
        }
        lines.append(json.dumps(paper))
    (folder / "snapshot.jsonl").write_text("\n".join(lines), encoding="utf-8")
    options = {"dedup": {"near": False, "exact": False}, "min_abstract_chars": 1}
    stages.prepare(folder / "snapshot.jsonl", folder, options)
    return folder / "papers.parquet"
