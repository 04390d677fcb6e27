"""Where the stages' files lie."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arxiv_core import ArxivCoreError, OptionError
from arxiv_core.models import KNOWN

if TYPE_CHECKING:
    from arxiv_core.config import Config

__all__ = [
    "BASELINES",
    "INSIGHT",
    "METRICS",
    "PLOTS",
    "REPORT",
    "SCORES",
    "Layout",
    "NotYetError",
    "needs",
]

METRICS = "metrics.json"
INSIGHT = "insight.json"
SCORES = "scores.safetensors"
REPORT = "report.html"
PLOTS = "plots"
"""Names in a run's directory, for those who are given one."""

BASELINES = "baselines"
"""Name in the folder of the data."""

IN_DATA = {"fetch", "raw", "prepare", "embed", "baselines"}
"""Stages whose output is no run's."""


class NotYetError(ArxivCoreError):
    """A stage's input is not there: the stage before it has not run."""


@dataclass(frozen=True)
class Layout:
    """Paths of every stage's output."""

    raw: Path
    """The corpus as `data raw` laid it aside."""
    prepared: Path
    """``papers.parquet``, ``manifest.json``, the quarantine file."""
    embeddings: Path
    run: Path
    """Model, metrics and configuration of one run."""

    @classmethod
    def of(cls, config: Config) -> Layout:
        """Derive every path from ``paths``, the model's name and the run's.

        Raises
        ------
        OptionError
            The run's name leads out of ``paths.runs``.
        """
        data = Path(config.paths.data)
        encoder = _file_name(config.model.name)
        # A model's name may be a path; the run's default name begins with it.
        run = config.run.removeprefix(config.model.name)
        name = Path(config.run if run == config.run else encoder + run)
        if name.is_absolute() or ".." in name.parts or not name.parts:
            raise OptionError(f"run = {config.run}: must be a name inside paths.runs")
        return cls(
            raw=data / "raw",
            prepared=data / "prepared",
            embeddings=data / "embeddings" / f"{encoder}.safetensors",
            run=Path(config.paths.runs) / name,
        )

    @property
    def papers(self) -> Path:
        """The papers table."""
        return self.prepared / "papers.parquet"

    @property
    def model(self) -> Path:
        """The model directory that `train` writes."""
        return self.run / "model"

    @property
    def encoder(self) -> Path:
        """The encoder that the run has tuned."""
        return self.run / "encoder"

    @property
    def checkpoint(self) -> Path:
        """Where fine-tuning stands, while it goes on."""
        return self.run / "checkpoint"

    @property
    def own_embeddings(self) -> Path:
        """The papers' embeddings by an encoder that is the run's own."""
        return self.run / "embeddings.safetensors"

    @property
    def metrics(self) -> Path:
        """What `evaluate` found."""
        return self.run / METRICS

    @property
    def insight(self) -> Path:
        """Curves, confusions and single papers that `evaluate` found."""
        return self.run / INSIGHT

    @property
    def scores(self) -> Path:
        """Every probability that `evaluate` measured, to compare runs by."""
        return self.run / SCORES

    @property
    def report(self) -> Path:
        """The page about the run."""
        return self.run / REPORT

    @property
    def plots(self) -> Path:
        """The page's charts."""
        return self.run / PLOTS

    @property
    def curves(self) -> Path:
        """Tables of a run's curves."""
        return self.run / "curves"

    @property
    def headline(self) -> Path:
        """The plain figures of `metrics`, for comparing runs at a glance."""
        return self.run / "headline.json"

    @property
    def package(self) -> Path:
        """The model directory that `package` writes, complete with metrics and card."""
        return self.run / "package"

    def baselines(self, split: str) -> Path:
        """Give the folder of what was measured of scikit-learn on the papers of `split`."""
        return self.prepared.parent / BASELINES / split

    def beside(self, stage: str) -> Path:
        """Give the folder of a stage's output, where what is about the stage lies too.

        Not within an output: what is hashed as one must not hold what differs between runs.
        """
        return self.prepared.parent if stage in IN_DATA else self.run

    def log(self, stage: str) -> Path:
        """Give the file in which a stage's log records stay."""
        return self.beside(stage) / (f"{stage}.log" if stage in IN_DATA else "run.log")


def _file_name(model: str) -> str:
    """Name a model's files: directories of one name in two places are two models."""
    path = Path(model)
    if model not in KNOWN and path.is_dir():
        place = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
        return f"{path.resolve().name}-{place[:8]}"
    return "--".join(part for part in path.parts if part not in {path.anchor, ".."})


def needs(path: Path, stage: str) -> Path:
    """Return `path`, which `stage` writes.

    Raises
    ------
    NotYetError
        There is nothing.
    """
    if not path.exists():
        raise NotYetError(f"{path} is not there yet: run arxiv-core {stage} first")
    return path
