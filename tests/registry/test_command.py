"""``arxiv-core model``: what each command prints and how it ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from arxiv_core.cli import app
from arxiv_core.pipeline.record import write_json
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import SampleRun
    from registry.conftest import Make

Run = Callable[..., Any]
FREE = ["--without", "quality", "--without", "behaviour", "--latency-ratio", "100"]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the registry in ARXIV_CORE_HOME."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object, code: int = 0) -> Any:
        answer = CliRunner().invoke(app, ["model", *map(str, arguments)])
        assert answer.exit_code == code, answer.output
        return answer

    return run


def read(answer: Any) -> Any:
    return json.loads(answer.stdout)


def test_a_model_goes_through_its_life(model: Run, make: Make, tmp_path: Path) -> None:
    assert "no models in" in model("list").stdout
    assert model("register", make(1), "--alias", "staging").stdout == "arxiv@v1 (staging)\n"
    assert model("register", make(2)).stdout == "arxiv@v2\n"
    table = model("promote", "arxiv@staging", *FREE, "--device", "cpu").stdout
    assert "latency" in table
    assert "production: nothing -> v1" in table
    assert model("alias", "arxiv@v2", "staging").stdout == "arxiv@staging: v1 -> v2\n"
    listed = model("list").stdout
    assert "arxiv@v1" in listed
    assert "production" in listed
    shown = model("show", "arxiv").stdout
    assert "arxiv@v1" in shown
    assert "every file is as its manifest lists it" in shown
    assert model("pull", "arxiv@staging", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out/classifier.json").read_bytes() == (
        tmp_path / "models/model-2/classifier.json"
    ).read_bytes()
    assert model("alias", "arxiv", "staging", "--remove").stdout == (
        "arxiv@staging: v2 -> nothing\n"
    )
    assert model("history").stdout.count("staging") == 3


def test_every_answer_is_there_as_json(model: Run, make: Make, tmp_path: Path) -> None:
    made = read(model("register", make(1), "--alias", "best", "--json"))
    assert (made["version"], made["aliases"], made["new"]) == ("v1", ["best"], True)
    [listed] = read(model("list", "--json"))
    assert listed == {key: value for key, value in made.items() if key != "new"}
    move = read(model("promote", "arxiv@v1", *FREE, "--device", "cpu", "--json"))
    assert (move["moved"], move["gate"]["without"]) == (True, ["quality", "behaviour"])
    shown = read(model("show", "arxiv@production", "--json"))
    assert Path(shown["directory"]).is_dir()
    assert [one["alias"] for one in shown["moves"]] == ["best", "production"]
    assert read(model("history", "arxiv", "--json")) == shown["moves"]
    assert read(model("alias", "arxiv@v1", "staging", "--json"))["target"] == "v1"
    pulled = read(model("pull", "arxiv", tmp_path / "out", "--json"))
    assert pulled["directory"] == str(tmp_path / "out")


def test_a_refused_promotion_ends_with_one(model: Run, make: Make) -> None:
    model("register", make(1))
    slow = [*FREE, "--device", "cpu", "--latency-limit", "0.001"]
    answer = model("promote", "arxiv@v1", *slow, code=1)
    assert "failed" in answer.stdout
    assert "arxiv@v1 is not promoted: latency: " in answer.stderr
    assert "v1 refused" in model("history").stdout
    move = read(model("promote", "arxiv@v1", *slow, "--json", code=1))
    assert not move["moved"]


def test_the_same_model_again_is_said(model: Run, make: Make) -> None:
    one = make(1)
    model("register", one)
    assert model("register", one).stdout == "arxiv@v1: this content was there already\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "arxiv@v9"], "arxiv-core: model arxiv@v9: no version v9; there is only v1"),
        (["show", "arxif"], "model arxif: not in the registry"),
        (["alias", "arxiv@v1", "v2"], "alias 'v2': looks like a version, and versions never move"),
        (["alias", "arxiv@v1", "production"], "only arxiv-core model promote moves it"),
        (["alias", "arxiv", "staging"], "say which version"),
        (["register", "nowhere"], "nowhere: No such model directory, and no such run in runs"),
        (["register", "nowhere", "--alias", "v3"], "looks like a version"),
        (["promote", "arxiv@v1", "--papers", "none.parquet"], "none.parquet: No such file"),
        (["list", "--registry", "here", "--backend", "wandb"], "not a place of the backend wandb"),
    ],
)
def test_a_mistake_is_one_sentence(model: Run, make: Make, arguments: list[str], said: str) -> None:
    model("register", make(1))
    answer = model(*arguments, code=1)
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_registry_can_be_named(
    model: Run, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "team"
    model("register", make(1), "--registry", place)
    assert "no models" in model("list").stdout
    monkeypatch.setenv("ARXIV_CORE_REGISTRY", str(place))
    assert "arxiv@v1" in model("list").stdout


def test_a_run_is_registered_with_where_it_came_from(
    model: Run, sample_run: SampleRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "runs/first"
    shutil.copytree(sample_run.run, run)
    write_json(run / "environment.json", {"git": {"commit": "0123456789", "dirty": True}})
    monkeypatch.chdir(tmp_path)
    made = read(model("register", "first", "--json"))
    assert (made["run"], made["git_commit"]) == ("first", "0123456789-dirty")
    assert made["metrics"]["micro_f1"] > 0
    assert made["metrics"]["split"] == "test"
    assert read(model("register", run / "package", "--json"))["version"] == "v1"
    shutil.rmtree(run / "package")
    answer = model("register", "first", code=1)
    assert "run arxiv-core package first" in answer.stderr
