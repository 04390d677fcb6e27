"""The stacks behind a flame graph, counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import escape

__all__ = ["Stacks", "folded", "inclusive", "own", "read", "readable", "working"]

Stacks = Mapping[tuple[str, ...], int]
"""Frames from the outermost in → samples."""

SVG = "{http://www.w3.org/2000/svg}"
SAMPLES = "{http://github.com/jonhoo/inferno}"
TITLE = re.compile(r" \([\d,]+ samples?, [\d.]+%\)$")
WAITS = re.compile(
    r"(syscall|sched_yield|\w*futex\w*|\w*cond_\w*wait|epoll_wait|poll|clock_nanosleep) \("
)
ESCAPE = re.compile(r"\$(?:([A-Z]+)|u([0-9a-f]{2,6}))\$")
MEANT = {"LT": "<", "GT": ">", "LP": "(", "RP": ")", "BP": "*", "RF": "&", "SP": "@", "C": ","}
RUST = re.compile(r"[^<>;&]*\$[A-Z]+\$[^<>;&]*|\b\w+(?:::\w+)+::h[0-9a-f]{16}\b")
NAMELESS = re.compile(r"^0x[0-9a-f]+ \((.*)\)$")


def read(graph: str) -> Stacks:
    """Count the stacks that a flame graph shows.

    Parameters
    ----------
    graph
        SVG as inferno, and so py-spy, draws it.

    Returns
    -------
    Mapping
        Samples by stack. A function without a name is its library's.
    """
    frames = sorted(_frames(graph))
    counts: Counter[tuple[str, ...]] = Counter()
    path: list[str] = []
    for start, depth, width, name in frames:
        del start
        path[depth:] = [name]
        counts[tuple(path)] += width
        if depth:
            counts[tuple(path[:-1])] -= width
    found: Counter[tuple[str, ...]] = Counter()
    for stack, samples in counts.items():
        if samples > 0:
            found[_merged(stack)] += samples
    return found


def readable(graph: str) -> str:
    """Write the names of Rust's functions in a flame graph as they stand in Rust.

    Parameters
    ----------
    graph
        SVG as py-spy draws it, which leaves the escapes of Rust's symbols as they are.
    """
    return RUST.sub(lambda found: escape(_rust(found[0])), graph)


def _rust(symbol: str) -> str:
    name = ESCAPE.sub(
        lambda found: MEANT.get(found[1], found[0]) if found[1] else chr(int(found[2], 16)), symbol
    )
    name = re.sub(r"::h[0-9a-f]{16}\b", "", name)
    return re.sub(r"\b_<", "<", name).replace("..", "::") if name != symbol else symbol


def _frames(graph: str) -> list[tuple[int, int, int, str]]:
    """Start, depth, width and name of each; sorted, parents come before their children."""
    found = []
    # ElementTree expands no external entity, and py-spy wrote the file.
    for group in ElementTree.fromstring(graph).iter(f"{SVG}g"):
        title, box = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        if title is None or box is None or f"{SAMPLES}x" not in box.attrib:
            continue
        start, width = int(box.attrib[f"{SAMPLES}x"]), int(box.attrib[f"{SAMPLES}w"])
        found.append((start, float(box.attrib["y"]), width, TITLE.sub("", title.text or "")))
    if not found:
        return []
    # "all", the widest, is the root, at the top or at the bottom.
    rows = sorted({y for _, y, _, _ in found})
    widest = max(found, key=lambda frame: frame[2])
    if widest[1] != rows[0]:
        rows.reverse()
    depth = {y: number - 1 for number, y in enumerate(rows)}
    return [(start, depth[y], width, name) for start, y, width, name in found if depth[y] >= 0]


def _merged(stack: tuple[str, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for frame in stack:
        nameless = NAMELESS.match(frame)
        name = f"({nameless[1]})" if nameless else frame
        if not (nameless and names and names[-1] == name):
            names.append(name)
    return tuple(names)


def folded(stacks: Stacks) -> str:
    """Write stacks in the folded format: frames joined by semicolons, then the samples."""
    lines = (
        f"{';'.join(frame.replace(';', ',') for frame in stack)} {samples}\n"
        for stack, samples in sorted(stacks.items())
    )
    return "".join(lines)


def working(stacks: Stacks) -> Stacks:
    """Leave out stacks that wait in the kernel: py-spy sees a thread that it woke as one at work.

    Parameters
    ----------
    stacks
        As `read` gives them.

    Returns
    -------
    Mapping
        Those of threads at work.
    """
    return {stack: samples for stack, samples in stacks.items() if not WAITS.match(stack[-1])}


def own(stacks: Stacks) -> Counter[str]:
    """Count the samples in which each function was at work itself."""
    found: Counter[str] = Counter()
    for stack, samples in stacks.items():
        found[stack[-1]] += samples
    return found


def inclusive(stacks: Stacks) -> Counter[str]:
    """Count the samples in which each function was on the stack."""
    found: Counter[str] = Counter()
    for stack, samples in stacks.items():
        for name in set(stack):
            found[name] += samples
    return found
