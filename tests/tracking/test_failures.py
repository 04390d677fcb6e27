"""What ends badly is closed as failed, and what W&B itself gets wrong costs nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from arxiv_core.config.schema import Tracking, TrackingMode
from arxiv_core.tracking.mode import mode
from tracking.offline import files, newest

if TYPE_CHECKING:
    from conftest import Command

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")


def test_a_fit_that_fails_is_closed_as_failed(
    command: Command, small: list[str], keyless: dict[str, str], tmp_path: Path
) -> None:
    wild = ["train.optimizer.lr=1e30", f"paths.runs={tmp_path}", "run=wild"]
    done = command("train", *small, *wild, **keyless)
    assert done.returncode == 1
    assert newest(tmp_path / "wild").exit_code == 1


def test_an_interrupted_fit_is_closed_as_failed(
    small: list[str], keyless: dict[str, str], tmp_path: Path
) -> None:
    endless = ["train.epochs=1000000", f"paths.runs={tmp_path}", "run=stopped"]
    process = subprocess.Popen(
        [sys.executable, "-m", "arxiv_core", "train", *small, *endless],
        env=os.environ | keyless,
        stderr=subprocess.PIPE,
        text=True,
    )
    told = tmp_path / "stopped/wandb/told.jsonl"
    deadline = time.monotonic() + 60
    while not (told.exists() and "fit/loss" in told.read_text(encoding="utf-8")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    stopped = newest(tmp_path / "stopped")
    assert stopped.exit_code == 1
    assert any("fit/loss" in row for row in stopped.history)


def test_without_a_key_nothing_is_sent_and_one_line_says_how_to(
    command: Command, small: list[str], keyless: dict[str, str], tmp_path: Path
) -> None:
    heard: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_listen, args=(server, heard), daemon=True).start()
        here = f"http://127.0.0.1:{server.getsockname()[1]}"
        ways_out = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "WANDB_BASE_URL"), here)
        done = command("train", *small, f"paths.runs={tmp_path}", "run=quiet", **keyless | ways_out)
        # What listens is heard: else an empty list would prove nothing.
        assert heard == []
        socket.create_connection(server.getsockname()).close()
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            time.sleep(0.01)
        assert heard
    assert done.returncode == 0, done.stderr
    [line] = [one for one in done.stderr.splitlines() if "wandb" in one.lower() or "W&B" in one]
    said = json.loads(line)["message"]
    assert said.endswith(f"to send it: wandb sync {tmp_path}/quiet/wandb")


def _listen(server: socket.socket, heard: list[Any]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        heard.append(connection.getpeername())
        connection.close()


def test_a_place_that_cannot_be_written_costs_no_training(
    command: Command, small: list[str], keyless: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "wandb").write_text("a file where W&B wants a folder", encoding="utf-8")
    done = command("train", *small, f"paths.runs={tmp_path}", "run=odd", **keyless)
    assert done.returncode == 0, done.stderr
    assert "the stage goes on without it" in done.stderr
    assert (tmp_path / "odd/model/manifest.json").is_file()


def test_a_fault_on_the_way_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    from arxiv_core.tracking.run import Run

    asked: list[str] = []

    def log(values: object) -> None:
        asked.append("log")
        raise ConnectionError("the line is dead")

    broken = SimpleNamespace(
        id="x",
        offline=True,
        resumed=False,
        log=log,
        define_metric=lambda *_, **__: None,
        finish=lambda exit_code: asked.append(f"finish {exit_code}"),
    )
    monkeypatch.setattr("wandb.init", lambda **_: broken)
    run = Run(Tracking(mode=TrackingMode.offline), tmp_path, name="x", job="train", anew=True)
    run.row({"a/steps": 1.0, "a/loss": 2.0}, "a/steps")
    run.row({"a/steps": 2.0, "a/loss": 1.0}, "a/steps")
    run.finish(failed=False)
    assert asked == ["log", "finish 0"]
    told = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert told == ["W&B: the line is dead; the stage goes on without it"]


def test_without_a_server_a_run_is_recorded_offline(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    from arxiv_core.tracking.run import Run

    def init(**asked: Any) -> SimpleNamespace:
        if asked["mode"] == "online":
            raise ConnectionError("no route to the server")
        return SimpleNamespace(id="x", offline=True, resumed=False, finish=lambda exit_code: None)

    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr("wandb.init", init)
    caplog.set_level("INFO")
    run = Run(Tracking(), tmp_path, name="x", job="train", anew=True)
    run.finish(failed=False)
    assert "no route to the server; recording offline" in caplog.text
    assert f"wandb sync {tmp_path}/wandb" in caplog.text


@pytest.mark.parametrize(
    ("asked", "own", "key", "chosen"),
    [
        (TrackingMode.auto, None, False, "offline"),
        (TrackingMode.auto, None, True, "online"),
        (TrackingMode.auto, "offline", True, "offline"),
        (TrackingMode.auto, "disabled", True, "disabled"),
        (TrackingMode.offline, "online", True, "offline"),
        (TrackingMode.online, "offline", True, "online"),
    ],
)
def test_the_mode_depends_on_what_is_asked_and_on_the_key(
    asked: TrackingMode,
    own: str | None,
    key: bool,
    chosen: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_BASE_URL", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.wandb.ai login user password secret\n" if key else "")
    monkeypatch.setenv("NETRC", str(netrc))
    if own is not None:
        monkeypatch.setenv("WANDB_MODE", own)
    assert mode(asked) == chosen


def test_online_without_a_key_is_refused_before_anything_runs(
    command: Command, small: list[str], keyless: dict[str, str], tmp_path: Path
) -> None:
    there = [f"paths.runs={tmp_path}", "run=online", "tracking.mode=online"]
    done = command("train", *small, *there, **keyless)
    assert done.returncode == 2
    assert "there is no key for api.wandb.ai" in done.stderr
    assert files(tmp_path / "online") == []
