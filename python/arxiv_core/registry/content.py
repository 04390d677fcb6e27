"""A model directory as the registry sees it: checked files, a hash, a headline."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from arxiv_core._core import ModelError
from arxiv_core.models import sha256
from arxiv_core.pipeline.record import read_json

__all__ = ["HEADLINE", "content_hash", "copy", "headline", "labels", "listed", "verify"]

MANIFEST = "manifest.json"
NEEDED = ("classifier.json", "head.safetensors")

HEADLINE = (
    "split",
    "papers",
    "micro_f1",
    "macro_f1",
    "precision_at_1",
    "primary_at_1",
    "recall_at_5",
)
"""What a list of models shows of ``metrics.json``."""


def listed(directory: Path) -> dict[str, str]:
    """Read which files a model has, with their hashes.

    Raises
    ------
    ModelError
        It is no model directory.
    FileNotFoundError
        There is no such directory.
    """
    if not directory.is_dir():
        raise FileNotFoundError(2, "No such model directory", str(directory))
    path = directory / MANIFEST
    if not path.is_file():
        raise ModelError(f"{directory}: not a model directory: it has no {MANIFEST}")
    try:
        files = read_json(path)["files"]
        hashes = {str(name): str(value) for name, value in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(f"{path}: not the manifest of a model directory") from None
    for name in NEEDED:
        if name not in hashes:
            raise ModelError(f"{directory}: not a model directory: {MANIFEST} lists no {name}")
    for name in hashes:
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or "\\" in name:
            raise ModelError(f"{path}: {name!r} leads out of the directory")
    return hashes


def verify(directory: Path) -> str:
    """Check every file that the manifest lists.

    Parameters
    ----------
    directory
        A model directory.

    Returns
    -------
    str
        Its content hash.

    Raises
    ------
    ModelError
        A file is missing or changed; says which.
    """
    for name, expected in listed(directory).items():
        file = directory / name
        if not file.is_file():
            raise ModelError(f"{file}: the file is missing that {MANIFEST} lists")
        found = sha256(file)
        if found != expected:
            raise ModelError(
                f"{file}: its content is not what {MANIFEST} lists "
                f"(sha256 {found}, listed {expected})"
            )
    return content_hash(directory)


def content_hash(directory: Path) -> str:
    """Hash a model: the manifest holds the hash of every other file."""
    path = directory / MANIFEST
    if not path.is_file():
        raise ModelError(f"{directory}: the model's files are gone: there is no {MANIFEST}")
    return sha256(path)


def copy(source: Path, target: Path) -> None:
    """Copy what the manifest lists, and the manifest to the byte; check the copy."""
    for name in [*listed(source), MANIFEST]:
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, file)
    verify(target)


def labels(directory: Path) -> list[str]:
    """Read the labels of a model, in the order of its columns."""
    path = directory / "classifier.json"
    try:
        found = json.loads(path.read_bytes())["labels"]
        return [str(label) for label in found]
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(f"{path}: no labels in it") from None


def headline(directory: Path) -> dict[str, Any]:
    """Read a model's main figures; nothing where it has no ``metrics.json``."""
    try:
        metrics = read_json(directory / "metrics.json")
    except (OSError, ValueError):
        return {}
    if not isinstance(metrics, dict):
        return {}
    # One evaluation, or several by name.
    found = [one for one in (metrics, *metrics.values()) if _is_evaluation(one)]
    return {key: found[0][key] for key in HEADLINE if key in found[0]} if found else {}


def _is_evaluation(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("micro_f1"), float)
