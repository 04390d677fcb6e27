"""A tiny model, loaded once, and papers for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from arxiv_core import Classifier
from classifier import tiny


@dataclass(frozen=True)
class Tiny:
    """A model directory on an encoder directory."""

    model: Path
    encoder: Path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    place = tmp_path_factory.mktemp("tiny")
    encoder = tiny.encoder(place / "encoder")
    return Tiny(tiny.model(place / "model", encoder), encoder)


@pytest.fixture(scope="session")
def classifier(tiny_model: Tiny) -> Classifier:
    return Classifier.load(tiny_model.model, device="cpu")


@pytest.fixture(scope="session")
def default() -> Classifier:
    """The model that comes with the library."""
    return Classifier.load(device="cpu")


@pytest.fixture(scope="session")
def papers() -> list[dict[str, str]]:
    """Invented papers of many lengths, with LaTeX and characters of several scripts."""
    random = np.random.default_rng(11)
    words = [
        "graph",
        "quantum",
        "$x^2$",
        r"Erd\H{o}s",
        "noise",
        "模型",
        "sheaf",
        "of",
        "the",
        "ünïcode",
    ]

    def text(longest: int) -> str:
        return " ".join(random.choice(words, size=random.integers(0, longest)))

    return [{"id": f"p{i}", "title": text(6), "abstract": text(40)} for i in range(60)]
