"""Encoders other than the default, through every stage on the bundled corpus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arxiv_core import Classifier, models
from arxiv_core.cli import app
from typer.testing import CliRunner

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

MAKE = Path(__file__).parents[1] / "encoder/make_checkpoints.py"
PAPER = {"title": "Rings", "abstract": "Each ring is a module over itself."}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small random models: a DistilBERT of today, and a BERT in the files of 2019."""
    folder = tmp_path_factory.mktemp("encoders")
    common = {
        "config": {},
        "tokenizer": {},
        "vocabulary": str(models.resolve("minilm") / "vocab.txt"),
        "texts": ["Rings"],
    }
    jobs = [
        common | {"out": str(folder / "today"), "model_type": "distilbert", "layout": "task"},
        common | {"out": str(folder / "old"), "model_type": "bert", "layout": "legacy"},
    ]
    (folder / "request.json").write_text(json.dumps(jobs), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(MAKE), str(folder / "request.json")],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.mark.parametrize("name", ["today", "old"])
def test_frozen_embeddings_of_another_encoder_reach_a_package(
    encoders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("ARXIV_CORE_HOME", str(tmp_path / "home"))
    overrides = [
        "experiment=distilbert-frozen",
        f"model.name={encoders / name}",
        "model.device=cpu",
        "head.width=16",
        "train.epochs=1",
        "evaluation.bootstrap.samples=10",
        "evaluation.report=false",
        f"paths.data={tmp_path}/data",
        f"paths.runs={tmp_path}/runs",
    ]
    for stage in (["prepare"], ["embed"], ["train"], ["evaluate"], ["package", "--self-contained"]):
        answer = CliRunner().invoke(app, [*stage, *overrides])
        assert answer.exit_code == 0, f"{stage}: {answer.output}"
    run = tmp_path / "runs/distilbert-frozen"
    spec: dict[str, Any] = json.loads((run / "model/classifier.json").read_bytes())
    assert spec["head"]["kind"] == "mlp"
    assert spec["encoder"]["source"] == str(encoders / name)
    assert spec["encoder"]["sha256"] == models.sha256(run / "package/model.safetensors")
    [named] = Classifier.load(run / "model", device="cpu").classify([PAPER])
    [local] = Classifier.load(run / "package", device="cpu").classify([PAPER])
    assert repr(named) == repr(local)
