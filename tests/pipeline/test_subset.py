"""Subsamples of the bundled corpus, each by one override."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from arxiv_core import Papers
from arxiv_core.cli import app
from typer.testing import CliRunner

pytest.importorskip("hydra", reason="the extra `pipeline` is not installed")

from arxiv_core.config import compose


def prepared(tmp_path: Path, *overrides: str) -> Papers:
    answer = CliRunner().invoke(app, ["prepare", f"paths.data={tmp_path}", *overrides])
    assert answer.exit_code == 0, answer.output
    return Papers.read(str(tmp_path / "prepared/papers.parquet"))


def test_distinct_categories_are_one_override(tmp_path: Path) -> None:
    every = prepared(tmp_path / "every")
    chosen = set(compose(["labels=distinct"]).labels.categories)
    papers = prepared(tmp_path / "distinct", "labels=distinct")
    assert len(set(papers.primaries)) >= 8
    assert {label for labels in papers.categories for label in labels} <= chosen
    assert len(papers) == sum(primary in chosen for primary in every.primaries)
    assert {"train", "validation", "test"} <= set(papers.splits)


def test_a_size_is_one_override(tmp_path: Path) -> None:
    assert len(prepared(tmp_path, "data.max_papers=100")) == 100


def test_a_cap_a_category_is_one_override(tmp_path: Path) -> None:
    papers = prepared(tmp_path, "labels.per_category=7")
    assert max(Counter(papers.primaries).values()) == 7
