"""A clone of this repository's pipeline, small enough to run, and a bucket to push to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SMALL = ("experiment=smoke", "train.epochs=1")
"""The pipeline that the tests run: the bundled corpus, a small head."""

EMULATOR = """
import sys
from gcp_storage_emulator.server import create_server
server = create_server("127.0.0.1", int(sys.argv[1]), in_memory=True, default_bucket="papers")
server.run()
"""


@dataclass(frozen=True)
class Clone:
    """A working copy with the pipeline in it."""

    path: Path
    home: Path

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in the clone; returns what it printed."""
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ARXIV_CORE_HOME": str(self.home),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@localhost",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@localhost",
            "COLUMNS": "200",
            # Hierarchical buckets are asked for over gRPC, which the emulator does not speak.
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }
        done = subprocess.run(
            command,
            cwd=self.path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        if check and done.returncode != 0:
            pytest.fail(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def dvc(self, *arguments: str) -> str:
        """Run DVC in the clone."""
        return self.run("dvc", *arguments)


@pytest.fixture(scope="package")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repository whose committed parameters are `SMALL`, reproduced once."""
    work = tmp_path_factory.mktemp("origin")
    clone = Clone(work / "clone", work / "home")
    clone.path.mkdir()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, clone.path / name)
    shutil.copytree(ROOT / "src", clone.path / "src")
    (clone.path / ".dvc").mkdir()
    for name in ("config", ".gitignore"):
        shutil.copy(ROOT / ".dvc" / name, clone.path / ".dvc" / name)
    params = clone.run("arxiv-core", "config", "--plain", *SMALL)
    (clone.path / "params.yaml").write_text(params, encoding="utf-8")
    clone.run("git", "init", "-q", "-b", "main")
    clone.run("git", "add", "-A")
    clone.run("git", "commit", "-q", "-m", "pipeline")
    clone.dvc("repro")
    clone.run("git", "add", "-A")
    clone.run("git", "commit", "-q", "-m", "reproduced")
    return clone


@pytest.fixture(scope="package")
def bucket(unused_port: int) -> Iterator[str]:
    """Address of an emulated Google Cloud Storage with the bucket ``papers``."""
    command = [sys.executable, "-c", EMULATOR, str(unused_port)]
    address = f"http://127.0.0.1:{unused_port}"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}/storage/v1/b/papers", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.1)
        yield address
        process.terminate()


@pytest.fixture(scope="package")
def unused_port() -> int:
    """A port that nothing listens on."""
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
