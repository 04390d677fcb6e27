"""A short run of every fuzz target; ``make fuzz`` runs them for longer."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 45


@pytest.mark.slow
@pytest.mark.parametrize("target", ["requests"])
def test_a_run_finds_nothing(target: str) -> None:
    kept = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(
        ["make", "fuzz", f"FUZZ={target}"],
        cwd=ROOT,
        env=kept | {"SECONDS_EACH": str(SECONDS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    # Without instrumentation it would run as well, and find next to nothing.
    covered = [int(found) for found in re.findall(r"\bcov: (\d+)", done.stdout)]
    assert covered and covered[-1] > 500, done.stdout[-4000:]
    runs = re.search(r"stat::number_of_executed_units: (\d+)", done.stdout)
    assert runs and int(runs[1]) > 100, done.stdout[-4000:]
