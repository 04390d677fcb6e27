"""A profile in a few lines: where the time went."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from arxiv_core.profiling.profile import Profile
from arxiv_core.profiling.stacks import Stacks, inclusive, own, working

__all__ = ["lines"]

SHOWN = 8
PLACE = re.compile(r" \(([^()]*)\)$")
"""Behind a function's name: its library, or its file and line."""
SOURCES = (".c", ".h", ".cc", ".cpp", ".hpp")
OURS = re.compile(r"\barxiv_core::")


def lines(profile: Profile) -> Iterator[str]:
    """Say where the time went.

    Parameters
    ----------
    profile
        Of a stage that is over.

    Yields
    ------
    str
        A line each: shares of libraries, functions at work, own functions with what they call,
        operators, files.
    """
    stacks = working(profile.stacks)
    total = sum(stacks.values())
    if total:
        yield f"{profile.stage}: {total:,} samples of threads at work, by library:"
        yield from _shares(by_library(stacks), total)
        yield "functions at work themselves:"
        yield from _shares(own(stacks), total)
        ours = Counter({n: c for n, c in inclusive(stacks).items() if OURS.search(n)})
        if ours:
            yield "Rust functions of this project, with what they call:"
            yield from _shares(ours, total)
    if profile.operators is None:
        yield f"{profile.stage} calls no libtorch: there is no operator table"
    else:
        time = sum(one.self_cpu_ms for one in profile.operators)
        yield f"libtorch's operators, {time / 1000:,.2f} s on all threads:"
        for one in profile.operators[:SHOWN]:
            yield f"  {one.self_cpu_ms / (time or 1.0):6.1%}  {one.name} ({one.calls:,} calls)"
    for file in profile.files:
        yield f"-> {file}"


def by_library(stacks: Stacks) -> Counter[str]:
    """Count the samples by the library, or ``Python``, in which a thread was at work."""
    found: Counter[str] = Counter()
    for stack, samples in stacks.items():
        place = PLACE.search(f" {stack[-1]}")
        name = place[1].partition(":")[0] if place else stack[-1]
        if name.endswith(".py") or name.startswith("<frozen"):
            name = "Python"
        elif name.endswith(SOURCES):
            name = "native code with line numbers"
        found[name] += samples
    return found


def _shares(counts: Counter[str], total: int) -> Iterator[str]:
    for name, samples in counts.most_common(SHOWN):
        yield f"  {samples / total:6.1%}  {name}"
