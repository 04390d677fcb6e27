"""A run leaves what it needs to be made again."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from arxiv_core.config import compose
from arxiv_core.pipeline import environment, raw
from arxiv_core.pipeline.layout import Layout, NotYetError
from arxiv_core.pipeline.rerun import rerun

if TYPE_CHECKING:
    from conftest import SampleRun


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_run_made_again_from_its_directory_alone_has_the_same_bytes(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    run = tmp_path / "elsewhere"
    shutil.copytree(sample_run.run, run)
    found = rerun(run)
    assert found == {"run": str(tmp_path / "elsewhere-rerun"), "same": True, "differing": []}
    again = tmp_path / "elsewhere-rerun"
    assert read(again / "headline.json") == read(run / "headline.json")
    for name in ("head.safetensors", "classifier.json"):
        assert (again / "model" / name).read_bytes() == (run / "model" / name).read_bytes()


def test_a_run_that_comes_out_otherwise_says_what_was_another(
    sample_run: SampleRun, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(sample_run.run, run)
    config = read(run / "config.json")
    config["seed"] += 1
    (run / "config.json").write_text(json.dumps(config), encoding="utf-8")
    surroundings = read(run / environment.RECORD)
    surroundings["packages"]["torch"] = "1.0"
    (run / environment.RECORD).write_text(json.dumps(surroundings), encoding="utf-8")
    found = rerun(run, tmp_path / "again")
    assert not found["same"]
    assert "head.safetensors" in found["differing"]
    assert any(line.startswith("packages torch: 1.0 then") for line in found["surroundings"])


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotYetError, match="no finished run"):
        rerun(tmp_path)


def test_a_run_says_what_it_was_made_in(sample_run: SampleRun) -> None:
    found = read(sample_run.run / environment.RECORD)
    assert found["packages"]["torch"]
    assert found["hardware"]["cores"] >= 1
    assert found["command"]


def test_the_working_trees_changes_are_kept_beside_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, run = tmp_path / "code", tmp_path / "run"
    code.mkdir()
    run.mkdir()
    git(code, "init", "-q")
    (code / "a").write_text("one\n", encoding="utf-8")
    git(code, "add", "a")
    git(code, "commit", "-q", "-m", "a")
    monkeypatch.chdir(code)
    environment.write(run)
    clean = read(run / environment.RECORD)["git"]
    assert not clean["dirty"]
    assert not (run / environment.CHANGES).exists()
    (code / "a").write_text("two\n", encoding="utf-8")
    (code / "b").write_text("", encoding="utf-8")
    environment.write(run)
    dirty = read(run / environment.RECORD)["git"]
    assert dirty == {"commit": clean["commit"], "dirty": True, "untracked": ["b"]}
    git(code, "checkout", "-q", "a")
    git(code, "apply", str(run / environment.CHANGES))
    assert (code / "a").read_text(encoding="utf-8") == "two\n"
    git(code, "checkout", "-q", "a")
    environment.write(run)
    assert not (run / environment.CHANGES).exists()


def test_outside_of_a_repository_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found, changes = environment.describe()
    assert found["git"] is None
    assert changes is None


def test_a_corpus_laid_aside_serves_when_its_source_is_gone(tmp_path: Path) -> None:
    source = tmp_path / "mine.jsonl"
    shutil.copy(raw.SAMPLE, source)
    config = compose([f"data.source={source}", f"paths.data={tmp_path}/data"])
    record = raw.run(config)
    kept = Layout.of(config).raw / record["file"]
    assert raw.source(config) == source
    raw.check(config)
    with source.open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(raw.ChangedSourceError, match="has changed"):
        raw.check(config)
    source.unlink()
    assert raw.source(config) == kept
    assert kept.read_bytes() == raw.SAMPLE.read_bytes()
    other = compose(["data.source=other.jsonl", f"paths.data={tmp_path}/data"])
    assert raw.source(other) == Path("other.jsonl")


def test_a_source_that_is_not_there_leaves_what_was_laid_aside(tmp_path: Path) -> None:
    config = compose([f"paths.data={tmp_path}"])
    raw.run(config)
    before = sorted(path.name for path in Layout.of(config).raw.iterdir())
    with pytest.raises(FileNotFoundError):
        raw.run(compose([f"data.source={tmp_path}/gone.json", f"paths.data={tmp_path}"]))
    assert sorted(path.name for path in Layout.of(config).raw.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
