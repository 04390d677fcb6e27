"""Bars: on a terminal with rate and time left, elsewhere nothing."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from arxiv_core.cli.progress import bars

SHOW = """
from arxiv_core.cli.progress import bars
with bars() as progress:
    for done in range(0, 3_000_001, 500_000):
        progress({"stage": "read", "done": done, "total": 3_000_000, "unit": "bytes",
                  "loss": 0.123456, "papers": 37100.0, "bytes_per_second": 9.0})
    progress({"stage": "fit", "done": 2, "total": 0, "unit": "epochs"})
"""


def test_away_from_a_terminal_nobody_listens() -> None:
    # pytest captures standard error: it is no terminal here.
    with bars() as progress:
        assert progress is None


def test_a_terminal_shows_a_bar_a_stage() -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SHOW],
        stdout=subprocess.PIPE,
        stderr=follower,
        env=os.environ | {"COLUMNS": "140", "TERM": "xterm"},
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
    output, _ = process.communicate()
    text = shown.decode()
    assert process.returncode == 0, text
    assert output == b""
    for part in ("read", "3 MB of 3 MB", "left", "loss 0.1235", "papers 37,100", "fit", "2 epochs"):
        assert part in text
    assert "per_second" not in text
