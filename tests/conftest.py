"""What several rooms' tests share: one run of the pipeline on the bundled corpus."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["skips_gate"]

# A job in a shell's background ignores Ctrl-C, and so would every process the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"

LOOPBACK = (None, "", "localhost", "127.0.0.1", "::1", b"localhost", b"127.0.0.1", "0.0.0.0")

Run = subprocess.CompletedProcess[str]
Command = Callable[..., Run]


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Fail a test that looks for another machine; whatever it catches, this passes through."""
    look_up = socket.getaddrinfo

    def here(host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in LOOPBACK:
            pytest.fail(f"a test looks for {host}: tests have no network")
        return look_up(host, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", here)
        yield


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    """Undo a command's logging: it would go on to a standard error that is closed by then."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    ours = logging.getLogger("arxiv_core").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("arxiv_core").setLevel(ours)


@dataclass(frozen=True)
class SampleRun:
    """A finished run: where everything lies, and the overrides that lead there."""

    overrides: list[str]
    papers: Path
    run: Path

    @property
    def package(self) -> Path:
        """The packaged model directory."""
        return self.run / "package"


def arxiv_core(*arguments: str, stdin: str | None = None, **environment: str) -> Run:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "arxiv_core", *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | environment,
        check=False,
    )


@pytest.fixture(scope="session")
def command() -> Command:
    """The command as a user runs it, its output captured."""
    return arxiv_core


@pytest.fixture(scope="session")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """Prepare, embed, train, evaluate and package the bundled corpus through the command line."""
    pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")
    from arxiv_core.cli import app
    from typer.testing import CliRunner

    work = tmp_path_factory.mktemp("sample")
    overrides = [
        f"paths.data={work}/data",
        f"paths.runs={work}/runs",
        f"paths.cache={work}/cache",
        "head=mlp",
        "head.width=32",
        "run=sample",
    ]
    runner = CliRunner()
    for stage in ("prepare", "embed", "train", "evaluate", "package"):
        result = runner.invoke(app, [stage, *overrides])
        assert result.exit_code == 0, f"{stage}: {result.output}"
    return SampleRun(overrides, work / "data/prepared/papers.parquet", work / "runs/sample")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real arXiv metadata beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("real arXiv metadata (../shared/data) is not on this machine")
    return SHARED
