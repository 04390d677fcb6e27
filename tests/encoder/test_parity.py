"""The default encoder beside sentence-transformers and Python's tokenizers, on real abstracts."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arxiv_core import Classifier, _core
from numpy.typing import NDArray
from tokenizers import Tokenizer


def cosines(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return np.asarray((left * right).sum(axis=1) / norms)


Reference = Callable[[list[dict[str, Any]]], list[NDArray[np.float32]]]

EVERY = pytest.param(1, marks=pytest.mark.slow)
"""Every one of the 1,000 abstracts: sentence-transformers takes minutes."""


@pytest.fixture(scope="session")
def expected(
    minilm: Path, abstracts: list[str], reference: Reference
) -> Callable[[int], NDArray[np.float32]]:
    """What sentence-transformers makes of every so-many-th of the 1,000 abstracts."""
    assert len(abstracts) == 1000

    @functools.cache
    def ask(step: int) -> NDArray[np.float32]:
        texts = abstracts[::step]
        [found] = reference([{"model": str(minilm), "max_length": None, "texts": texts}])
        assert len(found) == len(texts)
        return found

    return ask


@pytest.mark.parametrize("step", [4, EVERY])
def test_embeddings_of_real_abstracts_match_sentence_transformers(
    encoder: _core.Encoder,
    abstracts: list[str],
    expected: Callable[[int], NDArray[np.float32]],
    step: int,
) -> None:
    assert np.abs(encoder.encode(abstracts[::step]) - expected(step)).max() <= 1e-5


@pytest.mark.parametrize("step", [4, EVERY])
def test_bf16_embeddings_of_real_abstracts_point_the_same_way(
    minilm: Path,
    abstracts: list[str],
    expected: Callable[[int], NDArray[np.float32]],
    multiplies_bf16: bool,
    step: int,
) -> None:
    # They too take minutes where the processor has no bf16.
    thin = 1 if step == 1 or multiplies_bf16 else 3
    half = _core.Encoder.load(str(minilm), "cpu", "bf16").encode(abstracts[::step][::thin])
    assert half.dtype == np.float32
    assert cosines(half, expected(step)[::thin]).min() >= 0.999


def test_a_real_abstract_alone_is_as_in_a_batch(
    encoder: _core.Encoder, abstracts: list[str]
) -> None:
    some = abstracts[::10]
    alone = np.concatenate([encoder.encode([text]) for text in some])
    assert np.abs(encoder.encode(some) - alone).max() <= 2e-6


def test_probabilities_of_a_real_paper_alone_are_as_in_a_batch(shared_data: Path) -> None:
    lines = (shared_data / "kaggle-snapshot-1000.jsonl").read_text(encoding="utf-8").splitlines()
    papers = [json.loads(line) for line in lines[::10]]
    default = Classifier.load(device="cpu")
    together, _ = default.scores(papers)
    alone = np.concatenate([default.scores([paper])[0] for paper in papers])
    assert np.abs(together - alone).max() <= 1e-5
    for left, right in zip(together, alone, strict=True):
        # Ranks may differ only where probabilities hardly do.
        order = right[np.argsort(-left, kind="stable")]
        assert np.diff(order).max() <= 1e-5


def test_embeddings_at_512_tokens_match_sentence_transformers(
    minilm: Path,
    abstracts: list[str],
    reference: Reference,
) -> None:
    texts = sorted(abstracts, key=len)[-40:]
    [theirs] = reference([{"model": str(minilm), "max_length": 512, "texts": texts}])
    found = _core.Encoder.load(str(minilm), "cpu", "f32", 512).encode(texts)
    assert np.abs(found - theirs).max() <= 1e-5


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
