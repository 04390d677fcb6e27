"""Two runs beside each other: what is told apart, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the extra `report` is not installed")

from arxiv_core.cli import app
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import SampleRun

Read = Callable[[Path], Any]
Rescore = Callable[[Path, Callable[[dict[str, Any]], None]], None]


def diff(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["report", "diff", *map(str, arguments)])


def shuffled(arrays: dict[str, Any]) -> None:
    """Scores that know nothing."""
    arrays["probabilities"] = np.random.default_rng(1).permutation(arrays["probabilities"])


def test_a_worse_run_is_worse_beyond_chance(
    sample_run: SampleRun, run: Path, rescore: Rescore, page: Read
) -> None:
    rescore(run, shuffled)
    answer = diff(sample_run.run, run)
    assert answer.exit_code == 0, answer.output
    assert "worse" in answer.stdout
    found = page(run / "diff-sample.html")
    assert found.fetched == []
    assert "worse" in found.text
    assert "mean nothing else" in found.text
    assert (run / "diff-sample-plots/differences.png").exists()


def test_a_run_is_not_told_apart_from_itself(run: Path, tmp_path: Path) -> None:
    answer = diff(run, run, "-o", tmp_path / "self.html", "--json")
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["figures"]["micro_f1"]["interval"] == [0, 0]
    assert found["best"]["only_a"] == found["best"]["only_b"] == 0
    assert "not told apart" in (tmp_path / "self.html").read_text(encoding="utf-8")


def test_the_figures_are_those_of_the_metrics(sample_run: SampleRun, run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    found = json.loads(diff(sample_run.run, run, "--json").stdout)["figures"]
    for name in ("micro_f1", "precision_at_1", "recall_at_5", "lrap"):
        assert found[name]["b"] == pytest.approx(metrics[name], abs=1e-6)


def test_other_papers_are_refused_in_one_sentence(
    sample_run: SampleRun, run: Path, rescore: Rescore
) -> None:
    def renamed(arrays: dict[str, Any]) -> None:
        arrays["ids"] = arrays["ids"].copy()
        arrays["ids"][0] += 1

    rescore(run, renamed)
    answer = diff(sample_run.run, run)
    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert "different papers" in answer.stderr
    assert not (run / "diff-sample.html").exists()


def test_another_split_is_refused(sample_run: SampleRun, run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    changed = metrics | {"split": "validation"}
    (run / "metrics.json").write_text(json.dumps(changed), encoding="utf-8")
    answer = diff(sample_run.run, run)
    assert answer.exit_code == 1
    assert "different splits, test and validation" in answer.stderr


def test_a_run_without_scores_is_named(sample_run: SampleRun, run: Path) -> None:
    (run / "scores.safetensors").unlink()
    answer = diff(run, sample_run.run)
    assert answer.exit_code == 1
    assert "scores.safetensors is not there: run arxiv-core evaluate first" in answer.stderr
