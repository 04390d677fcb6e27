"""What the repository's own files say: targets, workflows, hooks."""

from __future__ import annotations

import importlib.util
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def targets() -> set[str]:
    """The targets that people, hooks and workflows may call."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^\.PHONY: (\S+)$", text, re.MULTILINE))


@pytest.fixture(scope="session")
def workflows() -> dict[str, dict[Any, Any]]:
    """Every workflow, parsed. YAML reads the key `on` as true."""
    paths = sorted((ROOT / ".github/workflows").iterdir())
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths}


def load(name: str) -> ModuleType:
    """Import a script of `.ci`."""
    path = ROOT / ".ci" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"ci_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def guard() -> ModuleType:
    """`.ci/guard.py`."""
    return load("guard")


@pytest.fixture(scope="session")
def data_statistics() -> ModuleType:
    """`.ci/data_statistics.py`."""
    return load("data_statistics")


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put a program of that name before all others; it notes its arguments in a file."""
    folder = tmp_path / "stand-ins"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    for name in [name for name in os.environ if "MAKE" in name]:
        monkeypatch.delenv(name)

    def make(name: str, body: str = "") -> Path:
        calls = folder / f"{name}.calls"
        calls.touch()
        program = folder / name
        program.write_text(f"#!/bin/bash\necho \"$*\" >> '{calls}'\n{body}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return calls

    return make
