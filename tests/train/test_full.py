"""`train.mode=full`: from papers to a model that holds the encoder tuned for it."""

from __future__ import annotations

import csv
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arxiv_core import Classifier, OptionError, _core, pipeline
from arxiv_core.config import Config, compose
from arxiv_core.pipeline.layout import Layout
from arxiv_core.pipeline.rerun import rerun

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


@pytest.fixture(scope="module")
def tuned(tiny: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The sample corpus, a tiny encoder tuned to it, its scores and its package."""
    work = tmp_path_factory.mktemp("full")
    config = compose(
        [
            "train=full",
            "head=logistic",
            f"model.name={tiny(dropout=0.1)}",
            "model.max_length=64",
            "train.finetune.epochs=2",
            "train.finetune.lr=1e-3",
            "evaluation.bootstrap.samples=0",
            "evaluation.report=false",
            f"paths.data={work}/data",
            f"paths.runs={work}/runs",
            f"paths.cache={work}/cache",
            "run=full",
        ]
    )
    for stage in ("prepare", "train", "evaluate", "package"):
        pipeline.run(stage, config)
    return config


def test_the_model_holds_its_encoder_and_can_be_moved(tuned: Config, tmp_path: Path) -> None:
    layout = Layout.of(tuned)
    assert not layout.embeddings.exists()
    [expected] = Classifier.load(layout.model).classify([PAPER])
    moved = tmp_path / "elsewhere"
    shutil.copytree(layout.package, moved)
    assert repr(Classifier.load(moved).classify([PAPER])) == repr([expected])
    spec = read(layout.model / "classifier.json")
    assert spec["encoder"]["source"] == "local"
    assert (
        spec["encoder"]["sha256"] == read(layout.run / "train.json")["finetune"]["encoder_sha256"]
    )
    assert "fine-tuned" in (layout.package / "README.md").read_text(encoding="utf-8")
    base, own = (
        _core.Encoder.load(str(one), "cpu").encode([PAPER["title"]])
        for one in (tuned.model.name, layout.model)
    )
    assert np.abs(base - own).max() > 1e-3


def test_the_learning_curve_has_train_and_validation(tuned: Config) -> None:
    layout = Layout.of(tuned)
    epochs = read(layout.run / "train.json")["finetune"]["epochs"]
    with (layout.curves / "finetune.csv").open(encoding="utf-8") as file:
        rows = [*csv.reader(file)]
    assert rows[0] == ["epoch", "loss", "validation_loss"]
    assert [[float(one) for one in row[1:]] for row in rows[1:]] == [
        [epoch["loss"], epoch["validation_loss"]] for epoch in epochs
    ]
    assert epochs[1]["loss"] < epochs[0]["loss"]
    assert not layout.checkpoint.exists()


def test_another_head_needs_no_second_fine_tuning_and_no_embedding(
    tuned: Config, caplog: pytest.LogCaptureFixture
) -> None:
    layout = Layout.of(tuned)
    before = (layout.model / "model.safetensors").read_bytes()
    stages: set[str] = set()
    with caplog.at_level(logging.INFO):
        pipeline.run("train", tuned, lambda event: stages.add(event["stage"]))
        pipeline.run("evaluate", tuned)
    assert "tuned already" in caplog.text
    assert not stages & {"finetune", "encode"}
    assert (layout.model / "model.safetensors").read_bytes() == before


def test_a_run_made_again_has_the_same_bytes(tuned: Config, tmp_path: Path) -> None:
    again = rerun(Layout.of(tuned).run, tmp_path / "again")
    assert again["same"], again


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.finetune.lr", 0),
        ("train.finetune.head_lr", 0),
        ("train.finetune.epochs", 0),
        ("train.finetune.warmup", 2),
        ("calibration.holdout", 1),
        ("head.c", -1),
    ],
)
def test_a_value_that_cannot_be_used_is_named_before_anything_is_tuned(
    tuned: Config, tmp_path: Path, key: str, value: int
) -> None:
    config = compose(
        [
            "train=full",
            "head=logistic",
            f"model.name={tuned.model.name}",
            "model.max_length=64",
            f"paths.data={tuned.paths.data}",
            f"paths.runs={tmp_path}",
            f"{key}={value}",
        ]
    )
    stages: set[str] = set()
    with pytest.raises(OptionError, match=f"^{key} = {value}"):
        pipeline.run("train", config, lambda event: stages.add(event["stage"]))
    assert "finetune" not in stages


def test_a_sweep_refuses_to_tune_encoders(tuned: Config) -> None:
    pytest.importorskip("optuna", reason="the extra `sweep` is not installed")
    from arxiv_core.sweep import run

    with pytest.raises(OptionError, match=r"train\.mode = full"):
        run(["train=full", f"paths.data={tuned.paths.data}"])
