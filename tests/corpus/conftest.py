"""Invented records in the snapshot's format, and the stage run on them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from arxiv_core import _core

Record = dict[str, Any]
Row = tuple[str, str]


@dataclass(frozen=True)
class Prepared:
    """What the stage left behind."""

    manifest: dict[str, Any]
    papers: _core.Papers
    file: bytes

    @property
    def splits(self) -> dict[str, str]:
        """The split of each id."""
        return dict(zip(self.papers.ids, self.papers.splits, strict=True))


def invented_record(
    identifier: str, abstract: str, categories: str = "cs.LG", title: str | None = None
) -> Record:
    """One paper with the 14 fields of the snapshot; its month is in the id."""
    fields = ("submitter", "comments", "journal-ref", "doi", "report-no", "license")
    return dict.fromkeys(fields) | {
        "id": identifier,
        "authors": "An Invented Author",
        "title": title or f"An invented title for {identifier}",
        "categories": categories,
        "abstract": abstract,
        "versions": None,
        "update_date": None,
        "authors_parsed": None,
    }


def invented_abstract(rng: random.Random, words: int = 80) -> str:
    """Words that no two abstracts share in threes."""
    return " ".join(f"word{rng.randrange(50_000)}" for _ in range(words))


@pytest.fixture
def record() -> Callable[..., Record]:
    """Makes one record."""
    return invented_record


@pytest.fixture
def abstract() -> Callable[..., str]:
    """Makes one abstract."""
    return invented_abstract


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[..., Prepared]:
    """Runs the stage on records; options by keyword."""
    runs = iter(range(1000))

    def run(records: Iterable[Record], **options: Any) -> Prepared:
        folder = tmp_path / f"run{next(runs)}"
        folder.mkdir()
        source = folder / "snapshot.jsonl"
        source.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
        manifest = json.loads(_core.prepare(str(source), str(folder / "out"), json.dumps(options)))
        papers = folder / "out" / "papers.parquet"
        return Prepared(manifest, _core.Papers.read(str(papers)), papers.read_bytes())

    return run
