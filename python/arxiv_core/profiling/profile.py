"""Profiles one stage in this process."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from arxiv_core import _core
from arxiv_core.pipeline.record import write_json, write_text
from arxiv_core.profiling import operators, stacks
from arxiv_core.profiling.flame_graph import Sampler, SamplerError
from arxiv_core.profiling.operators import Operator

__all__ = ["Profile", "profiled"]

_log = logging.getLogger(__name__)

TENSORS = {"embed", "train", "evaluate"}
"""Stages that call libtorch."""


@dataclass
class Profile:
    """What was found; empty while the stage runs."""

    stage: str
    folder: Path
    files: list[Path] = field(default_factory=list)
    """Flame graph, stacks and operator tables, as far as they could be had."""
    stacks: stacks.Stacks = field(default_factory=dict)
    operators: list[Operator] | None = None
    """libtorch's operators; None where the stage calls none."""


@contextlib.contextmanager
def profiled(stage: str, folder: Path) -> Iterator[Profile]:
    """Profile what runs inside, once in a process: what it computes stays the same.

    Writes ``STAGE.svg`` (flame graph), ``STAGE.stacks.txt`` (the same as folded stacks, for
    speedscope and its like) and, of stages that call libtorch, ``STAGE.operators.txt`` and
    ``.json``. Where the process cannot be sampled, a warning says why, and the operators come
    without the graph. A stage that fails leaves no profile.

    Parameters
    ----------
    stage
        Its name.
    folder
        Folder to write into.

    Yields
    ------
    Profile
        Filled in when the block is over.

    Raises
    ------
    MissingExtraError
        py-spy is not installed.
    """
    found = Profile(stage, folder)
    sampler = Sampler()
    if not _core.show_threads():
        _log.warning("threads that Rust had started before are missing in the flame graph")
    with contextlib.ExitStack() as stack:
        # Before the samples: importing torch takes longer than many a stage.
        recorder = operators.Recorder() if stage in TENSORS else None
        sampled = True
        try:
            stack.enter_context(sampler)
        except SamplerError as error:
            sampled = False
            _log.warning("no flame graph: %s", error)
        if recorder is not None:
            stack.enter_context(recorder)
        yield found
        graph = sampler.stop()
        if recorder is not None:
            found.operators = recorder.stop()
    if sampled:
        _write_graph(found, graph)
    if found.operators is not None:
        _write_operators(found, found.operators)


def _write_graph(found: Profile, graph: str | None) -> None:
    # py-spy writes no graph, or an empty one, of a stage that was over before its first sample.
    graph = "" if graph is None else stacks.readable(graph)
    found.stacks = stacks.read(graph) if graph else {}
    if not found.stacks:
        _log.warning("no flame graph: the stage was over before a sample was taken")
        return
    for name, text in (("svg", graph), ("stacks.txt", stacks.folded(found.stacks))):
        _write(found, name, text)


def _write_operators(found: Profile, table: list[Operator]) -> None:
    _write(found, "operators.txt", operators.table(table))
    path = found.folder / f"{found.stage}.operators.json"
    write_json(path, {"stage": found.stage, "operators": [one.as_dict() for one in table]})
    found.files.append(path)


def _write(found: Profile, name: str, text: str) -> None:
    path = found.folder / f"{found.stage}.{name}"
    write_text(path, text)
    found.files.append(path)
