"""Whole stages, each one call into Rust: dicts in, dicts out, progress and Ctrl-C on the way."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypedDict, cast

from arxiv_core import _core
from arxiv_core._core import OptionError
from arxiv_core.encoder import prepare_device

__all__ = [
    "OnProgress",
    "TaxonomyEntry",
    "check_train",
    "compare",
    "embed",
    "evaluate",
    "finetune",
    "prepare",
    "statistics",
    "taxonomy",
    "train",
]

OnProgress = Callable[[dict[str, Any]], None]
"""Called with ``{"stage", "done", "total", "unit"}`` and a stage's live figures (loss, rate, …)
beside them. ``total`` is 0 where it is unknown. An exception raised inside stops the stage."""

Options = Mapping[str, Any]
StrPath = str | os.PathLike[str]


class TaxonomyEntry(TypedDict):
    """One name of arXiv's taxonomy."""

    category: str
    """As it stands in a record: ``cs.IT``, ``math.IT``, ``hep-th``, ``cmp-lg``."""
    name: str
    group: str
    archive: str
    active: bool
    """Whether arXiv still accepts papers under it."""
    canonical: str | None
    """The label it stands for; None for a bare archive such as ``astro-ph``."""
    aliases: list[str]
    """Of a canonical label, its other names: ``math.IT`` of ``cs.IT``, ``cmp-lg`` of ``cs.CL``."""


def taxonomy() -> list[TaxonomyEntry]:
    """List every name of arXiv's taxonomy: active, aliases, subsumed and bare archives.

    Returns
    -------
    list of TaxonomyEntry
        Sorted by name.
    """
    return cast("list[TaxonomyEntry]", json.loads(_core.taxonomy()))


