"""Charts of an evaluation, from what was counted to what a tracker is told."""

from __future__ import annotations

from typing import Any

from arxiv_core.tracking.charts import charts

INSIGHT: dict[str, Any] = {
    "precision_recall": [
        {"threshold": 0.9, "precision": 1.0, "recall": 0.5},
        {"threshold": 0.2, "precision": 0.6, "recall": 1.0},
    ],
    "precision_recall_labels": {"cs.LG": [{"threshold": 0.7, "precision": 1.0, "recall": 1.0}]},
    "reliability": [{"low": 0.0, "high": 0.05, "count": 9, "probability": 0.02, "frequency": 0.01}],
    "reliability_best": [
        {"low": 0.5, "high": 0.55, "count": 3, "probability": 0.52, "frequency": 0.5}
    ],
    "thresholds": [{"threshold": 0.5, "precision": 0.8, "recall": 0.4, "f1": 0.53, "labels": 1.0}],
    "confusion": {
        "categories": {"names": ["cs.CL", "cs.LG"], "papers": [[5, 1], [2, 7]], "totals": [6, 9]},
        "archives": {"names": ["cs"], "papers": [[15]], "totals": [15]},
        "pairs": [{"primary": "cs.LG", "best": "cs.CL", "papers": 2, "share": 0.22, "theirs": 1}],
    },
}


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[Any, ...]] = {}

    def lines(self, name: str, axes: Any, series: Any) -> None:
        self.told[name] = axes, series

    def table(self, name: str, columns: Any, rows: Any) -> None:
        self.told[name] = columns, rows

    def confusion(self, name: str, cells: Any) -> None:
        self.told[name] = (cells,)


def test_curves_and_confusions_are_told_as_they_were_counted() -> None:
    listener: Any = Listener()
    charts(listener, "test", INSIGHT)
    axes, series = listener.told["test/precision_recall"]
    assert axes == ("recall", "precision")
    assert series == {"all": [[0.5, 1.0], [1.0, 0.6]], "cs.LG": [[1.0, 1.0]]}
    _, series = listener.told["test/reliability"]
    assert series["all"] == [[0.02, 0.01]]
    assert series["best of a paper"] == [[0.52, 0.5]]
    _, series = listener.told["test/thresholds"]
    assert series["f1"] == [[0.5, 0.53]]
    [cells] = listener.told["test/confusion_categories"]
    assert ["cs.LG", "cs.CL", 2] in cells
    assert len(cells) == 4
    assert listener.told["test/confused"][1] == [["cs.LG", "cs.CL", 2, 0.22, 1]]
