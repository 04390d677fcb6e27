"""The trials of one sweep, shared by every process that works on it.

They lie in Optuna's journal in the sweep's directory: no server, no database. A trial has a place,
0 to ``sweep.trials`` - 1. Whoever runs it holds the place's lock, which the system takes back from
a process that is killed; its place is free again then. So there are never more trials than places.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from arxiv_core import OptionError
from arxiv_core.config.schema import Sampler
from arxiv_core.sweep import locks
from arxiv_core.sweep.sampling import Space, distributions, sampler

__all__ = ["Claim", "Search"]

JOURNAL = "journal.log"

SLOT, FAILURE, BEGUN = "slot", "failure", "begun"
"""What is noted with a trial, or with the study, beside what Optuna notes."""


@dataclass(frozen=True)
class Claim:
    """A trial to run now."""

    slot: int
    parameters: Mapping[str, Any]
    trial: Trial


class Search:
    """A sweep's trials.

    Parameters
    ----------
    directory
        The sweep's.
    space
        What may be tried.
    kind
        How it is chosen.
    seed
        Of what is chosen.
    places
        Trials in all.
    minimise
        Less of the metric is better.
    begun
        What must not change while the sweep goes on: dotted key → value.

    Raises
    ------
    OptionError
        The sweep was begun with something else.
    """

    def __init__(
        self,
        directory: Path,
        space: Space,
        kind: Sampler,
        *,
        seed: int,
        places: int,
        minimise: bool,
        begun: Mapping[str, Any],
    ) -> None:
        optuna.logging.disable_default_handler()
        optuna.logging.enable_propagation()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._directory, self._space, self._kind = directory, space, kind
        self._seed, self.places = seed, places
        with self.alone():
            _mend(directory / JOURNAL)
            self.study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(directory / JOURNAL))),
                study_name="sweep",
                direction="minimize" if minimise else "maximize",
                load_if_exists=True,
            )
            self._same(json.loads(json.dumps(begun)))

    def _same(self, begun: Mapping[str, Any]) -> None:
        before = self.study.user_attrs.get(BEGUN)
        if before is None:
            self.study.set_user_attr(BEGUN, begun)
            return
        for key in before | begun:
            was, now = (json.dumps(one.get(key)) for one in (before, begun))
            if was != now:
                raise OptionError(
                    f"{key} = {now}: the sweep in {self._directory} was begun with {was}: "
                    "give this one another sweep.name"
                )

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process from the sweep's files while the block runs."""
        with locks.holding(self._directory / "locks" / "sweep"):
            yield

    @contextlib.contextmanager
    def claim(self) -> Iterator[Claim | None]:
        """Take the first free place, and hold it while the block runs.

        What the block raises frees the place again, unless the trial was told an end before.

        Yields
        ------
        Claim or None
            None where no place is free.
        """
        with contextlib.ExitStack() as held:
            with self.alone():
                slot = self._free()
                if slot is not None:
                    held.enter_context(locks.holding(self._lock(slot)))
                    claim = self._ask(slot)
            if slot is None:
                yield None
                return
            try:
                yield claim
            except BaseException:
                with self.alone():
                    self.study.tell(claim.trial, state=TrialState.FAIL, skip_if_finished=True)
                raise

    def complete(self, claim: Claim, value: float, **noted: Any) -> None:  # noqa: ANN401 - JSON
        """Note a trial's value, and what else there is to note of it."""
        with self.alone():
            for name, what in noted.items():
                claim.trial.set_user_attr(name, what)
            self.study.tell(claim.trial, value)

    def fail(self, claim: Claim, reason: str) -> None:
        """Note that a trial cannot be run: its place stays taken."""
        with self.alone():
            claim.trial.set_user_attr(FAILURE, reason)
            self.study.tell(claim.trial, state=TrialState.FAIL)

    def trials(self) -> dict[int, FrozenTrial]:
        """Give the trial of every place that is taken, in the order of places."""
        found = {
            int(trial.user_attrs[SLOT]): trial
            for trial in self.study.get_trials(deepcopy=False)
            if SLOT in trial.user_attrs and (_ended(trial) or trial.state is TrialState.RUNNING)
        }
        return {slot: found[slot] for slot in sorted(found)}

    def _free(self) -> int | None:
        for trial in self.study.get_trials(deepcopy=False):
            slot = trial.user_attrs.get(SLOT)
            killed = slot is None or not locks.is_held(self._lock(slot))
            if trial.state is TrialState.RUNNING and killed:
                self.study.tell(trial.number, state=TrialState.FAIL)
        taken = self.trials()
        return next((slot for slot in range(self.places) if slot not in taken), None)

    def _ask(self, slot: int) -> Claim:
        self.study.sampler = sampler(self._kind, self._space, self._seed, slot)
        trial = self.study.ask(distributions(self._space))
        trial.set_user_attr(SLOT, slot)
        return Claim(slot, {key: trial.params[key] for key in self._space}, trial)

    def _lock(self, slot: int) -> Path:
        return self._directory / "locks" / f"trial-{slot}"


def _ended(trial: FrozenTrial) -> bool:
    """Whether a trial has an end of its own, not one that somebody made of it."""
    return trial.state is TrialState.COMPLETE or FAILURE in trial.user_attrs


def _mend(journal: Path) -> None:
    """Clear what a process that was killed while it wrote may have left."""
    for left in journal.parent.glob(f"{journal.name}.lock*"):
        left.unlink(missing_ok=True)
    if not journal.exists():
        return
    with journal.open("rb+") as file:
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
