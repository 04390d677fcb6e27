"""The default encoder and the default model on a GPU, beside the same on the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import arxiv_core
import numpy as np
import pytest
from arxiv_core import Classifier, Encoder

SAMPLE = Path(arxiv_core.__file__).parent / "sample" / "papers.jsonl"

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def papers() -> list[dict[str, str]]:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()[:200]
    return [{key: paper[key] for key in ("title", "abstract")} for paper in map(json.loads, lines)]


@pytest.fixture(scope="module")
def gpu() -> str:
    # Asking libtorch would load its CUDA half into this process.
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        pytest.skip("no CUDA device on this machine")
    return Encoder.load("minilm", device="cuda").device


def test_embeddings_are_those_of_the_cpu(gpu: str, papers: list[dict[str, str]]) -> None:
    texts = [paper["abstract"] for paper in papers]
    expected = Encoder.load("minilm", device="cpu").encode(texts)
    found = Encoder.load("minilm", device=gpu).encode(texts)
    assert np.abs(found - expected).max() <= 1e-4
    half = Encoder.load("minilm", device=gpu, dtype="bf16").encode(texts)
    assert (half * expected).sum(axis=1).min() >= 0.999


def test_probabilities_are_those_of_the_cpu(gpu: str, papers: list[dict[str, str]]) -> None:
    expected, _ = Classifier.load(device="cpu").scores(papers)
    found, _ = Classifier.load(device=gpu).scores(papers)
    assert np.abs(found - expected).max() <= 1e-3


def test_a_batch_on_the_gpu_is_the_same_twice(gpu: str, papers: list[dict[str, str]]) -> None:
    encoder = Encoder.load("minilm", device=gpu)
    texts = [paper["abstract"] for paper in papers]
    assert np.array_equal(encoder.encode(texts), encoder.encode(texts))
