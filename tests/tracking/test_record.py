"""What W&B's offline file holds of a run that was trained and evaluated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tracking.offline import Offline, files, newest

if TYPE_CHECKING:
    from conftest import Command, SampleRun

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")


@pytest.fixture(scope="module")
def run(recorded: Path) -> Offline:
    return newest(recorded)


def test_train_and_evaluate_are_one_run_that_ended_well(recorded: Path) -> None:
    train, evaluate = map(Offline, files(recorded))
    ids = set()
    for part in (train, evaluate):
        [begun] = part.of("run")
        assert (begun.display_name, begun.project) == ("tracked", "arxiv-core")
        assert part.exit_code == 0
        ids.add(begun.run_id)
    assert len(ids) == 1


def test_the_whole_configuration_is_recorded(run: Offline, recorded: Path) -> None:
    trained = json.loads((recorded / "config.json").read_text(encoding="utf-8"))
    assert run.config["head"] == trained["head"]
    assert run.config["train"]["optimizer"]["lr"] == trained["train"]["optimizer"]["lr"]
    assert set(trained) <= set(run.config)


def test_the_last_file_tells_the_fit_again_with_its_loss(run: Offline) -> None:
    live = [row for row in run.history if "fit/loss" in row]
    assert live
    assert all({"fit/steps", "fit/epoch"} <= set(row) for row in live)
    epochs = [row["fit/epochs"] for row in run.history if "fit/epoch_loss" in row]
    assert epochs == list(range(1, 13))
    axes = {one.name: one.step_metric for one in run.of("metric")}
    assert axes["fit/loss"] == "fit/steps"
    assert axes["fit/epoch_loss"] == "fit/epochs"


def test_final_figures_have_their_intervals(run: Offline, recorded: Path) -> None:
    metrics = json.loads((recorded / "metrics.json").read_text(encoding="utf-8"))
    assert run.summary["test/micro_f1"] == metrics["micro_f1"]
    low, high = metrics["intervals"]["micro_f1"]
    assert (run.summary["test/micro_f1_low"], run.summary["test/micro_f1_high"]) == (low, high)
    assert run.summary["train/papers/fit"] > 0


def test_every_label_has_its_row(run: Offline, recorded: Path) -> None:
    metrics = json.loads((recorded / "metrics.json").read_text(encoding="utf-8"))
    table = run.table("test/labels")
    assert table["columns"][:2] == ["label", "positives"]
    assert [row[0] for row in table["data"]] == [one["label"] for one in metrics["per_label"]]
    f1 = table["columns"].index("f1")
    assert [row[f1] for row in table["data"]] == [one["f1"] for one in metrics["per_label"]]


def test_what_was_made_from_what_is_recorded(recorded: Path) -> None:
    train, evaluate = (Offline(file).artifacts for file in files(recorded))
    assert set(train) == {("papers", True), ("model-tracked", False)}
    assert set(evaluate) == {("papers", True), ("model-tracked", True)}
    assert evaluate["papers", True].digest == train["papers", True].digest
    made, used = train["model-tracked", False], evaluate["model-tracked", True]
    assert made.digest == used.digest
    assert {"classifier.json", "head.safetensors", "manifest.json"} <= {
        entry.path for entry in made.manifest.contents
    }


def test_the_machine_is_watched(run: Offline) -> None:
    [first, *_] = run.of("stats")
    assert any(item.key.startswith("memory") for item in first.item)


def test_a_later_run_in_the_directory_is_another_run(
    command: Command, small: list[str], keyless: dict[str, str], recorded: Path, tmp_path: Path
) -> None:
    shutil.copytree(recorded, tmp_path / "tracked", symlinks=True)
    done = command("train", *small, f"paths.runs={tmp_path}", "run=tracked", **keyless)
    assert done.returncode == 0, done.stderr
    ids = {file.name for file in files(tmp_path / "tracked")}
    assert len(ids) == 2


def test_prepare_and_package_record_what_they_make(
    command: Command,
    small: list[str],
    keyless: dict[str, str],
    recorded: Path,
    sample_run: SampleRun,
    tmp_path: Path,
) -> None:
    shutil.copytree(recorded, tmp_path / "runs" / "tracked", symlinks=True)
    there = [*small, f"paths.runs={tmp_path}/runs", "run=tracked"]
    done = command("package", *there, **keyless)
    assert done.returncode == 0, done.stderr
    packaged = newest(tmp_path / "runs" / "tracked")
    assert set(packaged.artifacts) == {("model-tracked", True), ("package-tracked", False)}
    assert packaged.summary["test/micro_f1"] > 0

    done = command("prepare", *small, f"paths.data={tmp_path}/data", **keyless)
    assert done.returncode == 0, done.stderr
    prepared = newest(tmp_path / "data")
    made = prepared.artifacts["papers", False]
    assert {entry.path for entry in made.manifest.contents} == {
        "config.json",
        "manifest.json",
        "papers.parquet",
    }
    assert prepared.summary["papers"] == json.loads(made.metadata)["papers"]
