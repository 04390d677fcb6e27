"""``--profile``: a stage with a look at where its time goes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from arxiv_core.config import Config

__all__ = ["Asked", "Folder", "profiled"]

Asked = Annotated[
    bool,
    typer.Option(
        "--profile", help="Write a flame graph and libtorch's operators; see docs/profiling.md."
    ),
]

Folder = Annotated[
    Path | None,
    typer.Option(
        "--profile-dir",
        metavar="DIR",
        show_default=False,
        help="Profile into this folder; profile/ beside the stage's output unless given.",
    ),
]


@contextlib.contextmanager
def profiled(stage: str, config: Config, *, asked: bool, folder: Path | None) -> Iterator[None]:
    """Profile the block where that was asked for, and say on standard error what was found.

    Parameters
    ----------
    stage
        The stage that runs inside.
    config
        What it runs with.
    asked
        Whether to profile; a `folder` asks too.
    folder
        Where to write.
    """
    if not asked and folder is None:
        yield
        return
    from arxiv_core.pipeline.layout import Layout
    from arxiv_core.profiling import profiled as profiling
    from arxiv_core.profiling.summary import lines

    with profiling(stage, folder or Layout.of(config).beside(stage) / "profile") as found:
        yield
    for line in lines(found):
        typer.echo(line, err=True)
