"""The page about the papers: its counts are the table's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import arxiv_core
import pytest

pytest.importorskip("matplotlib", reason="the extra `report` is not installed")

from arxiv_core.cli import app
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import SampleRun

Read = Callable[[Path], Any]


@pytest.fixture(scope="module")
def written(
    sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("data-report")
    prepared = sample_run.papers.parent
    answer = CliRunner().invoke(app, ["report", "data", str(prepared), "-o", str(out), "--json"])
    assert answer.exit_code == 0, answer.output
    return out, json.loads(answer.stdout)


def test_counts_are_the_tables(sample_run: SampleRun, written: Any) -> None:
    _, found = written
    papers = arxiv_core.Papers.read(sample_run.papers)
    assert found["papers"] == len(papers)
    assert found["splits"] == dict(Counter(papers.splits))
    counts = Counter(name for names in papers.categories for name in names)
    assert {one["category"]: one["papers"] for one in found["categories"]} == counts
    primaries = Counter(name for name in papers.primaries if name)
    assert {c["category"]: c["primary"] for c in found["categories"] if c["primary"]} == primaries
    words = sorted(len(text.split()) for text in papers.abstracts)
    assert found["abstract_words"]["quantiles"][0] == words[0]
    assert found["abstract_words"]["quantiles"][4] == words[-1]
    assert found["abstract_words"]["mean"] == pytest.approx(sum(words) / len(words))
    names, table = found["together"]["categories"], found["together"]["papers"]
    both = Counter(
        (a, b) for own in papers.categories for a in own for b in own if {a, b} <= set(names)
    )
    assert {(a, b): table[i][j] for i, a in enumerate(names) for j, b in enumerate(names)} == {
        (a, b): both[a, b] for a in names for b in names
    }


def test_the_page_needs_nothing_else_and_says_what_was_dropped(written: Any, page: Read) -> None:
    out, _ = written
    found = page(out / "report.html")
    assert found.fetched == []
    assert {"Over time", "Categories", "Together", "Lengths"} <= set(found.headings)
    assert "invented" in found.text
    manifest_reason = "an earlier line has the id"
    assert manifest_reason in found.text or "Nothing was dropped" in found.text
    for name in ("months", "categories", "together", "lengths", "dropped"):
        assert (out / "plots" / f"{name}.png").exists()
        assert (out / "plots" / f"{name}.svg").exists()


def test_papers_that_were_not_prepared_are_named(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["report", "data", str(tmp_path)])
    assert answer.exit_code == 1
    assert "papers.parquet is not there yet: run arxiv-core prepare first" in answer.stderr
