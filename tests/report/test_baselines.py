"""Baselines stand beside a run where both were measured on equal terms, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib", reason="the extra `report` is not installed")

from arxiv_core.report import evaluation

Read = Callable[[Path], Any]


@pytest.fixture
def write(run: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write a baseline with the run's metrics, changed, and give the folder."""

    def baseline(name: str, **changes: Any) -> Path:
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        folder = tmp_path / "data/baselines/test"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.json"
        file.write_text(json.dumps(metrics | {"name": name} | changes), encoding="utf-8")
        return folder

    return baseline


def test_they_stand_in_the_headline(run: Path, write: Callable[..., Path], page: Read) -> None:
    write("words", micro_f1=0.9876)
    folder = write("vectors", micro_f1=0.1234)
    found = page(evaluation.write(run, measured=folder))
    assert "0.988" in found.text
    assert "0.123" in found.text
    assert "<b>0.988</b>" in found.source
    assert "left out" not in found.text
    assert "arxiv-core baselines" not in found.text


def test_they_are_looked_for_beside_the_runs_data(
    run: Path, tmp_path: Path, write: Callable[..., Path], page: Read
) -> None:
    write("words", micro_f1=0.9876)
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    config["paths"]["data"] = str(tmp_path / "data")
    (run / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert "0.988" in page(evaluation.write(run)).text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": {"papers_checksum": "00"}}, "measured on other papers"),
        ({"split": "validation"}, "measured on other papers"),
        ({"per_label": [{"label": "cs.LG"}]}, "fitted for 1 categories, not these"),
        ({"evaluated_with": {"min_positives": 3}}, "with 3 papers, not 10"),
    ],
)
def test_one_on_other_terms_is_left_out_and_why(
    changes: dict[str, Any], reason: str, run: Path, write: Callable[..., Path], page: Read
) -> None:
    write("words", micro_f1=0.9876)
    text = page(evaluation.write(run, measured=write("vectors", micro_f1=0.1234, **changes))).text
    assert "0.988" in text
    assert "0.123" not in text
    assert "Baselines left out: vectors (" in text
    assert reason in text
    assert "arxiv-core baselines --from RUN measures them here" in text


def test_a_file_of_something_else_is_left_out(
    run: Path, write: Callable[..., Path], page: Read
) -> None:
    folder = write("words")
    (folder / "half.json").write_text("{", encoding="utf-8")
    (folder / "list.json").write_text("[]", encoding="utf-8")
    text = page(evaluation.write(run, measured=folder)).text
    assert "half (no file of metrics)" in text
    assert "list (no file of metrics)" in text


def test_where_there_are_none_the_page_says_how_to_get_them(
    run: Path, tmp_path: Path, page: Read
) -> None:
    text = page(evaluation.write(run, measured=tmp_path / "nowhere")).text
    assert "arxiv-core baselines --from RUN sets the two baselines beside it." in text
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    (run / "metrics.json").write_text(json.dumps(metrics | {"split": "validation"}))
    text = page(evaluation.write(run, measured=tmp_path / "nowhere")).text
    assert "arxiv-core baselines --from RUN evaluation.split=validation sets" in text
