"""Samples this process with py-spy, Python and native frames, and gives its flame graph."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from arxiv_core.extras import MissingExtraError

__all__ = ["RATE", "Sampler", "SamplerError"]

RATE = 50
"""Samples a second. At each, the process stands still until its stacks have been read."""

START = 60.0
"""Seconds py-spy may take to read the libraries' symbols, and to write the graph."""

PR_SET_PTRACER = 0x59616D61
ANYONE = ctypes.c_ulong(-1)


class SamplerError(Exception):
    """py-spy cannot look into this process."""


class Sampler:
    """Runs py-spy on this process while a block runs.

    Raises
    ------
    MissingExtraError
        py-spy is not installed.
    """

    def __init__(self) -> None:
        self._tool = _tool()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start; return once samples are taken.

        Raises
        ------
        SamplerError
            py-spy may not, or cannot, look into this process.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="arxiv-core-profile-")
        self._graph = Path(self._folder.name, "graph.svg")
        self._output = Path(self._folder.name, "output.txt")
        asked = f"--native --function --rate {RATE} --format flamegraph --pid {os.getpid()}"
        _allow(ANYONE)
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [self._tool, "record", *asked.split(), "--output", str(self._graph)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the stage.
                start_new_session=True,
            )
        if not self._started(self._process):
            reason = self._reason()
            self._end()
            raise SamplerError(reason)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End without a graph, where `stop` was not called."""
        self._end()

    def stop(self) -> str | None:
        """End, and return the graph as SVG; None where nothing was sampled."""
        process = self._process
        if process is None:
            return None
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(START)
        text = self._graph.read_text(encoding="utf-8") if self._graph.exists() else None
        self._end()
        return text

    def _started(self, process: subprocess.Popen[bytes]) -> bool:
        until = time.monotonic() + START
        while "Sampling process" not in self._said():
            if process.poll() is not None or time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def _said(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    def _reason(self) -> str:
        said = " ".join(self._said().split()) or f"no answer in {START:.0f} s"
        if "permission" in said.lower():
            return (
                "py-spy may not look into this process: run as root, or allow it "
                "(in a container --cap-add SYS_PTRACE)"
            )
        return f"py-spy cannot look into this process: {said}"

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _allow(ctypes.c_ulong(0))
        if process.poll() is None:
            process.kill()
        process.wait()
        self._folder.cleanup()


def _tool() -> str:
    # In an environment that is not activated, its commands are not on the path.
    beside = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("py-spy")
    if found is None:
        raise MissingExtraError(
            "--profile needs py-spy, which is not installed: pip install '.[profile]' in "
            "arxiv-core's repository, or 'arxiv-core[profile]' from where this wheel came",
            name="py-spy",
        )
    return found


def _allow(who: ctypes.c_ulong) -> None:
    """Let another process look into this one, where Linux asks for that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, who, 0, 0, 0)
