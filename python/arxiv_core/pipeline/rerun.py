"""A run made again from what it left in its directory, and compared with it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import pipeline
from arxiv_core.config.schema import TrainMode
from arxiv_core.pipeline import environment
from arxiv_core.pipeline.layout import Layout, NotYetError
from arxiv_core.pipeline.record import read_json

if TYPE_CHECKING:
    from arxiv_core.stages import OnProgress

__all__ = ["rerun"]

_log = logging.getLogger(__name__)


def rerun(
    run: Path, target: Path | None = None, progress: OnProgress | None = None
) -> dict[str, Any]:
    """Prepare, embed, train and evaluate with a run's configuration, in a directory of its own.

    Parameters
    ----------
    run
        A finished run's directory. It is only read.
    target
        Directory of the new run; ``RUN-rerun`` beside it unless given.
    progress
        Receives progress.

    Returns
    -------
    dict
        ``run``, ``same`` (whether every file of the model is the same), ``differing`` (those
        that are not) and, where there are any, ``surroundings``: what was another then.

    Raises
    ------
    NotYetError
        The directory holds no finished run.
    """
    from arxiv_core.config import compose

    recorded, model = run / "config.json", run / "model/manifest.json"
    for file in (recorded, model):
        if not file.is_file():
            raise NotYetError(f"{run}: no finished run: {file} is missing")
    target = target or run.with_name(f"{run.resolve().name}-rerun")
    before = read_json(recorded)
    surroundings = _read(run / environment.RECORD)
    config = compose(base=run)
    config.run, config.paths.runs = target.name, str(target.parent)
    config.paths.data = str(target / "data")
    named = Path(config.data.source)
    if config.data.source != "sample" and not named.exists():
        # As it was named from where the run was made.
        config.data.source = str(Path(surroundings.get("directory", "")) / named)
    seed, prepared = config.seed, before.get("prepared", {}).get("seed", config.seed)
    evaluated = _read(run / "metrics.json").get("evaluated_with")
    config.seed = prepared
    pipeline.run("prepare", config, progress)
    config.seed = seed
    if config.train.mode is TrainMode.head:
        pipeline.run("embed", config, progress)
    pipeline.run("train", config, progress)
    if evaluated is not None:
        pipeline.run("evaluate", config, progress)
    differing = _differing(read_json(model), read_json(Layout.of(config).model / "manifest.json"))
    found: dict[str, Any] = {"run": str(target), "same": not differing, "differing": differing}
    if differing and (others := _others(surroundings, environment.describe()[0])):
        found["surroundings"] = others
    return found


def _read(file: Path) -> dict[str, Any]:
    return read_json(file) if file.is_file() else {}


def _differing(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    files, others = before["files"], now["files"]
    return sorted(name for name in {*files, *others} if files.get(name) != others.get(name))


def _others(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say what code, packages or hardware was another."""
    lines = []
    for group in ("git", "packages", "hardware"):
        was, has = before.get(group) or {}, now.get(group) or {}
        lines += [
            f"{group} {name}: {was.get(name)} then, {has.get(name)} now"
            for name in sorted({*was, *has} - {"untracked"})
            if was.get(name) != has.get(name)
        ]
    return lines
