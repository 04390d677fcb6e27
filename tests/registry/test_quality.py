"""The quality bar: a paired comparison on the labels that both models have."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from arxiv_core.pipeline.record import read_json, write_json
from arxiv_core.registry import quality
from arxiv_core.registry.quality import Evidence
from arxiv_core.registry.report import Bars
from classifier import tiny
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from conftest import SampleRun

PAPERS = 400


Scores = dict[str, Any]


def scores(labels: str, right: float, seed: int = 0) -> Scores:
    """A model that says the truth of a pair with the probability `right`."""
    random = np.random.default_rng(7)
    truth = (random.random((PAPERS, 5)) < 0.3).astype(np.uint8)
    noise = np.random.default_rng(seed).random((PAPERS, 5)) < right
    said = np.where(noise, truth, 1 - truth)
    at = ["abcde".index(label) for label in labels]
    return {
        "labels": lines(labels),
        "ids": lines(map(str, range(PAPERS))),
        "thresholds": np.full(len(at), 0.5, dtype=np.float32),
        "probabilities": np.ascontiguousarray(0.1 + 0.8 * said[:, at], dtype=np.float32),
        "truth": np.ascontiguousarray(truth[:, at]),
    }


def lines(words: Iterable[str]) -> Any:
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Compare two models that are given by their scores."""
    papers = tmp_path / "papers.parquet"
    papers.touch()

    def compare(present: Scores, candidate: Scores, **bars: Any) -> Any:
        models = {tmp_path / "present": present, tmp_path / "candidate": candidate}
        for model, found in models.items():
            labels = found["labels"].tobytes().decode().split()
            write_json(model / "classifier.json", {"labels": labels})
        monkeypatch.setattr(
            quality,
            "_score",
            lambda model, file, *_: save_file(models[model], file, {"split": "test"}),
        )
        present_, candidate_ = models
        evidence = Evidence(papers)
        return quality.check(candidate_, present_, evidence, Bars(samples=300, **bars), "cpu")

    return compare


def test_a_better_model_passes(compared: Any) -> None:
    check = compared(scores("abcde", 0.8), scores("abcde", 0.95, seed=1))
    assert check.passed
    assert check.figures["micro_f1"]["interval"][0] > 0
    assert check.figures["labels"] == 5


def test_a_model_that_is_worse_beyond_chance_is_refused(compared: Any) -> None:
    check = compared(scores("abcde", 0.95), scores("abcde", 0.8, seed=1))
    assert not check.passed
    assert "all of it lies below" in check.sentence
    assert check.figures["micro_f1"]["difference"] < 0


def test_a_model_that_chance_may_have_made_worse_passes(compared: Any) -> None:
    check = compared(scores("abcde", 0.9), scores("abcde", 0.9, seed=1))
    low, high = check.figures["micro_f1"]["interval"]
    assert low < 0 < high
    assert check.passed


def test_a_loss_within_the_tolerance_passes(compared: Any) -> None:
    worse = scores("abcde", 0.95), scores("abcde", 0.8, seed=1)
    assert compared(*worse, tolerance=0.5).passed
    assert not compared(*worse, tolerance=0.01).passed


def test_models_are_compared_on_the_labels_that_both_have(compared: Any) -> None:
    check = compared(scores("abcd", 0.9), scores("dcae", 0.9, seed=1))
    assert check.passed
    assert (check.figures["labels_only_present"], check.figures["labels_only_candidate"]) == (1, 1)
    assert "3 labels that both have (1 only the present model, 1 only this one)" in check.sentence
    same = compared(scores("abc", 0.9), scores("cab", 0.9))
    assert same.figures["micro_f1"]["difference"] == 0
    assert not compared(scores("ab", 0.9), scores("cd", 0.9)).passed


def test_without_a_present_model_it_passes_and_says_so() -> None:
    check = quality.check(Path("x"), None, Evidence(), Bars(), "cpu")
    assert check.passed
    assert "no model in place" in check.sentence


@pytest.mark.parametrize("papers", [None, Path("nowhere.parquet")])
def test_without_papers_it_fails_and_says_what_to_give(papers: Path | None) -> None:
    check = quality.check(Path("x"), Path("y"), Evidence(papers), Bars(), "cpu")
    assert not check.passed
    assert "--papers" in check.sentence
    assert "--without quality" in check.sentence


def degraded(package: Path, target: Path) -> Path:
    """A copy that assigns next to nothing."""
    shutil.copytree(package, target)
    spec = read_json(target / "classifier.json")
    write_json(target / "classifier.json", spec | {"thresholds": [0.999] * len(spec["labels"])})
    tiny.manifest(target)
    return target


def test_models_are_scored_on_the_table_and_its_embeddings(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    worse = degraded(sample_run.package, tmp_path / "worse")
    embeddings = sample_run.papers.parents[1] / "embeddings/minilm.safetensors"
    evidence = Evidence(sample_run.papers, embeddings)
    refused = quality.check(worse, sample_run.package, evidence, Bars(), "cpu")
    assert not refused.passed
    assert refused.figures["micro_f1"]["difference"] < -0.1
    assert refused.figures["micro_f1"]["a"] == pytest.approx(
        read_json(sample_run.run / "metrics.json")["micro_f1"], abs=1e-6
    )
    assert quality.check(sample_run.package, worse, evidence, Bars(), "cpu").passed


def test_embeddings_that_a_model_does_not_read_are_made_anew(
    sample_run: SampleRun, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shorter = tmp_path / "shorter"
    shutil.copytree(sample_run.package, shorter)
    spec = read_json(shorter / "classifier.json")
    write_json(shorter / "classifier.json", spec | {"max_length": 256})
    tiny.manifest(shorter)
    embeddings = sample_run.papers.parents[1] / "embeddings/minilm.safetensors"
    caplog.set_level("INFO", "arxiv_core")
    # The other model's are read: only one model encodes.
    evidence = Evidence(sample_run.papers, embeddings)
    check = quality.check(shorter, sample_run.package, evidence, Bars(), "cpu")
    assert check.passed
    assert "max_length" in caplog.text
    assert "encoding the papers for" in caplog.text
