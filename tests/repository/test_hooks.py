"""Hooks are the repository's own: make targets and tools of the environment, nothing fetched."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="module")
def repositories(root: Path) -> list[dict[str, Any]]:
    text = (root / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["repos"]
    return found


def test_every_hook_is_local_and_brings_no_environment(repositories: list[dict[str, Any]]) -> None:
    assert [one["repo"] for one in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert len(hooks) >= 8
    assert {hook["language"] for hook in hooks} == {"system"}
    assert not [hook["id"] for hook in hooks if "additional_dependencies" in hook]


def test_every_hook_calls_a_target_or_a_pinned_tool(
    repositories: list[dict[str, Any]], targets: set[str], root: Path
) -> None:
    pinned = set()
    for name in ("requirements.txt", "requirements-dev.txt"):
        pinned |= set(re.findall(r"^([a-z0-9-]+)==", (root / name).read_text(), re.MULTILINE))
    for hook in repositories[0]["hooks"]:
        program, *words = hook["entry"].split()
        if program == "make":
            assert words[-1] in targets, hook["id"]
        elif program.startswith(".venv/bin/"):
            tool = program.removeprefix(".venv/bin/")
            assert tool in pinned or tool == "python", hook["id"]
        else:
            assert hook["entry"] == "cargo fmt"


def test_hooks_cover_what_lint_covers(repositories: list[dict[str, Any]]) -> None:
    entries = " ".join(hook["entry"] for hook in repositories[0]["hooks"])
    for tool in ("guard.py", "ruff format", "ruff check", "nbstripout", "cargo fmt", "clippy"):
        assert tool in entries
    for target in ("types", "lint-workflows"):
        assert f"make --silent {target}" in entries
