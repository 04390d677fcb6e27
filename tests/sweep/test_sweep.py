"""Sweeps on the bundled corpus: shared, stopped, gone on with, and ranked."""

from __future__ import annotations

import csv
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Command, SampleRun

pytest.importorskip("optuna", reason="the extra `sweep` is not installed")

from arxiv_core import OptionError, pipeline, sweep
from arxiv_core.cli import app
from typer.testing import CliRunner

SPACE = (
    "sweep.space={train.optimizer.lr:'tag(log,interval(1e-3,1e-1))',"
    "head.width:'choice(8,16)',head.dropout:null,train.optimizer.weight_decay:null}"
)


@pytest.fixture
def small(sample_run: SampleRun, tmp_path: Path) -> list[str]:
    shared = [one for one in sample_run.overrides if one.startswith(("paths.data", "paths.cache"))]
    fast = ["head=mlp", "head.width=16", "train.epochs=1", "evaluation.bootstrap.samples=0"]
    return [*shared, f"paths.runs={tmp_path}/runs", *fast, SPACE]


def tried(found: dict[str, Any]) -> dict[int, tuple[Any, Any]]:
    return {row["trial"]: (row["parameters"], row["value"]) for row in found["trials"]}


def test_trials_are_run_ranked_and_written_down(small: list[str], tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    found = sweep.run([*small, "sweep.trials=4"], events.append)
    directory = tmp_path / "runs/head"
    assert json.loads((directory / "sweep.json").read_text(encoding="utf-8")) == found
    assert (found["complete"], found["failed"], found["running"]) == (4, 0, 0)
    values = [row["value"] for row in found["trials"]]
    assert values == sorted(values, reverse=True)
    assert found["best"] == found["trials"][0]["trial"]
    assert set(found["importance"]) <= {"train.optimizer.lr", "head.width"}
    for row in found["trials"]:
        trial = directory / f"trial-{row['trial']}"
        metrics = json.loads((trial / "metrics.json").read_text(encoding="utf-8"))
        assert (metrics["split"], metrics["micro_f1"]) == ("validation", row["value"])
        config = json.loads((trial / "config.json").read_text(encoding="utf-8"))
        assert config["head"]["width"] == row["parameters"]["head.width"]
        assert config["train"]["optimizer"]["lr"] == row["parameters"]["train.optimizer.lr"]
    with (directory / "trials.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["micro_f1"]) for row in table] == values
    assert [event["done"] for event in events] == [1, 2, 3, 4]
    assert events[-1]["best"] == values[0]
    for name in ("history.png", "history.svg"):
        assert (directory / name).stat().st_size > 1000


def test_the_best_trials_command_trains_its_very_weights(small: list[str], tmp_path: Path) -> None:
    found = sweep.run([*small, "sweep.trials=2"])
    words = shlex.split(found["command"])
    assert words[:2] == ["arxiv-core", "train"]
    again = CliRunner().invoke(app, [*words[1:], "run=again"])
    assert again.exit_code == 0, again.output
    trained = tmp_path / "runs/again/model/head.safetensors"
    best = tmp_path / f"runs/head/trial-{found['best']}/model/head.safetensors"
    assert trained.read_bytes() == best.read_bytes()


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_sweep_that_was_stopped_ends_as_one_that_was_not(
    sampler: str, small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [*small, "sweep.trials=3", f"sweep.sampler={sampler}"]
    whole = sweep.run([*asked, "sweep.name=whole"])
    really: Callable[..., dict[str, Any]] = pipeline.run
    calls: list[str] = []

    def stopping(stage: str, *arguments: Any) -> dict[str, Any]:
        calls.append(stage)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return really(stage, *arguments)

    monkeypatch.setattr(pipeline, "run", stopping)
    with pytest.raises(KeyboardInterrupt):
        sweep.run([*asked, "sweep.name=stopped"])
    monkeypatch.setattr(pipeline, "run", really)
    gone_on = sweep.run([*asked, "sweep.name=stopped"])
    assert len(calls) == 4
    assert tried(gone_on) == tried(whole)


def test_a_finished_sweep_is_shown_again_and_can_be_made_longer(small: list[str]) -> None:
    first = sweep.run([*small, "sweep.trials=2"])
    assert sweep.run([*small, "sweep.trials=2"]) == first
    longer = sweep.run([*small, "sweep.trials=3"])
    assert longer["complete"] == 3
    assert tried(first).items() <= tried(longer).items()


def test_processes_share_the_trials_and_run_no_more(small: list[str], tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "arxiv_core", "sweep", *small, "sweep.trials=4", "--json"]
    both = [
        subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert max(json.loads(out)["complete"] for out, _ in told) == 4
    assert _states(tmp_path / "runs/head") == ["COMPLETE"] * 4


def test_a_sweep_that_was_killed_goes_on(small: list[str], tmp_path: Path) -> None:
    asked = [*small, "sweep.trials=3", "train.epochs=20"]
    directory = tmp_path / "runs/head"
    process = subprocess.Popen(
        [sys.executable, "-m", "arxiv_core", "sweep", *asked],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not (directory / "locks/trial-1").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with (directory / "journal.log").open("a", encoding="utf-8") as journal:
        journal.write('{"half a li')
    assert sweep.run(asked)["complete"] == 3
    states = _states(directory)
    assert states.count("COMPLETE") == 3
    assert set(states) <= {"COMPLETE", "FAIL"}


def test_a_sweep_goes_on_with_what_it_was_begun_with(small: list[str]) -> None:
    sweep.run([*small, "sweep.trials=1"])
    with pytest.raises(OptionError) as caught:
        sweep.run([*small, "sweep.trials=2", "train.epochs=2"])
    assert "train.epochs = 2: the sweep in" in str(caught.value)
    assert "was begun with 1" in str(caught.value)


def _states(directory: Path) -> list[str]:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(directory / "journal.log")))
    study = optuna.load_study(study_name="sweep", storage=storage)
    return [trial.state.name for trial in study.get_trials(deepcopy=False)]


GRID = "train.optimizer.lr:'choice(1e30,0.002)'"
ONLY = "head.width:null,head.dropout:null,train.optimizer.weight_decay:null"


def test_a_trial_that_cannot_be_fitted_is_noted_and_the_sweep_goes_on(small: list[str]) -> None:
    longer = ["train.epochs=20", "sweep.sampler=grid", f"sweep.space={{{GRID},{ONLY}}}"]
    found = sweep.run([*small, *longer])
    assert (found["places"], found["complete"], found["failed"]) == (2, 1, 1)
    best, failed = found["trials"]
    assert best["parameters"] == {"train.optimizer.lr": 0.002}
    assert failed["state"] == "failed"
    assert "the loss is" in failed["failure"]


def test_a_sweep_of_which_every_trial_failed_says_why(small: list[str]) -> None:
    wild = GRID.replace("0.002", "1e31")
    longer = ["train.epochs=20", "sweep.sampler=grid", f"sweep.space={{{wild},{ONLY}}}"]
    with pytest.raises(sweep.SweepError, match=r"every trial failed: .*the loss is"):
        sweep.run([*small, *longer])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sweep.space={haed.width:'choice(8,16)'}", "did you mean head.width?"),
        ("sweep.space={data.max_papers:'choice(8,16)'}", "changes nothing that is fitted"),
        ("sweep.sampler=grid", "train.optimizer.lr is an interval"),
        ("sweep.trials=0", "sweep.trials = 0"),
        ("sweep.name=../elsewhere", "must name a directory below"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_first_trial(
    override: str, said: str, small: list[str], tmp_path: Path
) -> None:
    with pytest.raises(OptionError) as caught:
        sweep.run([*small, override])
    assert said in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_figure_that_is_none_names_the_nearest(small: list[str]) -> None:
    with pytest.raises(OptionError, match=r"did you mean micro_f1\?"):
        sweep.run([*small, "sweep.metric=mirco_f1"])


def test_an_error_figure_is_made_small(small: list[str]) -> None:
    found = sweep.run([*small, "sweep.trials=3", "sweep.metric=log_loss"])
    values = [row["value"] for row in found["trials"]]
    assert found["direction"] == "minimise"
    assert values == sorted(values)


def test_the_command_shows_the_ranking(small: list[str]) -> None:
    shown = CliRunner().invoke(app, ["sweep", *small, "sweep.trials=2"])
    assert shown.exit_code == 0, shown.output
    assert "sweep head: micro_f1 on validation" in shown.stdout
    assert "To train the best again:\narxiv-core train " in shown.stdout
    assert "2 of 2 trials ended" in shown.stderr


def test_trials_are_runs_of_one_group(small: list[str], command: Command, tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="the extra `tracking` is not installed")
    from tracking.offline import files, newest

    tracked = ["tracking=wandb", "tracking.mode=offline", "sweep.trials=2"]
    done = command("sweep", *small, *tracked)
    assert done.returncode == 0, done.stderr
    groups = set()
    for trial in (0, 1):
        place = tmp_path / f"runs/head/trial-{trial}"
        assert len(files(place)) == 2
        [begun] = newest(place).of("run")
        assert begun.display_name == f"head/trial-{trial}"
        groups.add(begun.run_group)
    assert groups == {"head"}
