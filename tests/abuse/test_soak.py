"""Five minutes of everything that may come; an hour of it is `make soak`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from load.traffic import KINDS
from serve.process import free_port

pytestmark = pytest.mark.slow

SOAK = Path(__file__).parents[1] / "load" / "soak.py"
MINUTES = 5


def test_it_holds_for_five_minutes(tmp_path: Path) -> None:
    out = tmp_path / "soak.jsonl"
    command = [sys.executable, str(SOAK), "--minutes", str(MINUTES), "--out", str(out)]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=MINUTES * 60 + 300, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "it held\n"), ran.stdout + ran.stderr
    *samples, last = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    # Every kind has come, and good requests were answered rather than refused.
    assert set(last["kinds"]) == set(KINDS)
    assert samples[-1]["statuses"]["200"] > samples[-1]["requests"] / 3


def test_a_service_that_is_not_there_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, str(SOAK), "--minutes", "1", "--url", url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert url in ran.stderr
    assert "Traceback" not in ran.stderr
