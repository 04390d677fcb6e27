"""The page about a run: whole in itself, true to the run, and honest about what it is."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("matplotlib", reason="the extra `report` is not installed")

from arxiv_core.cli import app
from arxiv_core.pipeline.layout import NotYetError
from arxiv_core.report import evaluation, tables
from arxiv_core.report.run import read
from typer.testing import CliRunner

if TYPE_CHECKING:
    from conftest import SampleRun

Read = Callable[[Path], Any]

PNG = b"\x89PNG"


def change(path: Path, **values: Any) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(held | values), encoding="utf-8")
    return held


def test_evaluating_leaves_a_page_that_needs_nothing_else(
    sample_run: SampleRun, page: Read
) -> None:
    found = page(sample_run.run / "report.html")
    assert found.fetched == []
    assert not [link for link in found.links if not link.startswith(("#", "https://arxiv.org/"))]
    assert len(found.ids) == len(set(found.ids))
    assert found.svgs >= 8
    for heading in ("Headline", "Categories", "Curves", "Confusion", "Slices", "Worst mistakes"):
        assert heading in found.headings


def test_plots_lie_beside_it(sample_run: SampleRun) -> None:
    plots = sample_run.run / "plots"
    names = {path.stem for path in plots.iterdir()}
    assert {"precision-recall", "reliability", "thresholds", "per-label", "learning"} <= names
    for name in names:
        assert (plots / f"{name}.png").read_bytes().startswith(PNG)
        assert "<svg" in (plots / f"{name}.svg").read_text(encoding="utf-8")


def test_charts_take_the_pages_colours(sample_run: SampleRun) -> None:
    source = (sample_run.run / "report.html").read_text(encoding="utf-8")
    svgs = "".join(re.findall(r"<svg.*?</svg>", source, flags=re.DOTALL))
    assert "var(--ink)" in svgs
    assert "var(--series-0)" in svgs
    fixed = set(re.findall(r"(?:fill|stroke): (#\w+)", svgs))
    assert fixed == set()


def test_the_sample_corpus_says_that_its_figures_mean_nothing(
    sample_run: SampleRun, page: Read
) -> None:
    found = page(sample_run.run / "report.html")
    assert evaluation.INVENTED in found.text
    # Its ids may be those of real papers.
    assert not [link for link in found.links if link.startswith("https://")]


def test_papers_of_a_real_corpus_are_linked_and_their_titles_are_text(
    run: Path, page: Read
) -> None:
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    change(run / "config.json", data=config["data"] | {"source": "snapshot.json"})
    mistakes = json.loads((run / "insight.json").read_text(encoding="utf-8"))["mistakes"]
    mistakes[0] |= {"title": "<script>alert(1)</script>", "id": "hep-th/9901001"}
    change(run / "insight.json", mistakes=mistakes)
    found = page(evaluation.write(run))
    assert evaluation.INVENTED not in found.text
    assert "https://arxiv.org/abs/hep-th/9901001" in found.links
    assert "<script>alert(1)</script>" in found.text
    assert "<script>alert" not in found.source


def test_a_page_is_the_same_when_written_again(sample_run: SampleRun, tmp_path: Path) -> None:
    run = tmp_path / sample_run.run.name
    shutil.copytree(sample_run.run, run)
    evaluation.write(run)
    for name in ("report.html", "plots/reliability.svg", "plots/reliability.png"):
        assert (run / name).read_bytes() == (sample_run.run / name).read_bytes()


def test_another_run_stands_beside_it(run: Path, sample_run: SampleRun, page: Read) -> None:
    change(run / "metrics.json", micro_f1=0.98765)
    answer = CliRunner().invoke(app, ["report", str(run), "--beside", str(sample_run.run)])
    assert answer.exit_code == 0, answer.output
    text = page(run / "report.html").text
    assert "0.988" in text
    assert "sample" in text
    assert "not to be compared" not in text


def test_a_file_of_metrics_over_other_papers_stands_apart(
    run: Path, tmp_path: Path, page: Read
) -> None:
    file = tmp_path / "published.json"
    file.write_text('{"name": "published", "micro_f1": 0.672, "papers": 9}', encoding="utf-8")
    text = page(evaluation.write(run, [file])).text
    assert "0.672" in text
    assert "not to be compared: published" in text


def test_a_mean_over_no_category_is_not_shown(run: Path) -> None:
    change(run / "metrics.json", macro_labels=0, macro_f1=0.0)
    assert "macro-F1" not in tables.headline(read(run), [])


def test_a_run_that_was_not_evaluated_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotYetError, match=r"metrics\.json is not there: run arxiv-core evaluate"):
        evaluation.write(tmp_path)
    answer = CliRunner().invoke(app, ["report", "run", str(tmp_path)])
    assert answer.exit_code == 1
    assert "run arxiv-core evaluate first" in answer.stderr


def test_without_matplotlib_a_run_is_evaluated_all_the_same(
    sample_run: SampleRun,
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (run / "report.html").unlink()
    (run / "metrics.json").unlink()
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "arxiv_core.extras.importlib.util.find_spec",
        lambda name: None if name == "matplotlib" else find(name),
    )
    others = [one for one in sample_run.overrides if not one.startswith(("paths.runs", "run="))]
    here = [*others, f"paths.runs={run.parent}", f"run={run.name}"]
    answer = CliRunner().invoke(app, ["evaluate", *here])
    assert answer.exit_code == 0, answer.output
    assert (run / "metrics.json").exists()
    assert not (run / "report.html").exists()
    assert "'.[report]'" in answer.stderr
    answer = CliRunner().invoke(app, ["report", str(run)])
    assert answer.exit_code == 1
    assert "needs matplotlib" in answer.stderr
