"""A short run of every fuzz target; ``make fuzz`` runs them for longer."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 45


def locked(path: Path) -> dict[str, set[str]]:
    """Versions of every crate that a lock file has."""
    found: dict[str, set[str]] = {}
    for package in tomllib.loads(path.read_text(encoding="utf-8"))["package"]:
        found.setdefault(package["name"], set()).add(package["version"])
    return found


def test_the_fuzzed_crates_are_those_of_the_wheel() -> None:
    wheel, fuzzed = locked(ROOT / "Cargo.lock"), locked(ROOT / "fuzz/Cargo.lock")
    shared = wheel.keys() & fuzzed.keys()
    assert {"tokenizers", "unicode-normalization", "tch"} <= shared
    assert {name: fuzzed[name] - wheel[name] for name in shared if fuzzed[name] - wheel[name]} == {}


@pytest.mark.slow
@pytest.mark.parametrize("target", ["requests", "tokenize"])
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
