"""What a sweep has found: the ranking, which keys mattered, and the files that say so."""

from __future__ import annotations

import csv
import io
import logging
import shlex
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from arxiv_core.config.schema import Sweep
from arxiv_core.pipeline.card import word
from arxiv_core.pipeline.record import write_json, write_text
from arxiv_core.sweep.search import FAILURE, Search

__all__ = ["command", "draw", "outcome", "write"]

STATES = {TrialState.COMPLETE: "complete", TrialState.FAIL: "failed", TrialState.RUNNING: "running"}

_log = logging.getLogger(__name__)


def outcome(search: Search, chosen: Sweep, overrides: Sequence[str]) -> dict[str, Any]:
    """Sum up a sweep as it stands.

    Parameters
    ----------
    search
        Its trials.
    chosen
        ``sweep``.
    overrides
        Those that every trial has.

    Returns
    -------
    dict
        ``trials``, best first, those without a value last; ``best``, the place of the best;
        ``command``, which trains it; ``importance``, each key's share of what made trials good.
    """
    rows = [_row(slot, trial) for slot, trial in search.trials().items()]
    sign = 1 if search.study.direction is optuna.study.StudyDirection.MINIMIZE else -1
    rows.sort(key=lambda row: (row["value"] is None, sign * (row["value"] or 0), row["trial"]))
    best = rows[0] if rows and rows[0]["value"] is not None else None
    return {
        "name": chosen.name,
        "metric": chosen.metric,
        "split": "validation",
        "direction": "minimise" if sign == 1 else "maximise",
        "places": search.places,
        "complete": sum(row["state"] == "complete" for row in rows),
        "failed": sum(row["state"] == "failed" for row in rows),
        "running": sum(row["state"] == "running" for row in rows),
        "best": None if best is None else best["trial"],
        "command": None if best is None else command(overrides, best["parameters"]),
        "importance": _importance(search.study),
        "trials": rows,
    }


def _row(slot: int, trial: FrozenTrial) -> dict[str, Any]:
    noted = trial.user_attrs
    return {
        "trial": slot,
        "state": STATES[trial.state],
        "value": trial.value,
        "interval": noted.get("interval"),
        "seconds": None if trial.duration is None else round(trial.duration.total_seconds(), 3),
        "parameters": dict(trial.params),
        "failure": noted.get(FAILURE),
    }


def _importance(study: optuna.Study) -> dict[str, float]:
    """Each key's share by PED-ANOVA; empty where there are too few trials to tell."""
    try:
        with warnings.catch_warnings():
            # It warns, and calls all equal, where trials are too few.
            warnings.simplefilter("error", UserWarning)
            found = optuna.importance.get_param_importances(study)
    except (RuntimeError, UserWarning, ValueError):
        return {}
    return {key: round(float(share), 6) for key, share in found.items()}


def command(overrides: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """Write the command that trains what a trial trained.

    Parameters
    ----------
    overrides
        Those that every trial has.
    parameters
        The trial's own.

    Returns
    -------
    str
        For a shell.
    """
    around = ("sweep", "evaluation", "tracking", "run=")
    kept = [one for one in overrides if not one.startswith(around)]
    tried = [f"{key}={word(value)}" for key, value in parameters.items()]
    return shlex.join(["arxiv-core", "train", *kept, *tried])


def write(found: Mapping[str, Any], directory: Path) -> None:
    """Write ``sweep.json`` and ``trials.csv``.

    Parameters
    ----------
    found
        What `outcome` gave.
    directory
        The sweep's.
    """
    write_json(directory / "sweep.json", found)
    write_text(directory / "trials.csv", _csv(found))


def draw(found: Mapping[str, Any], directory: Path) -> None:
    """Write the plots, where there is matplotlib.

    Parameters
    ----------
    found, directory
        As for `write`.
    """
    if found["complete"] == 0:
        return
    if find_spec("matplotlib") is None:
        _log.info("no plots: they need matplotlib, which the extra `report` installs")
        return
    from arxiv_core.report import sweep

    sweep.draw(found, directory)


def _csv(found: Mapping[str, Any]) -> str:
    keys = list(dict.fromkeys(key for row in found["trials"] for key in row["parameters"]))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["trial", "state", found["metric"], "low", "high", "seconds", *keys, "failure"])
    for row in found["trials"]:
        low, high = row["interval"] or (None, None)
        tried = [row["parameters"].get(key) for key in keys]
        ended = [row["trial"], row["state"], row["value"], low, high, row["seconds"]]
        table.writerow([*ended, *tried, row["failure"]])
    return text.getvalue()
