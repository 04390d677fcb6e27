"""What stages print when they are done."""

from __future__ import annotations

import pytest
from arxiv_core.cli import summary


def test_nested_figures_are_named_by_their_path(capsys: pytest.CaptureFixture[str]) -> None:
    summary.show("prepare", {"kept": 1234567, "dropped": {"short": 2}, "ids": [1] * 99, "no": None})
    printed = capsys.readouterr().out
    assert "1,234,567" in printed
    assert "dropped.short" in printed
    assert "(99)" in printed
    assert "no " not in printed


def test_intervals_stand_beside_their_figures(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = {"micro_f1": 0.654321, "intervals": {"micro_f1": [0.64, 0.66]}, "per_label": [{}]}
    summary.show("evaluate", metrics)
    printed = capsys.readouterr().out
    assert "0.6543" in printed
    assert "0.640 to 0.660" in printed
    assert "per_label" not in printed
