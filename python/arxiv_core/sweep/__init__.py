"""A search for better hyperparameters. Only this room imports optuna (extra ``sweep``).

Each trial trains and evaluates into a run directory of its own below the sweep's, on the papers and
embeddings that are there. It is judged on the split validation; test stays unseen.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import ArxivCoreError, FitError, OptionError, TorchError
from arxiv_core.config.schema import Sampler, TrainMode
from arxiv_core.extras import require

if TYPE_CHECKING:
    from arxiv_core.config import Config
    from arxiv_core.stages import OnProgress
    from arxiv_core.sweep.search import Claim, Search

__all__ = ["SweepError", "run"]

LESS_IS_BETTER = {"brier", "ece", "ece_labels", "log_loss"}

AROUND = (
    "evaluation.report",
    "evaluation.split",
    "paths",
    "run",
    "serve",
    "sweep",
    "tracking",
    "train.refit",
)
"""Keys that may change while a sweep goes on: they change no trial's value."""

_log = logging.getLogger(__name__)


class SweepError(ArxivCoreError):
    """A sweep has nothing to show."""


def run(
    overrides: Sequence[str] = (),
    progress: OnProgress | None = None,
    *,
    directory: Path | None = None,
) -> dict[str, Any]:
    """Run the trials of a sweep that are left to run.

    Other processes may work on the same sweep: each trial is run by one of them.

    Parameters
    ----------
    overrides
        Hydra overrides, of ``sweep`` and of what every trial has.
    progress
        Receives how many trials have ended, with the best value so far.
    directory
        The user's own folder of groups.

    Returns
    -------
    dict
        The ranking, as in ``sweep.json``.

    Raises
    ------
    MissingExtraError
        Hydra or Optuna is not installed.
    OptionError
        The sweep cannot be as it is configured.
    NotYetError
        There are no papers or embeddings.
    SweepError
        Every trial failed.
    """
    require("optuna", extra="sweep", what="arxiv-core sweep")
    from arxiv_core.config import compose
    from arxiv_core.sweep.outcome import draw, outcome, write

    config = compose(overrides, directory=directory)
    search, place = _opened(config)
    own = [] if directory is None else ["--config-dir", str(directory)]
    command = ["arxiv-core", "train", *own, *overrides]
    while True:
        with search.claim() as claim:
            if claim is not None:
                _try(claim, search, config, overrides, directory)
        with search.alone():
            found = outcome(search, config.sweep, command)
            write(found, place)
            if claim is None:
                draw(found, place)
                break
        _report(found, progress)
    if found["failed"] == found["places"]:
        raise SweepError(f"every trial failed: {found['trials'][0]['failure']}")
    return found


def _opened(config: Config) -> tuple[Search, Path]:
    from arxiv_core.config import search_space
    from arxiv_core.pipeline.layout import Layout, needs
    from arxiv_core.pipeline.prepare import leaves
    from arxiv_core.pipeline.record import as_dict
    from arxiv_core.sweep.sampling import grid
    from arxiv_core.sweep.search import Search

    chosen = config.sweep
    space = search_space(chosen.space)
    _check(chosen.name, chosen.trials, space)
    places = chosen.trials
    if chosen.sampler is Sampler.grid:
        places = min(places, len(grid(space)))
    if config.train.mode is not TrainMode.head:
        raise OptionError(
            f"train.mode = {config.train.mode}: a sweep fits heads on given embeddings; "
            "set train.mode=head"
        )
    layout = Layout.of(config)
    needs(layout.papers, "prepare")
    needs(layout.embeddings, "embed")
    fixed = {
        key: value
        for key, value in leaves(as_dict(config))
        if not any(key == one or key.startswith(f"{one}.") for one in AROUND) and key not in space
    }
    asked = {"sweep.metric": chosen.metric, "sweep.sampler": chosen.sampler.value}
    directory = Path(config.paths.runs) / chosen.name
    search = Search(
        directory,
        space,
        chosen.sampler,
        seed=config.seed,
        places=places,
        minimise=chosen.metric in LESS_IS_BETTER,
        begun=fixed | asked | {"sweep.space": {key: chosen.space[key] for key in space}},
    )
    return search, directory


def _check(name: str, trials: int, keys: Iterable[str]) -> None:
    from arxiv_core.pipeline.train import OPTIONS

    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise OptionError(f"sweep.name = {name}: must name a directory below paths.runs")
    if trials < 1:
        raise OptionError(f"sweep.trials = {trials}: must be at least 1")
    read = {*OPTIONS.values(), "calibration.kind"} - {"model.max_length", "model.dtype", "seed"}
    for key in keys:
        if key not in read:
            raise OptionError(
                f"sweep.space: {key} changes nothing that is fitted on given embeddings; "
                f"the nearest key that does is {_nearest(key, sorted(read))}"
            )


def _nearest(word: str, known: Sequence[str]) -> str:
    return difflib.get_close_matches(word, known, n=1, cutoff=0)[0]


def _try(
    claim: Claim, search: Search, config: Config, overrides: Sequence[str], own: Path | None
) -> None:
    """Run a trial; one that cannot be fitted is noted, and the sweep goes on."""
    from arxiv_core import pipeline
    from arxiv_core.config import compose
    from arxiv_core.pipeline.card import word

    chosen = config.sweep
    composed = compose(
        [
            *overrides,
            *(f"{key}={word(value)}" for key, value in claim.parameters.items()),
            f"run={word(f'{chosen.name}/trial-{claim.slot}')}",
            f"tracking.group={word(config.tracking.group or chosen.name)}",
            "evaluation.split=validation",
            # Fitted to the papers that judge it, every trial would look good.
            "train.refit=false",
            "evaluation.report=false",
        ],
        directory=own,
    )
    try:
        pipeline.run("train", composed)
        metrics = pipeline.run("evaluate", composed)
    except (FitError, TorchError) as error:
        search.fail(claim, str(error))
        return
    value = metrics.get(chosen.metric)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        known = [name for name, one in metrics.items() if isinstance(one, float)]
        raise OptionError(
            f"sweep.metric = {chosen.metric}: evaluate gives no such figure; "
            f"did you mean {_nearest(chosen.metric, known)}?"
        )
    search.complete(claim, value, interval=(metrics.get("intervals") or {}).get(chosen.metric))


def _report(found: dict[str, Any], progress: OnProgress | None) -> None:
    ended = found["complete"] + found["failed"]
    event = {"stage": "sweep", "done": ended, "total": found["places"], "unit": "trials"}
    best = {} if found["best"] is None else {"best": found["trials"][0]["value"]}
    if progress is not None:
        progress(event | best)
    _log.info(
        "%d of %d trials ended%s",
        ended,
        found["places"],
        f"; best {found['metric']} {best['best']:.4f}, trial {found['best']}" if best else "",
    )