def prepare(
    source: StrPath,
    out_dir: StrPath,
    options: Options | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Turn an arXiv snapshot into the papers table.

    Writes ``papers.parquet``, ``manifest.json`` and a quarantine file of unreadable lines.
    Nothing appears in `out_dir` before all of it is complete.

    Parameters
    ----------
    source
        Snapshot as ``.json``, ``.jsonl``, ``.gz``, ``.zst`` or Kaggle's ``.zip``; told by content.
    out_dir
        Directory to write into; made if it is not there.
    options
        Options of the stage by name; an unknown one is an error.
    progress
        Receives progress.

    Returns
    -------
    dict
        The manifest: input hash, options, counts of everything kept, dropped and why.

    Raises
    ------
    OptionError
        An option is unknown or cannot be used.
    InputError
        The source is not a snapshot.
    OSError
        Reading or writing failed.
    """
    answer = _core.prepare(os.fspath(source), os.fspath(out_dir), _json(options), progress)
    return _dict(answer)


def embed(
    papers: StrPath,
    model_dir: StrPath,
    out: StrPath,
    options: Options | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Embed every paper of a table, through the cache on disk.

    Parameters
    ----------
    papers
        ``papers.parquet`` as written by `prepare`.
    model_dir
        Encoder in Hugging Face files.
    out
        Safetensors file to write: ``embeddings``, float32 [papers, hidden], in row order.
    options
        ``device``, ``dtype``, ``max_length``, ``batch_tokens``, ``cache_dir``.
    progress
        Receives progress.

    Returns
    -------
    dict
        What was embedded, how much came from the cache, and how fast.
    """
    _device(options)
    answer = _core.embed(
        os.fspath(papers), os.fspath(model_dir), os.fspath(out), _json(options), progress
    )
    return _dict(answer)


def finetune(
    papers: StrPath,
    encoder_dir: StrPath,
    out_dir: StrPath,
    options: Options | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Tune an encoder to the papers' categories.

    A run that was stopped goes on from the checkpoint in ``checkpoint_dir``, to the weights that
    it would have come to.

    Parameters
    ----------
    papers
        ``papers.parquet``; its ``split`` column says what is tuned on.
    encoder_dir
        Encoder in Hugging Face files.
    out_dir
        Directory to write the tuned encoder to, in the same files. Where it lies there already,
        made from the same papers, encoder and options, nothing is computed.
    options
        ``epochs``, ``batch_tokens``, ``learning_rate``, ``head_learning_rate``, ``weight_decay``,
        ``warmup``, ``clip``, ``keep``, ``max_length``, ``device``, ``min_papers``, ``holdout``,
        ``checkpoint_dir``, ``checkpoint_seconds``, ``seed``.
    progress
        Receives progress, with the loss and the step size among its figures.

    Returns
    -------
    dict
        What was tuned, and the loss of each epoch on the papers tuned on and those held back.

    Raises
    ------
    FitError
        There is nothing to tune on, or the loss is no longer finite.
    InputError
        `out_dir` holds something else.
    """
    _device(options)
    answer = _core.finetune(
        os.fspath(papers), os.fspath(encoder_dir), os.fspath(out_dir), _json(options), progress
    )
    return _dict(answer)


def check_train(options: Options | None = None) -> None:
    """Refuse what `train` would refuse, before work that comes first.

    Parameters
    ----------
    options
        As of `train`.

    Raises
    ------
    OptionError
        An option is unknown or cannot be used.
    """
    _core.check_train(_json(options))


def train(
    papers: StrPath,
    embeddings: StrPath,
    out_dir: StrPath,
    options: Options | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Fit a head, its calibration and its thresholds, and write a model directory.

    Parameters
    ----------
    papers
        ``papers.parquet``; its ``split`` column says what is fitted on.
    embeddings
        The table's embeddings, as written by `embed`.
    out_dir
        Model directory to write.
    options
        Head, optimizer and calibration options by name.
    progress
        Receives progress, with the loss among its figures.

    Returns
    -------
    dict
        The fit's report.

    Raises
    ------
    FitError
        The head cannot be fitted on these papers.
    """
    answer = _core.train(
        os.fspath(papers), os.fspath(embeddings), os.fspath(out_dir), _json(options), progress
    )
    return _dict(answer)


def evaluate(
    papers: StrPath,
    embeddings: StrPath | None,
    model_dir: StrPath,
    split: str = "test",
    options: Options | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Score a model on one split of a papers table.

    Parameters
    ----------
    papers
        ``papers.parquet``.
    embeddings
        The table's embeddings, or None to encode the split now.
    model_dir
        Model directory.
    split
        ``train``, ``validation`` or ``test``.
    options
        Options of the stage by name.
    progress
        Receives progress.

    Returns
    -------
    dict
        The metrics.
    """
    if embeddings is None:
        _device(options)
    answer = _core.evaluate(
        os.fspath(papers),
        None if embeddings is None else os.fspath(embeddings),
        os.fspath(model_dir),
        split,
        _json(options),
        progress,
    )
    return _dict(answer)


def compare(
    scores_a: StrPath,
    scores_b: StrPath,
    options: Options | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Compare two evaluated models on the same papers, by paired bootstrap.

    Parameters
    ----------
    scores_a, scores_b
        Files of scores that `evaluate` wrote.
    options
        ``min_positives``, ``bootstrap``.
    progress
        Receives progress.

    Returns
    -------
    dict
        Every figure of both with the interval of its difference, over the labels both know.

    Raises
    ------
    InputError
        A file is none of scores, or they are of other papers, splits or categories.
    """
    answer = _core.compare_files(os.fspath(scores_a), os.fspath(scores_b), _json(options), progress)
    return _dict(answer)


def statistics(papers: StrPath, progress: OnProgress | None = None) -> dict[str, Any]:
    """Count what is in a papers table.

    Parameters
    ----------
    papers
        ``papers.parquet``.
    progress
        Receives progress.

    Returns
    -------
    dict
        Papers by split, over months and archives, by category, alone and together, and the
        lengths of titles and abstracts.

    Raises
    ------
    InputError
        It is no papers table.
    """
    return _dict(_core.paper_statistics(os.fspath(papers), progress))


def _device(options: Options | None) -> None:
    device = (options or {}).get("device", "auto")
    # What is no name at all is refused where every option is.
    if isinstance(device, str):
        prepare_device(device)


def _json(options: Options | None) -> str:
    try:
        return json.dumps(dict(options or {}), allow_nan=False)
    except ValueError:
        name, value = next(_odd(options or {}, ""))
        raise OptionError(f"option {name} = {value}: must be a finite number") from None


def _odd(options: Options, prefix: str) -> Iterator[tuple[str, float]]:
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from _odd(value, f"{prefix}{name}.")
        elif isinstance(value, float) and not math.isfinite(value):
            yield f"{prefix}{name}", value


def _dict(answer: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(answer))
