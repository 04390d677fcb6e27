"""What a command logs, where, and in which form."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from arxiv_core.cli import app
from typer.testing import CliRunner, Result

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

if TYPE_CHECKING:
    from conftest import SampleRun


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def kept(path: Path) -> list[dict[str, Any]]:
    return lines(path.read_text(encoding="utf-8"))


def invoke(*arguments: str, **environment: str) -> Result:
    run = CliRunner().invoke(app, list(arguments), env=environment)
    assert run.exit_code == 0, run.stderr
    return run


def prepare(folder: Path) -> list[str]:
    return ["prepare", f"paths.data={folder}", f"paths.runs={folder}/runs"]


def test_every_stage_says_what_it_did_and_where_it_wrote(sample_run: SampleRun) -> None:
    data = sample_run.papers.parents[1]
    files = [data / "prepare.log", data / "embed.log", sample_run.run / "run.log"]
    done = {
        record["stage"]: record
        for file in files
        for record in kept(file)
        if record["logger"] == "arxiv_core.pipeline.events"
    }
    assert set(done) == {"prepare", "embed", "train", "evaluate", "package"}
    assert all(Path(record["output"]).exists() for record in done.values())
    assert done["prepare"]["papers"] == sum(done["prepare"]["splits"].values())
    assert done["embed"]["papers"] == done["prepare"]["papers"]
    assert done["train"]["labels"] >= 12
    assert 0 < done["evaluate"]["micro_f1"] <= 1


def test_what_rust_logs_is_in_the_file_too(sample_run: SampleRun) -> None:
    records = kept(sample_run.papers.parents[1] / "prepare.log")
    [rust] = [one for one in records if one["logger"] == "arxiv_core.corpus.prepare"]
    assert rust["severity"] == "INFO"
    assert "core seconds by step" in rust["message"]


def test_away_from_a_terminal_a_record_is_a_json_line(tmp_path: Path) -> None:
    run = invoke(*prepare(tmp_path))
    loggers = {record["logger"] for record in lines(run.stderr)}
    assert {"arxiv_core.corpus.prepare", "arxiv_core.pipeline.events"} <= loggers


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(["--log-format", "human"], {}), ([], {"ARXIV_CORE_LOG_FORMAT": "human"})],
)
def test_the_form_can_be_asked_for(
    tmp_path: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    run = invoke(*prepare(tmp_path), *arguments, **environment)
    assert " INFO arxiv_core.corpus.prepare: prepared " in run.stderr


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(["--log-level=error"], {}), ([], {"ARXIV_CORE_LOG_LEVEL": "error"})],
)
def test_one_level_for_rust_and_python_and_the_file_keeps_info(
    tmp_path: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    run = invoke(*prepare(tmp_path), *arguments, **environment)
    assert run.stderr == ""
    assert len({record["logger"] for record in kept(tmp_path / "prepare.log")}) >= 2


@pytest.mark.parametrize("name", ["ARXIV_CORE_LOG_LEVEL", "ARXIV_CORE_LOG_FORMAT"])
def test_a_wrong_word_in_the_environment_is_named(name: str) -> None:
    run = CliRunner().invoke(app, ["taxonomy"], env={name: "loud"})
    assert run.exit_code == 2
    assert "loud" in run.stderr
    assert name in run.stderr


def test_a_terminal_gets_lines_for_reading(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "arxiv_core", *prepare(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=follower,
        env=os.environ | {"COLUMNS": "200", "TERM": "xterm"},
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            chunk = os.read(leader, 4096)
        except OSError:  # Linux's end of file on a terminal
            break
        if not chunk:
            break
        shown += chunk
    os.close(leader)
    assert process.wait() == 0, shown.decode()
    assert b"INFO" in shown
    assert b'"message"' not in shown


def test_the_log_lies_outside_of_what_a_stage_hands_on(sample_run: SampleRun) -> None:
    for folder in (sample_run.papers.parent, sample_run.run / "model", sample_run.package):
        assert not list(folder.glob("*.log*"))


def test_a_failed_stage_leaves_its_reason_in_the_log(sample_run: SampleRun) -> None:
    before = len(kept(sample_run.run / "run.log"))
    run = CliRunner().invoke(app, ["train", *sample_run.overrides, "model.max_length=256"])
    assert run.exit_code == 2
    last = kept(sample_run.run / "run.log")[before:][-1]
    assert last["severity"] == "ERROR"
    assert "embed again" in last["message"]
    assert "Traceback" in last["exception"]
