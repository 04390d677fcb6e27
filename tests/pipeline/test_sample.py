"""The whole pipeline on the bundled corpus, as the command line runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import arxiv_core
import pytest
from arxiv_core.cli import app
from arxiv_core.config.schema import Config
from arxiv_core.pipeline import prepare, raw, train
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import SampleRun

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def test_every_stage_leaves_what_the_next_one_needs(sample_run: SampleRun) -> None:
    assert sample_run.papers.is_file()
    assert (sample_run.papers.parent / "manifest.json").is_file()
    for name in ("config.json", "train.json", "metrics.json", "model", "package"):
        assert (sample_run.run / name).exists(), name
    leftovers = [path for path in sample_run.run.iterdir() if path.name.startswith(".")]
    assert not leftovers


def test_the_configuration_lies_beside_what_it_made(sample_run: SampleRun) -> None:
    config = read(sample_run.run / "config.json")
    assert config["run"] == "sample"
    assert config["head"]["kind"] == "mlp"


def test_the_package_has_metrics_and_a_card_that_warns(sample_run: SampleRun) -> None:
    assert read(sample_run.package / "metrics.json") == read(sample_run.run / "metrics.json")
    card = (sample_run.package / "README.md").read_text(encoding="utf-8")
    assert "mean nothing else" in card
    assert "micro_f1" in card
    files = read(sample_run.package / "manifest.json")["files"]
    assert {"README.md", "metrics.json", "head.safetensors"} <= set(files)


def test_the_options_that_are_not_set_are_rusts_own(sample_run: SampleRun, tmp_path: Path) -> None:
    split = {"split": prepare.SAMPLE_MONTHS}
    manifest = arxiv_core.prepare(raw.SAMPLE, tmp_path / "plain", split)
    ours = read(sample_run.papers.parent / "manifest.json")
    assert manifest["options"] == ours["options"]


def test_the_heads_options_that_are_not_set_are_rusts_own(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    embeddings = sample_run.papers.parents[1] / "embeddings/minilm.safetensors"
    given = {"head": "logistic"}
    report = arxiv_core.train(sample_run.papers, embeddings, tmp_path / "model", given)
    rusts = report["options"] | {"head": "hybrid"}
    ours = train.options(Config())
    groups = {"mlp", "logistic", "encoder"}
    for name in groups:
        assert ours[name].items() <= rusts[name].items(), name
    # Length and precision are what the embeddings must have been made with.
    for name in ours.keys() - groups - {"max_length", "dtype"}:
        assert ours[name] == rusts[name], name


def test_metrics_of_another_model_are_not_packaged(sample_run: SampleRun, tmp_path: Path) -> None:
    run = tmp_path / "sample"
    shutil.copytree(sample_run.run, run)
    manifest = read(run / "model/manifest.json")
    manifest["code_version"] = "another"
    (run / "model/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    others = [one for one in sample_run.overrides if not one.startswith("paths.runs")]
    answer = CliRunner().invoke(app, ["package", *others, f"paths.runs={tmp_path}"])
    assert answer.exit_code == 1
    assert "run arxiv-core evaluate first" in answer.stderr


def test_a_stage_prints_its_summary_as_json(sample_run: SampleRun) -> None:
    answer = CliRunner().invoke(app, ["evaluate", *sample_run.overrides, "--json"])
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == read(sample_run.run / "metrics.json")


def test_the_same_configuration_makes_the_same_bytes(sample_run: SampleRun, tmp_path: Path) -> None:
    others = [one for one in sample_run.overrides if not one.startswith("paths.runs")]
    again = [*others, f"paths.runs={tmp_path}"]
    answer = CliRunner().invoke(app, ["train", *again])
    assert answer.exit_code == 0, answer.output
    for name in ("head.safetensors", "classifier.json"):
        ours = sample_run.run / "model" / name
        assert (tmp_path / "sample/model" / name).read_bytes() == ours.read_bytes()


def test_embeddings_of_another_length_are_not_trained_on(sample_run: SampleRun) -> None:
    run = CliRunner().invoke(app, ["train", *sample_run.overrides, "model.max_length=256"])
    assert run.exit_code == 2
    assert "model.max_length = 256: the embeddings are of 512 tokens: embed again" in run.stderr


@pytest.mark.parametrize(("head", "kind"), [("logistic", "linear"), ("hybrid", "hybrid")])
def test_every_head_trains(sample_run: SampleRun, tmp_path: Path, head: str, kind: str) -> None:
    small = ["head.width=16", "train.epochs=2", "head.words.min_papers=2"]
    others = [one for one in sample_run.overrides if not one.startswith(("head", "paths.runs"))]
    overrides = [*others, f"head={head}", f"paths.runs={tmp_path}", *small]
    for stage in ("train", "evaluate", "package"):
        answer = CliRunner().invoke(app, [stage, *overrides])
        assert answer.exit_code == 0, answer.output
    spec = read(tmp_path / "sample/package/classifier.json")
    assert spec["head"]["kind"] == kind


def test_a_package_can_carry_its_encoder(sample_run: SampleRun) -> None:
    from arxiv_core import Classifier

    paper = {"title": "Rings", "abstract": "Each ring is a module over itself."}
    [named] = Classifier.load(sample_run.package).classify([paper])
    target = sample_run.package
    answer = CliRunner().invoke(app, ["package", "--self-contained", *sample_run.overrides])
    try:
        assert answer.exit_code == 0, answer.output
        assert (target / "model.safetensors").stat().st_size > 80_000_000
        [local] = Classifier.load(target).classify([paper])
        assert repr(local) == repr(named)
    finally:
        CliRunner().invoke(app, ["package", *sample_run.overrides])


def test_the_record_says_what_the_papers_were_prepared_with(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    others = [one for one in sample_run.overrides if not one.startswith("paths.runs")]
    asked = ["labels.per_category=3", "labels.min_train_papers=2", "data.max_papers=9"]
    answer = CliRunner().invoke(app, ["train", *others, f"paths.runs={tmp_path}", *asked])
    assert answer.exit_code == 0, answer.output
    assert "labels.per_category = 3 changes nothing" in " ".join(answer.output.split())
    config = read(tmp_path / "sample/config.json")
    assert config["data"]["source"] == "sample"
    assert config["data"]["max_papers"] is None
    assert config["labels"]["per_category"] is None
    assert config["labels"]["min_train_papers"] == 2
