"""Whether a service held: what the samples of a soak say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import NotRequired, TypedDict

__all__ = ["Ending", "Sample", "judge"]

MEMORY = 1.05
"""Resident memory of the last tenth at most, as a multiple of that after the start."""

WARM = 5000
"""Requests after which it counts: after the first tenth of the time, before half the requests."""

LATENCY = 1.5
"""A probe's latency in the last quarter at most, as a multiple of that in the second."""

FEWEST = 20
"""Samples without which nothing is said."""

EXIT = 5.0
"""Seconds beside the drain that a process may take to end."""


class Sample(TypedDict):
    """A moment of a soak; counts are since its beginning."""

    at: float
    """Seconds since the beginning."""
    requests: int
    resident: int
    """Bytes."""
    files: int
    """Open file descriptors."""
    threads: NotRequired[int]
    statuses: dict[str, int]
    unexpected: dict[str, int]
    """Answers that the kind of request should not get, by both."""
    p50: float
    """Seconds of a probe since the sample before."""
    p99: float


class Ending(TypedDict):
    """What became of the service after SIGTERM."""

    code: int | None
    """Exit code; None: it had to be killed."""
    seconds: float
    drain: float
    """Seconds that it might take for requests under way."""
    statuses: dict[str, int]
    """Of requests that came meanwhile."""
    traceback: bool
    """Whether its log has one."""


def judge(samples: Sequence[Sample], ending: Ending | None = None) -> list[str]:
    """Say what a service did not withstand.

    Parameters
    ----------
    samples
        In the order of their time.
    ending
        How it ended; None: it was not ours to end.

    Returns
    -------
    list of str
        A sentence a violation; none: it held.
    """
    if len(samples) < FEWEST:
        return [f"{len(samples)} samples are too few to tell: {FEWEST} at least"]
    last = samples[-1]
    wrong = [
        f"{count} answers had the status {status}"
        for status, count in last["statuses"].items()
        if status.startswith("5")
    ]
    wrong += [f"{count} × unexpected: {what}" for what, count in last["unexpected"].items()]
    wrong += _memory(samples)
    quarter = len(samples) // 4
    second, fourth = samples[quarter : 2 * quarter], samples[-quarter:]
    kinds: tuple[tuple[str, Callable[[Sample], int]], ...] = (
        ("open file descriptors", lambda one: one["files"]),
        ("threads", lambda one: one.get("threads", 0)),
    )
    for what, of in kinds:
        # More than ever in the second quarter, and not by chance.
        most, now = max(map(of, second)), median(map(of, fourth))
        if now > most:
            wrong.append(f"{what} grew from at most {most} in the second quarter to {now:g}")
    before, after = (median(one["p50"] for one in some) for some in (second, fourth))
    if after > LATENCY * before:
        wrong.append(
            f"a probe took {after:.3f} s in the last quarter, {before:.3f} s in the second: "
            f"more than {LATENCY} ×"
        )
    return wrong + ([] if ending is None else _ending(ending))


def _memory(samples: Sequence[Sample]) -> list[str]:
    """Compare a tenth of the samples after the start with the last tenth."""
    tenth = max(1, len(samples) // 10)
    warm = min(WARM, samples[-1]["requests"] / 2)
    start = next(at for at, one in enumerate(samples) if at >= tenth and one["requests"] >= warm)
    if start + tenth > len(samples) - tenth:
        return ["half of the requests came at the end: memory cannot be compared"]
    early = median(one["resident"] for one in samples[start : start + tenth])
    late = median(one["resident"] for one in samples[-tenth:])
    if late <= MEMORY * early:
        return []
    return [
        f"resident memory grew from {early / 2**20:.0f} MB after "
        f"{samples[start]['requests']} requests to {late / 2**20:.0f} MB: more than {MEMORY} ×"
    ]


def _ending(ending: Ending) -> list[str]:
    wrong = []
    if ending["code"] is None:
        wrong.append("it did not end after SIGTERM")
    elif ending["code"] != 0:
        wrong.append(f"it ended with the code {ending['code']} after SIGTERM")
    if ending["seconds"] > ending["drain"] + EXIT:
        limit = f"{ending['drain']:g} s to drain and {EXIT:g} s to end"
        wrong.append(f"it took {ending['seconds']:.1f} s to end: {limit} are allowed")
    wrong += [
        f"{count} answers had the status {status} while it stopped"
        for status, count in ending["statuses"].items()
        if status.startswith("5") and status != "503"
    ]
    if ending["traceback"]:
        wrong.append("its log has a traceback")
    return wrong
