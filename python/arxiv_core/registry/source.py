"""What is registered: a model directory, or a finished run."""

from __future__ import annotations

from pathlib import Path

from arxiv_core.pipeline.layout import NotYetError
from arxiv_core.pipeline.record import read_json
from arxiv_core.registry.content import MANIFEST
from arxiv_core.registry.records import Provenance

__all__ = ["source"]

ENVIRONMENT = "environment.json"
"""Where a run says what it was made in."""


def source(given: str, runs: Path) -> tuple[Path, Provenance]:
    """Find the model directory that is meant.

    Parameters
    ----------
    given
        A model directory, a run's directory, or a run's name.
    runs
        Where runs lie.

    Returns
    -------
    tuple of Path and Provenance
        The model directory, and what is known about how it was made.

    Raises
    ------
    NotYetError
        It is a run that has not been packaged.
    FileNotFoundError
        There is nothing of that name.
    """
    path = Path(given).expanduser()
    if not path.is_dir() and (runs / given).is_dir():
        path = runs / given
    if not path.is_dir():
        raise FileNotFoundError(2, f"No such model directory, and no such run in {runs}", given)
    if (path / MANIFEST).is_file():
        # A run's model lies inside the run.
        inside = path.name in {"package", "model"} and (path.parent / "config.json").is_file()
        return path, _provenance(path.parent) if inside else Provenance()
    if (path / "package").is_dir():
        return path / "package", _provenance(path)
    if (path / "model").is_dir():
        raise NotYetError(f"{path}: the run has no package yet: run arxiv-core package first")
    return path, Provenance()


def _provenance(run: Path) -> Provenance:
    return Provenance(run=run.resolve().name, git_commit=_commit(run))


def _commit(run: Path) -> str | None:
    """Say which commit made a run, marked where the working tree had changes."""
    try:
        git = read_json(run / ENVIRONMENT)["git"]
        return f"{git['commit']}{'-dirty' if git.get('dirty') else ''}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # An older run has no such record, and a run outside a repository no commit.
        return None
