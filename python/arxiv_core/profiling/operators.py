"""libtorch's operators while a stage runs: how often each was called, and how long it took."""

from __future__ import annotations

import functools
import os
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

__all__ = ["Operator", "Recorder", "table"]

SHOWN = 40
"""Operators in the text; the JSON has all."""


@dataclass(frozen=True)
class Operator:
    """One operator's calls, on every thread together."""

    name: str
    calls: int
    self_cpu_ms: float
    """Time in the operator itself, without the operators that it calls."""
    cpu_ms: float
    self_device_ms: float = 0.0
    """The same on a GPU; 0 where there is none."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


class Recorder:
    """Records libtorch's operators while a block runs.

    Importing Python's torch changes nothing for Rust: it is the same libtorch in this process.
    """

    def __init__(self) -> None:
        # It would complain on standard error of every machine without a GPU.
        os.environ.setdefault("KINETO_LOG_LEVEL", "5")
        import torch
        from torch.profiler import ProfilerActivity, profile

        activities = [ProfilerActivity.CPU]
        if torch.cuda.is_available():
            activities.append(ProfilerActivity.CUDA)
        # Rust calls libtorch from threads of its own, not from the one that profiles.
        everywhere = torch._C._profiler._ExperimentalConfig(profile_all_threads=True)
        make = functools.partial(
            profile, activities=activities, experimental_config=everywhere, acc_events=True
        )
        # The first start imports for seconds, which are not the stage's.
        with make():
            pass
        self._profile = make()
        self._running = False

    def __enter__(self) -> Self:
        """Start."""
        self._profile.start()
        self._running = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End, where `stop` was not called."""
        if self._running:
            self._profile.stop()

    def stop(self) -> list[Operator]:
        """End, and return the operators, the most expensive first."""
        self._running = False
        self._profile.stop()
        found = [
            Operator(
                name=event.key,
                calls=event.count,
                self_cpu_ms=round(event.self_cpu_time_total / 1000, 3),
                cpu_ms=round(event.cpu_time_total / 1000, 3),
                self_device_ms=round(event.self_device_time_total / 1000, 3),
            )
            for event in self._profile.key_averages()
        ]
        return sorted(found, key=lambda one: -(one.self_cpu_ms + one.self_device_ms))


def table(operators: list[Operator]) -> str:
    """Write operators as a table.

    Parameters
    ----------
    operators
        In the order in which they are to stand.

    Returns
    -------
    str
        One line an operator, those that took longest; the last line counts the others.
    """
    cpu = sum(one.self_cpu_ms for one in operators) or 1.0
    device = any(one.self_device_ms for one in operators)
    wide = max((len(one.name) for one in operators[:SHOWN]), default=8)
    head = f"{'operator':<{wide}}  {'calls':>10}  {'self ms':>12}  {'self %':>6}  {'total ms':>12}"
    lines = [head + (f"  {'device ms':>12}" if device else "")]
    for one in operators[:SHOWN]:
        line = (
            f"{one.name:<{wide}}  {one.calls:>10,}  {one.self_cpu_ms:>12,.1f}  "
            f"{one.self_cpu_ms / cpu:>6.1%}  {one.cpu_ms:>12,.1f}"
        )
        lines.append(line + (f"  {one.self_device_ms:>12,.1f}" if device else ""))
    rest = operators[SHOWN:]
    if rest:
        lines.append(f"and {len(rest)} more, {sum(one.self_cpu_ms for one in rest):,.1f} ms")
    if not operators:
        lines.append("none: nothing was computed by libtorch")
    return "\n".join(lines) + "\n"
