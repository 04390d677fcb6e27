"""A stage's records stay in a file beside what it made, how it ended among them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from arxiv_core.logs import stage_log

log = logging.getLogger("arxiv_core.tests.stage_log")


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    package = logging.getLogger("arxiv_core")
    before = package.level
    package.setLevel(logging.INFO)
    yield
    package.setLevel(before)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def event(stage: str, done: int, **figures: float) -> dict[str, Any]:
    return {"stage": stage, "done": done, "total": 9, "unit": "epochs"} | figures


def test_records_of_the_block_are_kept_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "run" / "run.log"
    with stage_log("train", path):
        log.info("fitted", extra={"labels": 7})
    log.info("later")
    [record] = lines(path)
    assert (record["message"], record["labels"]) == ("fitted", 7)
    with stage_log("evaluate", path):
        logging.getLogger("elsewhere").warning("odd")
    assert [record["message"] for record in lines(path)] == ["fitted", "odd"]


def test_each_phase_is_a_record_with_its_last_figures(tmp_path: Path) -> None:
    shown: list[dict[str, Any]] = []
    with stage_log("train", tmp_path / "run.log", shown.append) as progress:
        progress(event("fit", 1, loss=0.9))
        progress(event("fit", 2, loss=0.5))
        progress(event("thresholds", 0))
        progress.finish()
    assert len(shown) == 3
    fit, thresholds = lines(tmp_path / "run.log")
    assert (fit["phase"], fit["done"], fit["figures"]) == ("fit", 2, {"loss": 0.5})
    assert fit["message"].startswith("train: fit 2 epochs in ")
    assert thresholds["phase"] == "thresholds"
    assert "figures" not in thresholds


def test_a_failure_is_the_last_record_with_where_it_happened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        pytest.raises(ValueError, match="singular"),
        stage_log("train", tmp_path / "run.log") as progress,
    ):
        progress(event("fit", 1))
        raise ValueError("singular")
    [record] = lines(tmp_path / "run.log")
    assert (record["severity"], record["phase"]) == ("ERROR", "fit")
    assert "train failed after" in record["message"]
    assert "in test_a_failure_is" in record["exception"]
    assert not caplog.records


def test_control_c_is_a_warning_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), stage_log("embed", tmp_path / "embed.log"):
        raise KeyboardInterrupt
    [record] = lines(tmp_path / "embed.log")
    assert record["severity"] == "WARNING"
    assert "was stopped" in record["message"]
    assert "exception" not in record


def test_what_had_not_begun_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"), stage_log("train", tmp_path / "run" / "run.log"):
        raise OSError("missing")
    assert list(tmp_path.iterdir()) == []


def test_the_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arxiv_core.logs.run_file.BYTES", 4000)
    with stage_log("train", tmp_path / "run.log"):
        for number in range(400):
            log.info("record %d", number)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["run.log", "run.log.1", "run.log.2", "run.log.3"]
    assert all((tmp_path / name).stat().st_size <= 4000 for name in kept)
    assert lines(tmp_path / "run.log")[-1]["message"] == "record 399"


def test_a_file_that_cannot_be_written_is_said_once_and_stops_nothing(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A command that another test ran in this process has left its handler.
    monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])
    (tmp_path / "run").write_text("in the way")
    with stage_log("train", tmp_path / "run" / "run.log"):
        log.info("one")
        log.info("two")
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == 1
    assert "cannot be written" in said[0]
    assert capsys.readouterr().err == ""
