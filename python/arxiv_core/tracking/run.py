"""A run of Weights & Biases that may fail without harm, and that several commands go on with."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, cast

from arxiv_core.config.schema import Tracking
from arxiv_core.extras import require
from arxiv_core.tracking.journal import Journal
from arxiv_core.tracking.mode import mode
from arxiv_core.tracking.tracker import Artifact

if TYPE_CHECKING:
    import wandb

__all__ = ["Run"]

LARGEST = 64 << 20
"""Bytes from which a file is recorded by where it lies: W&B would copy, hash and send it."""

INIT_TIMEOUT = 30.0
FINISH_TIMEOUT = 120.0
"""Seconds that a stage waits for W&B's server to begin and to end a run."""

_log = logging.getLogger(__name__)

_Arguments = ParamSpec("_Arguments")


def _harmless(
    told: Callable[Concatenate[Run, _Arguments], None],
) -> Callable[Concatenate[Run, _Arguments], None]:
    """Turn what W&B raises into a line of the log, and ask it no more."""

    @functools.wraps(told)
    def guarded(self: Run, /, *args: _Arguments.args, **named: _Arguments.kwargs) -> None:
        if self.lost:
            return
        try:
            told(self, *args, **named)
        except Exception as error:
            self.lost = True
            _log.warning("W&B: %s; the stage goes on without it", _said(error))

    return guarded


