"""A registry of its own for each test, and small models of different content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from arxiv_core.registry.local import LocalRegistry
from classifier import tiny

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's registry, and variables that lead to one, out of the tests."""
    monkeypatch.setenv("ARXIV_CORE_HOME", str(tmp_path / "home"))
    for name in ("ARXIV_CORE_REGISTRY", "GITHUB_ACTOR", "WANDB_PROJECT", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.encoder(tmp_path_factory.mktemp("registry") / "encoder")


@pytest.fixture
def make(tmp_path: Path, tiny_encoder: Path) -> Make:
    """Write a model directory; what `of` counts makes its content another."""

    def made(of: int = 0, **changes: Any) -> Path:
        folder = tmp_path / "models" / f"model-{of}"
        thresholds = [round(0.2 + 0.05 * i + 0.001 * of, 3) for i in range(len(tiny.LABELS))]
        return tiny.model(folder, tiny_encoder, **({"thresholds": thresholds} | changes))

    return made


@pytest.fixture
def registry(tmp_path: Path) -> LocalRegistry:
    return LocalRegistry(tmp_path / "registry")
