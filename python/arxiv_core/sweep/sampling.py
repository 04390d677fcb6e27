"""How a sweep chooses what a trial tries."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from arxiv_core import OptionError
from arxiv_core.config.schema import Sampler
from arxiv_core.config.space import Choice, Interval

__all__ = ["distributions", "grid", "sampler"]

Space = Mapping[str, Choice | Interval]


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Write a space in Optuna's words."""
    return {key: _distribution(what) for key, what in space.items()}


def _distribution(what: Choice | Interval) -> BaseDistribution:
    match what:
        case Choice(values):
            return CategoricalDistribution(values)
        case Interval(low, high, log, whole=True):
            return IntDistribution(int(low), int(high), log=log)
        case Interval(low, high, log):
            return FloatDistribution(low, high, log=log)


def grid(space: Space) -> list[dict[str, Any]]:
    """List every point of a space, its last key changing fastest.

    Raises
    ------
    OptionError
        A key may be any number between two.
    """
    for key, what in space.items():
        if isinstance(what, Interval):
            raise OptionError(
                f"sweep.sampler = grid: {key} is an interval: a grid needs choice() or range()"
            )
    values = [what.values for what in space.values() if isinstance(what, Choice)]
    return [dict(zip(space, point, strict=True)) for point in itertools.product(*values)]


def sampler(kind: Sampler, space: Space, seed: int, slot: int) -> BaseSampler:
    """Make the sampler of one trial.

    It is seeded with the trial's place: a sweep that was stopped goes on as if it had not been.

    Parameters
    ----------
    kind, space, seed
        The sweep's.
    slot
        The trial's place in the sweep.

    Returns
    -------
    BaseSampler
        For one ``ask``.
    """
    if kind is Sampler.grid:
        return _Point(grid(space)[slot])
    own = random.Random(f"{seed}/{slot}").getrandbits(32)
    return TPESampler(seed=own) if kind is Sampler.tpe else RandomSampler(seed=own)


class _Point(BaseSampler):
    """Suggests one point; Optuna's own grids count trials, failed and stopped ones included."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        del study, trial
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        del study, trial, search_space
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # noqa: ANN401 - as Optuna has it
        del study, trial, param_distribution
        return self._values[param_name]
