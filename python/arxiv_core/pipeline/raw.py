"""Stage ``raw``: the corpus that ``data.source`` names, in a place of its own.

What lies there can be versioned and handed on: where it came from need not exist any more.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import ArxivCoreError, _core
from arxiv_core.pipeline import fetch
from arxiv_core.pipeline.layout import Layout
from arxiv_core.pipeline.record import read_json, write_json

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress

__all__ = ["RECORD", "SAMPLE", "ChangedSourceError", "check", "given", "run", "source"]

RECORD = "source.json"
"""Beside the corpus: what it is called, and its checksum."""

SAMPLE = Path(__file__).parents[1] / "sample" / "papers.jsonl"


class ChangedSourceError(ArxivCoreError):
    """A corpus is another than the one that was laid aside."""


def run(config: Config, progress: OnProgress | None = None) -> dict[str, Any]:
    """Lay the corpus aside under ``paths.data``; Kaggle's is downloaded if it is not here.

    Parameters
    ----------
    config
        ``data.source``, ``data.dataset``, ``paths.data``.
    progress
        Receives a download's progress.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    FetchError
        Kaggle does not give its own.
    """
    target = Layout.of(config).raw
    file = given(config)
    if not file.exists() and file == Path(config.paths.data) / fetch.SNAPSHOT:
        fetch.run(config, progress)
    if not file.is_file():
        raise FileNotFoundError(2, "no such snapshot (data.source)", str(file))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".raw-", dir=target.parent) as folder:
        unfinished = Path(folder) / "raw"
        unfinished.mkdir()
        # A copy: versioning protects it, and the file that was named is its owner's.
        shutil.copyfile(file, unfinished / file.name)
        record = {
            "source": config.data.source,
            "file": file.name,
            "bytes": file.stat().st_size,
            "checksum": _core.checksum(unfinished / file.name),
        }
        write_json(unfinished / RECORD, record)
        if target.exists():
            target.replace(Path(folder) / "before")
        unfinished.replace(target)
    return record


def given(config: Config) -> Path:
    """Find the corpus as it is named: ``sample`` is the one in the package."""
    return SAMPLE if config.data.source == "sample" else Path(config.data.source)


def source(config: Config) -> Path:
    """Find the corpus: as it is named, or where that is gone, as it was laid aside."""
    named = given(config)
    if not named.exists() and (record := _record(config)):
        return Layout.of(config).raw / str(record["file"])
    return named


def check(config: Config) -> None:
    """Refuse a corpus that is another than the one laid aside under the same name.

    Raises
    ------
    ChangedSourceError
        They are not the same.
    """
    record, named = _record(config), given(config)
    if record is None or not named.exists():
        return
    size, checksum = record["bytes"], record["checksum"]
    if named.stat().st_size != size or _core.checksum(named) != checksum:
        raise ChangedSourceError(
            f"{named} has changed since it was laid aside in {Layout.of(config).raw}: "
            "run arxiv-core data raw first (dvc repro -f fetch)"
        )


def _record(config: Config) -> dict[str, Any] | None:
    file = Layout.of(config).raw / RECORD
    if not file.exists():
        return None
    found = read_json(file)
    return found if found["source"] == config.data.source else None
