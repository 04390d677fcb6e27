"""What a baseline is asked: rows, labels and truth of a papers table, as a run has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arxiv_core import FitError, InputError, _core

__all__ = ["Task", "embeddings"]


@dataclass
class Task:
    """One papers table; rows are positions in it."""

    texts: list[str]
    truth: NDArray[np.uint8]
    """Shape [papers, labels], 0 or 1."""
    primary: NDArray[np.int32]
    """Shape [papers]: index of the primary label, -1 where it is none of them."""
    labels: list[str]
    fit: NDArray[np.int64]
    validation: NDArray[np.int64]
    refit: NDArray[np.int64]
    """Papers of the head that is tested: those of `fit`, or of `fit` and `validation`."""
    test: NDArray[np.int64]
    """Papers that are measured."""
    submitted: tuple[int, int]
    """First and last day of `test`, in days since 1970-01-01."""

    @classmethod
    def read(cls, papers: Path, *, refit: bool, min_papers: int, split: str = "test") -> Task:
        """Read the table; labels are those with enough papers in the last fit.

        Parameters
        ----------
        papers
            ``papers.parquet``.
        refit
            Whether heads are fitted to validation papers too, once thresholds are.
        min_papers
            Papers that a label needs.
        split
            What is measured.

        Raises
        ------
        InputError
            It is no papers table, or the split has no papers.
        FitError
            There is nothing to fit to, or nothing to choose by.
        """
        table = _core.Papers.read(str(papers))
        # A property makes its list anew whenever it is read.
        splits, papers_categories = np.array(table.splits), table.categories
        rows = {name: np.flatnonzero(splits == name) for name in ("train", "validation", "test")}
        last = np.concatenate([rows["train"], rows["validation"]]) if refit else rows["train"]
        counts: dict[str, int] = {}
        for row in last:
            for category in papers_categories[row]:
                counts[category] = counts.get(category, 0) + 1
        labels = sorted(name for name, count in counts.items() if count >= min_papers)
        if not labels:
            raise FitError(f"baselines: no category has {max(min_papers, 1)} papers to fit to")
        if not len(rows["validation"]):
            raise FitError("baselines: the split validation is empty")
        if not len(rows[split]):
            raise InputError(f"{papers}: no papers in the split {split}")
        index = {name: at for at, name in enumerate(labels)}
        truth = np.zeros((len(splits), len(labels)), np.uint8)
        for row, categories in enumerate(papers_categories):
            truth[row, [index[name] for name in categories if name in index]] = 1
        primary = np.array([index.get(name or "", -1) for name in table.primaries], np.int32)
        days = np.array(table.submitted)[rows[split]]
        return cls(
            table.texts(),
            truth,
            primary,
            labels,
            rows["train"],
            rows["validation"],
            last,
            rows[split],
            (int(days.min()), int(days.max())),
        )


def embeddings(path: Path, papers_checksum: str) -> NDArray[np.float32]:
    """Map a table's embeddings, as `embed` wrote them.

    Parameters
    ----------
    path
        Safetensors: eight bytes with the header's length, the header as JSON, the values.
    papers_checksum
        Of the table.

    Returns
    -------
    NDArray
        Shape [papers, hidden], in row order; read-only.

    Raises
    ------
    InputError
        They were made for another table, or it is no such file.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        made_for = header["__metadata__"]["papers_checksum"]
        values = header["embeddings"]
        offset, shape = 8 + length + values["data_offsets"][0], tuple(values["shape"])
    except (ValueError, KeyError, MemoryError, OverflowError) as error:
        raise InputError(f"{path}: no file of embeddings") from error
    if made_for != papers_checksum:
        raise InputError(f"{path}: made for another papers table; embed again")
    return np.memmap(path, "<f4", "r", offset, shape)
