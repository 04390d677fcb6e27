"""What a tracker takes: the words in which stages are recorded, whoever keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Artifact", "Tracker"]


@dataclass(frozen=True)
class Artifact:
    """Files that a stage made or read."""

    name: str
    kind: str
    """``dataset`` or ``model``."""
    files: Mapping[str, Path]
    """Name inside the artifact → file."""
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Tracker(Protocol):
    """Takes what is told of one run."""

    def config(self, values: Mapping[str, Any]) -> None:
        """Take the configuration, nested; keys told before get their new value."""

    def row(self, values: Mapping[str, float], axis: str) -> None:
        """Take a point of live figures; `axis` names the value to draw the others over."""

    def figures(self, values: Mapping[str, Any]) -> None:
        """Take final figures."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Take a table."""

    def lines(
        self, name: str, axes: tuple[str, str], series: Mapping[str, Sequence[Sequence[float]]]
    ) -> None:
        """Take a chart: the names of its axes, and each line's points."""

    def confusion(self, name: str, cells: Sequence[Sequence[Any]]) -> None:
        """Take a confusion matrix: what it was, what it was taken for, and how often."""

    def artifact(self, artifact: Artifact, *, used: bool) -> None:
        """Take files that the run made, or with `used` those that it read."""

    def finish(self, *, failed: bool) -> None:
        """Close the run."""
