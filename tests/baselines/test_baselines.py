"""The baselines are what scikit-learn gives, measured as a run is, and measured once."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")
pytest.importorskip("sklearn", reason="the extra `baselines` is not installed")

from arxiv_core import FitError, InputError, _core
from arxiv_core.baselines import heads, run, stage
from arxiv_core.baselines.measure import measure
from arxiv_core.baselines.task import Task, embeddings
from arxiv_core.cli import app
from arxiv_core.config import compose
from safetensors.numpy import load_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from threadpoolctl import threadpool_limits
from typer.testing import CliRunner, Result

if TYPE_CHECKING:
    from conftest import SampleRun


@dataclass(frozen=True)
class Measured:
    """A copy of the sample's data with both baselines beside it."""

    data: Path
    overrides: list[str]
    told: dict[str, dict[str, Any]]

    @property
    def papers(self) -> Path:
        return self.data / "prepared/papers.parquet"

    @property
    def embeddings(self) -> Path:
        return self.data / "embeddings/minilm.safetensors"

    def file(self, name: str) -> Path:
        return self.data / "baselines/test" / f"{name}.json"

    def metrics(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file(name).read_text(encoding="utf-8"))
        return found


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def copied(sample_run: SampleRun, folder: Path) -> tuple[Path, list[str]]:
    data = folder / "data"
    for name in ("prepared", "embeddings"):
        shutil.copytree(sample_run.papers.parents[1] / name, data / name)
    others = [one for one in sample_run.overrides if not one.startswith("paths.data=")]
    return data, [*others, f"paths.data={data}"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Fits of a hundred papers are slow where threads wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def measured(sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    data, overrides = copied(sample_run, tmp_path_factory.mktemp("baselines"))
    answer = invoke("baselines", *overrides, "--json")
    assert answer.exit_code == 0, answer.output
    return Measured(data, overrides, json.loads(answer.stdout))


def test_both_are_measured_on_the_papers_and_categories_of_the_run(
    measured: Measured, sample_run: SampleRun
) -> None:
    assert list(measured.told) == ["tfidf", "frozen-minilm"]
    own = json.loads((sample_run.run / "metrics.json").read_text(encoding="utf-8"))
    for name, told in measured.told.items():
        metrics = measured.metrics(name)
        for key in ("split", "papers", "submitted", "data", "evaluated_with"):
            assert metrics[key] == own[key]
        positives = [
            {row["label"]: row["positives"] for row in one["per_label"]} for one in (metrics, own)
        ]
        assert positives[0] == positives[1]
        assert told["micro_f1"] == metrics["micro_f1"]
        assert not told["known"]
        assert 0.5 < metrics["micro_f1"] < 1
        assert metrics["intervals"]["micro_f1"]


def plain(name: str, chosen: str, measured: Measured, task: Task) -> tuple[Any, Any]:
    """What a person writes who uses scikit-learn alone: head and features of all papers."""
    strength = float(chosen.partition("=")[2])
    if name == "tfidf":
        words = TfidfVectorizer(
            ngram_range=(1, 2), min_df=5, sublinear_tf=True, max_features=300_000, dtype=np.float32
        )
        words.fit([task.texts[row] for row in task.refit])
        head = SGDClassifier(loss="log_loss", alpha=strength, max_iter=15, tol=None, random_state=0)
        return head, words.transform(task.texts)
    head = LogisticRegression(C=strength, max_iter=200)
    return head, load_file(measured.embeddings)["embeddings"]


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("name", ["tfidf", "frozen-minilm"])
def test_probabilities_are_plain_scikit_learns(name: str, refit: bool, measured: Measured) -> None:
    task = Task.read(measured.papers, refit=refit, min_papers=1)
    checksum = _core.checksum(measured.papers)
    made = (
        heads.tfidf(task)
        if name == "tfidf"
        else heads.frozen(embeddings(measured.embeddings, checksum))
    )
    chosen, validation, test = heads.best(made[1], made[0], task, jobs=1)
    head, features = plain(name, chosen, measured, task)
    fitted = OneVsRestClassifier(head).fit(features[task.refit], task.truth[task.refit])
    logits = fitted.decision_function(features[task.test]).astype(np.float32)
    np.testing.assert_allclose(test, logits, rtol=0, atol=1e-4)
    one, zero = (np.full(len(task.labels), value, np.float32) for value in (1, 0))
    np.testing.assert_allclose(
        _core.calibrate(np.ascontiguousarray(test), one, zero),
        fitted.predict_proba(features[task.test]),
        rtol=0,
        atol=1e-5,
    )
    if not refit:
        assert chosen == measured.told[name]["chosen"]
        held = fitted.decision_function(features[task.validation]).astype(np.float32)
        np.testing.assert_allclose(validation, held, rtol=0, atol=1e-4)
        found = measure(task, held, logits)
        assert found["micro_f1"] == pytest.approx(measured.told[name]["micro_f1"], abs=1e-3)


def test_what_is_there_is_not_computed_again(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: measured.file(name).read_bytes() for name in measured.told}
    fitted = []

    def best(*arguments: Any) -> None:
        fitted.append(arguments)
        raise FitError("it is fitted")

    monkeypatch.setattr(stage, "best", best)
    answer = invoke("baselines", *measured.overrides, "--json")
    assert answer.exit_code == 0, answer.output
    assert all(told["known"] for told in json.loads(answer.stdout).values())
    assert answer.stderr.count("was measured on these papers before") == 2
    assert {name: measured.file(name).read_bytes() for name in measured.told} == before
    assert not fitted
    for other in (
        "seed=7",
        "labels.min_train_papers=4",
        "evaluation.split=validation",
        "evaluation.min_positives=3",
        "calibration=none",
        "train.refit=true",
    ):
        assert invoke("baselines", *measured.overrides, other).exit_code == 1
    assert len(fitted) == 6


def test_a_run_is_reported_beside_them(
    measured: Measured, sample_run: SampleRun, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="the extra `report` is not installed")
    shutil.copytree(sample_run.run, tmp_path / "copied")
    here = [*measured.overrides, f"paths.runs={tmp_path}", "run=copied"]
    answer = invoke("evaluate", *here)
    assert answer.exit_code == 0, answer.output
    page = (tmp_path / "copied/report.html").read_text(encoding="utf-8")
    for name in measured.told:
        assert measured.metrics(name)["name"] in page
        assert f"{measured.told[name]['micro_f1']:.3f}" in page
    assert "left out" not in page
    # Its own data, as the run's configuration names it, has none.
    assert invoke("report", str(tmp_path / "copied")).exit_code == 0
    page = (tmp_path / "copied/report.html").read_text(encoding="utf-8")
    assert "arxiv-core baselines --from RUN" in page


def test_what_is_stopped_leaves_nothing(sample_run: SampleRun, tmp_path: Path) -> None:
    data, overrides = copied(sample_run, tmp_path)

    def stop(event: dict[str, Any]) -> None:
        if event["done"] == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(compose(overrides), stop)
    assert not (data / "baselines").exists()


def test_a_label_of_one_kind_only_is_a_constant() -> None:
    features = np.eye(4, dtype=np.float32)
    for value, logit in ((0, -20), (1, 20)):
        truth = np.full(4, value, np.uint8)
        one, other = heads.one_label(LogisticRegression, truth, features, features, features[:2])
        assert one.tolist() == [logit] * 4
        assert other.tolist() == [logit] * 2


def test_labels_that_too_few_papers_have_are_refused(measured: Measured) -> None:
    with pytest.raises(FitError, match="no category has 5000 papers"):
        Task.read(measured.papers, refit=False, min_papers=5000)


def test_embeddings_of_another_table_are_refused(measured: Measured, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"minilm\.safetensors: made for another papers table"):
        embeddings(measured.embeddings, "0" * 16)
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"no tensors at all")
    with pytest.raises(InputError, match=r"other\.safetensors: no file of embeddings"):
        embeddings(other, "")


def test_the_embeddings_are_the_files(measured: Measured) -> None:
    found = embeddings(measured.embeddings, _core.checksum(measured.papers))
    np.testing.assert_array_equal(found, load_file(measured.embeddings)["embeddings"])


def test_without_scikit_learn_it_says_so(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "arxiv_core.extras.importlib.util.find_spec",
        lambda name: None if name == "sklearn" else find(name),
    )
    answer = invoke("baselines", *measured.overrides)
    assert answer.exit_code == 1
    assert "arxiv-core baselines needs sklearn" in answer.stderr
    assert "'.[baselines]'" in answer.stderr
    assert answer.stderr.count("\n") == 1
