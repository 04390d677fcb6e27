"""The default encoder beside sentence-transformers and Python's tokenizers, on real abstracts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arxiv_core import _core
from numpy.typing import NDArray
from tokenizers import Tokenizer


def cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return np.asarray((left * right).sum(axis=1) / norms)


def multiplies_bf16() -> bool:
    """Whether this processor has bf16; elsewhere libtorch takes minutes for a thousand papers."""
    cpu = Path("/proc/cpuinfo")
    return not cpu.exists() or "avx512_bf16" in cpu.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def embeddings(
    minilm: Path,
    abstracts: list[str],
    reference: Callable[[list[dict[str, Any]]], list[NDArray[np.float32]]],
) -> NDArray[np.float32]:
    """What sentence-transformers makes of the 1,000 abstracts."""
    [expected] = reference([{"model": str(minilm), "max_length": None, "texts": abstracts}])
    assert len(expected) == 1000
    return expected


def test_embeddings_of_real_abstracts_match_sentence_transformers(
    encoder: _core.Encoder, abstracts: list[str], embeddings: NDArray[np.float32]
) -> None:
    assert np.abs(encoder.encode(abstracts) - embeddings).max() <= 1e-5


@pytest.mark.parametrize(
    "step",
    [1 if multiplies_bf16() else 10, pytest.param(1, marks=pytest.mark.slow, id="all")],
)
def test_bf16_embeddings_of_real_abstracts_point_the_same_way(
    minilm: Path, abstracts: list[str], embeddings: NDArray[np.float32], step: int
) -> None:
    half = _core.Encoder.load(str(minilm), "cpu", "bf16").encode(abstracts[::step])
    assert half.dtype == np.float32
    assert cosines(half, embeddings[::step]).min() >= 0.999


def test_embeddings_at_512_tokens_match_sentence_transformers(
    minilm: Path,
    abstracts: list[str],
    reference: Callable[[list[dict[str, Any]]], list[NDArray[np.float32]]],
) -> None:
    texts = sorted(abstracts, key=len)[-40:]
    [expected] = reference([{"model": str(minilm), "max_length": 512, "texts": texts}])
    found = _core.Encoder.load(str(minilm), "cpu", "f32", 512).encode(texts)
    assert np.abs(found - expected).max() <= 1e-5


def assert_same_ids(minilm: Path, texts: Iterable[str]) -> int:
    """Compares token ids in batches; returns how many texts there were."""
    python = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    python.enable_truncation(512)
    python.no_padding()
    ours = _core.Encoder.load(str(minilm), "cpu", "f32", 512)
    texts, seen = iter(texts), 0
    while batch := list(itertools.islice(texts, 2000)):
        expected = [encoding.ids for encoding in python.encode_batch(batch)]
        assert ours.token_ids(batch) == expected
        seen += len(batch)
    return seen


def test_token_ids_match_python_tokenizers(
    minilm: Path, abstracts: list[str], corpus: Callable[[], Iterator[str]]
) -> None:
    sample = itertools.islice(corpus(), 1000)
    assert assert_same_ids(minilm, itertools.chain(abstracts, sample)) == 2000


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_token_ids_of_every_paper_match_python_tokenizers(
    minilm: Path, abstracts: list[str], corpus: Callable[[], Iterator[str]]
) -> None:
    assert assert_same_ids(minilm, itertools.chain(abstracts, corpus())) > 149_000
