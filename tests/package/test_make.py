"""The Makefile's targets leave the user's own data alone."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def recipe(target: str) -> list[list[str]]:
    """The commands of a target, none of them run."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [shlex.split(line, comments=True) for line in done.stdout.splitlines()]


def test_the_demo_runs_the_pipeline_as_it_is_committed() -> None:
    commands = [[Path(words[0]).name, *words[1:]] for words in recipe("demo") if words]
    assert ["dvc", "repro"] in commands


def test_clean_removes_what_the_targets_made_and_not_the_users_data() -> None:
    [removed] = [set(words[2:]) for words in recipe("clean") if words[:2] == ["rm", "-rf"]]
    made = {".venv-bench", ".venv-bento", ".venv-docs", ".venv-infinity", "build", "benches/data"}
    assert removed >= made
    assert not removed & {"data", "runs", "outputs"}


def dependencies(edges: str, *features: str) -> dict[str, set[str]]:
    """Every dependency of a build, with the features it is compiled with."""
    tree = ["cargo", "tree", "--locked", "--prefix=none", "--format={p}|{f}", f"--edges={edges}"]
    done = subprocess.run([*tree, *features], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        name, _, with_features = line.removesuffix(" (*)").partition("|")
        if name and not name.startswith("arxiv-core "):
            found.setdefault(name.removesuffix(" (proc-macro)"), set()).add(with_features)
    return found


@pytest.mark.parametrize(
    "features", [(), ("--no-default-features",), ("--features", "python")], ids=" ".join
)
def test_tests_compile_no_dependency_otherwise_than_the_wheel(features: tuple[str, ...]) -> None:
    wheel = dependencies("normal,build", "--features", "python")
    tests = dependencies("normal,build,dev", *features)
    assert len(tests) > 100
    assert {name: tests[name] - found for name, found in wheel.items() if name in tests} == {
        name: set() for name in wheel if name in tests
    }
