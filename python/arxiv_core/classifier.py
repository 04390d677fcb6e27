"""The classifier: papers in, categories out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from arxiv_core import _core, models
from arxiv_core.encoder import prepare_device

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from arxiv_core.stages import OnProgress

__all__ = ["DEFAULT", "Classifier", "FileSummary"]

DEFAULT = Path(__file__).with_name("default_model")
"""The model in the package."""


class FileSummary(TypedDict):
    """What `Classifier.classify_file` did."""

    input: str
    output: str
    papers: int
    truncated: int
    """Of these, papers whose text was longer than the model reads."""
    skipped: int
    """Records left out because they could not be read."""
    errors: list[str]
    """The first of their errors."""


class Classifier:
    """Sorts papers into arXiv categories.

    Examples
    --------
    >>> classifier = Classifier.load()  # doctest: +SKIP
    >>> [prediction] = classifier.classify([{"title": "…", "abstract": "…"}])  # doctest: +SKIP
    >>> prediction.categories[0].category  # doctest: +SKIP
    'cs.LG'
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Classifier) -> None:
        self._core = core

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        device: str = "auto",
        dtype: Literal["f32", "bf16"] = "f32",
    ) -> Classifier:
        """Load a model directory.

        Parameters
        ----------
        model
            Model directory; the model in the package where None.
        device
            ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        dtype
            Number format that the encoder computes in.

        Returns
        -------
        Classifier
            Ready to classify.

        Raises
        ------
        ModelError
            The directory is not a model, or a file in it is not what its manifest says.
        FileNotFoundError
            There is no such directory.
        """
        directory = DEFAULT if model is None else Path(model)
        encoder = _encoder(directory)
        return cls(_core.Classifier.load(str(directory), encoder, prepare_device(device), dtype))

    @property
    def labels(self) -> list[str]:
        """Canonical categories, in the order of the columns of `scores`."""
        return self._core.labels

    def info(self) -> dict[str, Any]:
        """Say which model this is: its ``classifier.json`` without the long lists."""
        return cast("dict[str, Any]", json.loads(self._core.info()))

    def classify(
        self,
        papers: Iterable[Mapping[str, Any]],
        *,
        top_k: int | None = 5,
        all: bool = False,  # noqa: A002 - the option's public name
        aliases: bool = False,
        level: Literal["category", "archive"] = "category",
        distribution: bool = False,
        progress: OnProgress | None = None,
    ) -> list[_core.Prediction]:
        """Classify papers.

        Parameters
        ----------
        papers
            Mappings with ``title`` and ``abstract``, as their authors wrote them, and optionally
            ``primary``, the category that was declared and is always part of the answer.
        top_k
            Categories a paper; with None those that are assigned, at least the best.
        all
            Every category, whatever `top_k` says.
        aliases
            Write both names of an alias pair: ``cs.IT=math.IT``.
        level
            Answer with categories, or with the archives above them.
        distribution
            Shares of the primary category, which add up to one, in place of probabilities.
        progress
            Receives progress.

        Returns
        -------
        list of Prediction
            One a paper, in their order, categories best first.

        Raises
        ------
        InputError
            A paper lacks a field, or declares a primary that arXiv does not have.
        """
        rows = list(papers)
        titles, abstracts = _column(rows, "title"), _column(rows, "abstract")
        declared = [cast("str | None", paper.get("primary")) for paper in rows]
        options = {
            "top_k": top_k,
            "all": all,
            "aliases": aliases,
            "level": level,
            "distribution": distribution,
        }
        return self._core.classify(
            titles,
            abstracts,
            json.dumps(options),
            declared if any(one is not None for one in declared) else None,
            progress,
        )

    def scores(
        self, papers: Iterable[Mapping[str, Any]], *, progress: OnProgress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Compute every category's probability.

        Parameters
        ----------
        papers
            As in `classify`.
        progress
            Receives progress.

        Returns
        -------
        tuple of ndarray
            Probabilities, float32 [papers, labels], and whether each text was longer than the
            model reads, bool [papers].
        """
        rows = list(papers)
        return self._core.scores(_column(rows, "title"), _column(rows, "abstract"), progress)

    def classify_file(
        self,
        input: str | os.PathLike[str],  # noqa: A002 - as in the summary
        output: str | os.PathLike[str],
        *,
        progress: OnProgress | None = None,
        **options: Any,
    ) -> FileSummary:
        """Classify a whole file, streaming; the output appears when it is complete.

        Parameters
        ----------
        input
            Papers as JSON Lines, CSV or Parquet, text also in gzip or zstd, told by content;
            ``-`` is standard input.
        output
            ``.jsonl`` or ``.csv``, each also with ``.gz`` or ``.zst``, or ``.parquet``; ``-`` is
            standard output.
        progress
            Receives progress.
        **options
            As in `classify`; also ``on_error`` (``fail``, or ``skip`` what cannot be read) and
            ``chunk``, the papers held in memory.

        Returns
        -------
        FileSummary
            What was done.

        Raises
        ------
        InputError
            A record cannot be read; names file, line and field.
        """
        answer = self._core.classify_file(
            os.fspath(input), os.fspath(output), json.dumps(options), progress
        )
        return cast("FileSummary", json.loads(answer))

    def __repr__(self) -> str:
        return repr(self._core)


def _encoder(directory: Path) -> str | None:
    """Where the encoder lies that `directory` names; None where it is inside, or unknown."""
    # Only the name is read here: whatever is wrong with the directory, Rust says better.
    try:
        spec = json.loads((directory / "classifier.json").read_bytes())
        source = spec["encoder"]["source"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if source == "local" else str(models.resolve(str(source)))


def _column(papers: list[Mapping[str, Any]], field: str) -> list[str]:
    values = [paper.get(field) for paper in papers]
    for row, value in enumerate(values):
        if not isinstance(value, str):
            what = "is missing" if field not in papers[row] else f"is {type(value).__name__}"
            raise _core.InputError(f"papers[{row}]: field {field!r} {what}, expected a string")
    return cast("list[str]", values)