def _said(error: Exception) -> str:
    """Give an error's first line; W&B appends advice in more."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


class Run:
    """Records a run in ``PLACE/wandb``, and sends it where it is online.

    A server resumes a run itself. Offline there is none, and a file sent later stands in the place
    of what was sent before under its id. So a run that is not resumed is first told everything that
    it was told before: the last of its files always holds the whole of it.

    Parameters
    ----------
    chosen
        ``tracking``.
    place
        Directory of the run.
    name
        What people call it.
    job
        The stage that begins it.
    anew
        Begin another run, whatever lies in `place`.
    """

    def __init__(self, chosen: Tracking, place: Path, *, name: str, job: str, anew: bool) -> None:
        require("wandb", extra="tracking", what="tracking=wandb")
        self.lost = False
        self._chosen = chosen
        self._place = place
        self._axes: set[str] = set()
        self._run: wandb.Run | None = None
        self._journal = Journal(place / "wandb" / "told.jsonl")
        wanted = mode(chosen.mode)
        if wanted == "disabled":
            self.lost = True
            return
        self._open(wanted, name, job, anew)

    @_harmless
    def _open(self, wanted: str, name: str, job: str, anew: bool) -> None:
        (self._place / "wandb").mkdir(parents=True, exist_ok=True)
        before = None if anew else self._journal.run
        with self._environment():
            try:
                self._run = self._begin(wanted, name, job, before)
            except Exception as error:
                if wanted == "offline":
                    raise
                _log.warning("W&B: %s; recording offline", _said(error))
                self._run = self._begin("offline", name, job, before)
        if before is None:
            self._journal.begin(self._run.id)
        elif not self._run.resumed:
            for kind, arguments in self._journal.told():
                getattr(self, f"_{kind}")(*arguments)
        if not self._run.offline:
            _log.info("W&B: %s", self._run.url)

    def _begin(self, wanted: str, name: str, job: str, before: str | None) -> wandb.Run:
        import wandb

        chosen = self._chosen
        # An agent of a W&B sweep says in the environment which run its command is.
        swept = "WANDB_SWEEP_ID" in os.environ
        return wandb.init(
            dir=self._place,
            id=None if swept else before,
            resume="allow" if wanted == "online" and (before or swept) else None,
            mode="offline" if wanted == "offline" else "online",
            project=chosen.project,
            entity=chosen.entity,
            group=chosen.group,
            tags=chosen.tags,
            name=name,
            job_type=job,
            reinit="create_new",
            allow_val_change=True,
            settings=wandb.Settings(
                silent=True,
                console="off",
                init_timeout=INIT_TIMEOUT,
                finish_timeout=FINISH_TIMEOUT,
            ),
        )

    @_harmless
    def config(self, values: Mapping[str, Any]) -> None:
        """As `Tracker.config`."""
        self._tell("config", dict(values))

    @_harmless
    def row(self, values: Mapping[str, float], axis: str) -> None:
        """As `Tracker.row`."""
        self._tell("row", dict(values), axis)

    @_harmless
    def figures(self, values: Mapping[str, Any]) -> None:
        """As `Tracker.figures`."""
        self._tell("figures", dict(values))

    @_harmless
    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """As `Tracker.table`."""
        self._tell("table", name, list(columns), [list(row) for row in rows])

    @_harmless
    def lines(
        self, name: str, axes: tuple[str, str], series: Mapping[str, Sequence[Sequence[float]]]
    ) -> None:
        """As `Tracker.lines`."""
        self._tell("lines", name, list(axes), dict(series))

    @_harmless
    def confusion(self, name: str, cells: Sequence[Sequence[Any]]) -> None:
        """As `Tracker.confusion`."""
        self._tell("confusion", name, [list(cell) for cell in cells])

    @_harmless
    def artifact(self, artifact: Artifact, *, used: bool) -> None:
        """As `Tracker.artifact`; files of `LARGEST` and more are recorded by where they lie."""
        import wandb

        # What was made may be made again before it is sent.
        policy: Literal["mutable", "immutable"] = "immutable" if used else "mutable"
        with self._environment():
            recorded = wandb.Artifact(
                artifact.name, artifact.kind, metadata=dict(artifact.metadata)
            )
            for name, path in artifact.files.items():
                place = path.resolve()
                if place.stat().st_size < LARGEST:
                    recorded.add_file(str(place), name=name, skip_cache=True, policy=policy)
                else:
                    recorded.add_reference(place.as_uri(), name=name, checksum=False)
            if not used:
                self._opened.log_artifact(recorded)
            elif self._opened.offline:
                # use_artifact looks the artifact up and refuses to be offline. What it would send
                # of one that the server need not know yet is recorded by this all the same.
                self._opened._log_artifact(recorded, is_user_created=True, use_after_commit=True)
            else:
                self._opened.use_artifact(recorded)

    def finish(self, *, failed: bool) -> None:
        """Close the run, and say how to send what has not been sent."""
        if self._run is None:
            return
        run, self._run = self._run, None
        try:
            with self._environment():
                run.finish(exit_code=int(failed))
        except Exception as error:
            _log.warning(
                "W&B: %s; what it has recorded is in %s", _said(error), self._place / "wandb"
            )
        if run.offline:
            _log.info(
                "W&B: recorded offline; to send it: wandb sync %s",
                shlex.quote(str(self._place / "wandb")),
            )

    @property
    def _opened(self) -> wandb.Run:
        assert self._run is not None
        return self._run

    def _tell(self, kind: str, *arguments: Any) -> None:  # noqa: ANN401 - as the journal
        self._journal.add(kind, *arguments)
        with self._environment():
            getattr(self, f"_{kind}")(*arguments)

    def _config(self, values: dict[str, Any]) -> None:
        cast("Any", self._opened.config).update(values, allow_val_change=True)

    def _row(self, values: dict[str, float], axis: str) -> None:
        if axis not in self._axes:
            self._axes.add(axis)
            self._opened.define_metric(axis, hidden=True)
            for name in values.keys() - {axis}:
                self._opened.define_metric(name, step_metric=axis)
        self._opened.log(values)

    def _figures(self, values: dict[str, Any]) -> None:
        self._opened.summary.update(values)

    def _table(self, name: str, columns: list[str], rows: list[list[Any]]) -> None:
        import wandb

        self._opened.log({name: wandb.Table(columns=[*columns], data=rows)})

    def _lines(self, name: str, axes: list[str], series: dict[str, list[list[float]]]) -> None:
        import wandb

        across, up = axes
        points = [[x, y, line] for line, found in series.items() for x, y in found]
        table = wandb.Table(columns=[across, up, "line"], data=points)
        self._opened.log({name: wandb.plot.line(table, across, up, stroke="line", title=name)})

    def _confusion(self, name: str, cells: list[list[Any]]) -> None:
        import wandb

        # wandb.plot.confusion_matrix would count what has been counted.
        columns = ["Actual", "Predicted", "nPredictions"]
        chart = wandb.plot_table(
            "wandb/confusion_matrix/v1",
            wandb.Table(columns=[*columns], data=cells),
            {column: column for column in columns},
            {"title": name},
        )
        self._opened.log({name: chart})

    @contextlib.contextmanager
    def _environment(self) -> Iterator[None]:
        """Have W&B keep copies in the run's directory, say nothing, and report no faults.

        It reads these from the environment alone; what the user has set stays.
        """
        ours = {
            "WANDB_DATA_DIR": str(self._place.resolve() / "wandb"),
            "WANDB_SILENT": "true",
            "WANDB_ERROR_REPORTING": "false",
        }
        added = {name: value for name, value in ours.items() if name not in os.environ}
        os.environ.update(added)
        try:
            yield
        finally:
            for name in added:
                os.environ.pop(name, None)
