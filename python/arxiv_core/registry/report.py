"""What the gate found: one verdict a check, with the figures behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["CHECKS", "Bars", "Check", "Report"]

CHECKS = ("quality", "latency", "behaviour")


@dataclass(frozen=True)
class Bars:
    """How high the gate's bars are."""

    tolerance: float = 0.0
    """Loss of micro-F1 that is accepted."""
    level: float = 0.95
    """Share of the resamples inside the interval of the difference."""
    samples: int = 1000
    """Resamples."""
    seed: int = 0
    latency_ratio: float = 1.5
    """Most that a single paper may take, in the time that the present model takes."""
    latency_limit: float | None = None
    """Most milliseconds that a single paper may take."""
    probability_tolerance: float = 0.05
    """Most that a probability may move where a change of writing changes what is assigned."""


@dataclass(frozen=True)
class Check:
    """The verdict of one check."""

    name: str
    passed: bool
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    failures: Sequence[str] = ()
    """What did not hold, one sentence each."""


@dataclass(frozen=True)
class Report:
    """The verdict of the gate."""

    bars: Bars
    checks: Sequence[Check]
    without: Sequence[str] = ()
    """Checks that were left out because someone asked for it."""

    @property
    def passed(self) -> bool:
        """Whether every check that was run passed."""
        return all(check.passed for check in self.checks)

    @property
    def why_not(self) -> str:
        """What failed, in one sentence."""
        return "; ".join(f"{one.name}: {one.sentence}" for one in self.checks if not one.passed)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        found = asdict(self) | {"passed": self.passed}
        found["checks"] = [
            one | {"failures": list(one["failures"])} for one in map(asdict, self.checks)
        ]
        return found | {"without": list(self.without)}
