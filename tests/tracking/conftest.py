"""Runs recorded offline, each stage by the command as a user runs it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Command, SampleRun


@pytest.fixture(scope="session")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which W&B has no key, and every way out leads nowhere."""
    pytest.importorskip("wandb", reason="the extra `tracking` is not installed")
    nowhere = tmp_path_factory.mktemp("home")
    dead = "http://127.0.0.1:9"
    set_by_user = {name: "" for name in os.environ if name.startswith("WANDB_")}
    return set_by_user | {
        "NETRC": str(nowhere / "netrc"),
        "XDG_CACHE_HOME": str(nowhere / "cache"),
        "HTTP_PROXY": dead,
        "HTTPS_PROXY": dead,
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def small(sample_run: SampleRun) -> list[str]:
    """Overrides of a fit that takes no time, on the papers of the sample run."""
    shared = [one for one in sample_run.overrides if one.startswith(("paths.data", "paths.cache"))]
    fast = ["head=mlp", "head.width=16", "train.epochs=12", "train.batch_size=16"]
    return [*shared, *fast, "evaluation.bootstrap.samples=20", "tracking=wandb"]


@pytest.fixture(scope="session")
def recorded(
    command: Command,
    small: list[str],
    keyless: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The directory of a run that was trained and evaluated under offline tracking."""
    runs = tmp_path_factory.mktemp("runs")
    for stage in ("train", "evaluate"):
        done = command(stage, *small, f"paths.runs={runs}", "run=tracked", **keyless)
        assert done.returncode == 0, done.stderr
    return runs / "tracked"
