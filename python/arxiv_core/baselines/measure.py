"""From a baseline's logits to figures, by the code that calibrates and measures a run's model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from arxiv_core import _core

if TYPE_CHECKING:
    from arxiv_core.baselines.heads import Logits
    from arxiv_core.baselines.task import Task

__all__ = ["measure"]

Options = Mapping[str, Any]


def measure(
    task: Task,
    validation: Logits,
    test: Logits,
    *,
    calibration: Options | None = None,
    thresholds: Options | None = None,
    evaluation: Options | None = None,
) -> dict[str, Any]:
    """Calibrate, fit thresholds and evaluate as a run's model is.

    Parameters
    ----------
    task
        Papers and labels.
    validation, test
        Logits [papers, labels]; calibration and thresholds see the first only.
    calibration
        Options of `_core.fit_calibration`; with ``kind`` ``none`` logits stay as they are.
    thresholds, evaluation
        Options of `_core.fit_thresholds` and `_core.evaluate_scores`.

    Returns
    -------
    dict
        Figures under the names of ``metrics.json``.
    """
    known = np.ascontiguousarray(validation)
    truth = np.ascontiguousarray(task.truth[task.validation])
    options = dict(calibration or {})
    if options.pop("kind", None) == "none":
        scale, bias = np.ones(len(task.labels), np.float32), np.zeros(len(task.labels), np.float32)
    else:
        scale, bias, _ = _core.fit_calibration(known, truth, json.dumps(options))
    tuned = _core.calibrate(known, scale, bias)
    chosen, _ = _core.fit_thresholds(tuned, truth, json.dumps(thresholds or {}))
    answer = _core.evaluate_scores(
        _core.calibrate(np.ascontiguousarray(test), scale, bias),
        np.ascontiguousarray(task.truth[task.test]),
        chosen,
        np.ascontiguousarray(task.primary[task.test]),
        json.dumps({**(evaluation or {}), "labels": task.labels}),
    )
    found: dict[str, Any] = json.loads(answer)
    return found
