"""Papers in, arXiv categories out."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from arxiv_core import _core, models
from arxiv_core._core import Category, InputError, ModelError, Prediction
from arxiv_core.encoder import prepare_device, utf8

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "DEFAULT",
    "Category",
    "Classifier",
    "Explained",
    "Explanation",
    "Prediction",
    "Span",
    "encoder_directory",
    "package",
]

DEFAULT = Path(__file__).with_name("default_model")
"""The model that comes with the library."""

Paper = Mapping[str, object]
OnProgress = Callable[[dict[str, Any]], None]


class Span(TypedDict):
    """A part of a paper."""

    field: Literal["title", "abstract"]
    start: int
    """Its first character, as Python counts them."""
    end: int
    """The character behind its last one."""


class Explained(TypedDict):
    """A category, and what each part of the paper contributes to it."""

    category: str
    name: str
    probability: float
    assigned: bool
    threshold: float | None
    contributions: list[float]
    """For each span what the category's log odds lose without it: above zero where it speaks for
    the category."""


class Explanation(TypedDict):
    """Which parts of a paper speak for which category."""

    spans: list[Span]
    """The paper's parts in their order, the title first."""
    categories: list[Explained]
    truncated: bool
    """The text was longer than the model reads; what it does not read contributes nothing."""


class Classifier:
    """A model on its encoder. Several threads may use one at once."""

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
        encoder: str | os.PathLike[str] | None = None,
    ) -> Classifier:
        """Load a model; every file of it is checked first.

        Parameters
        ----------
        model
            A model directory, or a registered model: ``registry:NAME``, which is its production
            version, ``registry:NAME@v3`` or ``registry:NAME@ALIAS``; the default model unless
            given, or for ``"default"``.
        device
            ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        dtype
            Number format of the encoder.
        encoder
            Directory or name of the encoder; the model knows it by itself. It must be the very
            one that the model was fitted on.

        Raises
        ------
        ModelError
            A file is missing or changed, or what is in it does not fit; says which. Or the
            registry has no such model.
        FileNotFoundError
            There is no such directory.
        """
        directory = model_path(model)
        place = encoder_directory(directory) if encoder is None else _place(os.fspath(encoder))
        return cls(_core.Classifier.load(str(directory), place, prepare_device(device), dtype))

    @property
    def labels(self) -> list[str]:
        """Canonical categories, in the order of the columns of `scores`."""
        return self._core.labels

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """For each label the probability from which it is assigned."""
        return self._core.thresholds

    def info(self) -> dict[str, Any]:
        """Say what the model is and where it came from."""
        return cast("dict[str, Any]", json.loads(self._core.info()))

    def scores(
        self, papers: Iterable[Paper], *, progress: OnProgress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Calibrated probabilities of all labels.

        Parameters
        ----------
        papers
            Mappings with ``title`` and ``abstract``.
        progress
            Receives progress.

        Returns
        -------
        probabilities
            float32 [papers, labels].
        truncated
            bool [papers]: the text was longer than the model reads.
        """
        titles, abstracts, _ = _columns(papers)
        return self._core.scores(titles, abstracts, progress)

    def classify(
        self,
        papers: Iterable[Paper],
        top_k: int | None = 5,
        *,
        all: bool = False,
        aliases: bool = False,
        level: Literal["category", "archive"] = "category",
        distribution: bool = False,
        thresholds: Mapping[str, float] | None = None,
        min_precision: float | None = None,
        progress: OnProgress | None = None,
    ) -> list[Prediction]:
        """Classify papers.

        Parameters
        ----------
        papers
            Mappings with ``title`` and ``abstract``, strings that may be empty and may hold
            LaTeX. ``primary``, the category that the author declared, may be there too, under
            any name arXiv has for it: it is then part of the answer whatever its rank.
        top_k
            Categories in an answer; None: those assigned, at least the best.
        all
            Answer with every label, best first.
        aliases
            Write the other name of an alias pair too: ``cs.IT=math.IT``.
        level
            ``archive``: the probability that at least one of an archive's categories applies.
        distribution
            Shares of the primary category, which add up to one over all labels.
        thresholds
            Probabilities from which categories are assigned, in place of the model's own.
        min_precision
            Assign the best categories as long as the mean of their probabilities is at least
            this, whatever the thresholds: the precision to be expected of them, as far as the
            probabilities are calibrated.
        progress
            Receives progress.

        Returns
        -------
        list of Prediction
            In the order of `papers`.

        Raises
        ------
        InputError
            A field is missing or is no string, or arXiv has no such category; says which paper.
        OptionError
            An option that cannot be used, or `thresholds` and `min_precision` together.
        """
        titles, abstracts, declared = _columns(papers)
        options = ranking(top_k, all, aliases, level, distribution, thresholds, min_precision)
        return self._core.classify(titles, abstracts, json.dumps(options), declared, progress)

    def explain(
        self,
        paper: Paper,
        categories: Iterable[str] | None = None,
        *,
        unit: Literal["sentence", "word"] = "sentence",
        top_k: int = 5,
        most: int | None = None,
        progress: OnProgress | None = None,
    ) -> Explanation:
        """Say which parts of a paper speak for its categories, and which against.

        A part contributes what the category's log odds lose when it is left out: leave-one-out,
        by calibrated probabilities, all variants of the paper in one call.

        Parameters
        ----------
        paper
            A mapping with ``title`` and ``abstract``.
        categories
            Categories to explain, under any name arXiv has for them; None: the best ones.
        unit
            ``sentence``: the title, and each sentence of the abstract; ``word``: each word.
        top_k
            How many categories are explained where none are named.
        most
            Parts at most; neighbours are left out together where there are more.
        progress
            Receives progress.

        Returns
        -------
        Explanation
            Spans of the paper, and per category their contributions.

        Raises
        ------
        InputError
            A field is missing or is no string, or the model does not know such a category.
        OptionError
            A number that cannot be used.
        """
        [title], [abstract], _ = _columns([paper])
        options = {
            "unit": unit,
            "most": most,
            "categories": None if categories is None else list(categories),
            "top_k": operator.index(top_k),
        }
        answer = self._core.explain(title, abstract, json.dumps(options), progress)
        return cast("Explanation", json.loads(answer))

    def classify_file(
        self,
        input: str | os.PathLike[str],
        output: str | os.PathLike[str],
        *,
        top_k: int | None = 5,
        all: bool = False,
        aliases: bool = False,
        level: Literal["category", "archive"] = "category",
        distribution: bool = False,
        thresholds: Mapping[str, float] | None = None,
        min_precision: float | None = None,
        titles: bool = False,
        format: Literal["jsonl", "csv", "parquet"] | None = None,
        on_error: Literal["fail", "skip"] = "fail",
        chunk: int = 4096,
        progress: OnProgress | None = None,
    ) -> dict[str, Any]:
        """Classify a file of any size into another, in bounded memory and in order.

        Parameters
        ----------
        input
            Papers with the fields ``title`` and ``abstract``, and ``id`` to be carried through:
            JSON Lines, a JSON array, CSV (each also in gzip or zstd) or Parquet; ``-`` is
            standard input. Other fields, a declared primary too, are not looked at.
        output
            ``.jsonl`` or ``.csv``, each also with ``.gz`` or ``.zst``, or ``.parquet``; ``-`` is
            standard output. A file appears when it is complete; pipes and devices are written
            into as papers are done.
        top_k, all, aliases, level, distribution, thresholds, min_precision
            As in `classify`.
        titles
            Write each paper's title too; in JSON Lines only.
        format
            What to write; the output's name says it where None, and ``-`` is JSON Lines.
        on_error
            ``skip``: leave out and count records that cannot be read.
        chunk
            Papers classified at a time: what bounds the memory.
        progress
            Receives progress.

        Returns
        -------
        dict
            ``papers``, ``truncated``, ``skipped``, and the first ``errors``.

        Raises
        ------
        InputError
            A record cannot be read; says file, line and field.
        """
        options = ranking(top_k, all, aliases, level, distribution, thresholds, min_precision)
        options |= {"titles": titles, "format": format, "on_error": on_error, "chunk": chunk}
        answer = self._core.classify_file(
            _name(input, "input"), _name(output, "output"), json.dumps(options), progress
        )
        return cast("dict[str, Any]", json.loads(answer))

    def __repr__(self) -> str:
        return repr(self._core)


def package(
    model: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    *,
    self_contained: bool = False,
    texts: Mapping[str, str] | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Copy a model to hand on, checked before and after.

    Parameters
    ----------
    model
        As in `Classifier.load`.
    out
        Directory to write; a model that lies there is replaced.
    self_contained
        Put the encoder inside, in files that transformers and sentence-transformers load too.
    texts
        Texts to put beside the model, by file name: ``README.md``, ``metrics.json``.
    progress
        Receives progress.

    Returns
    -------
    dict
        ``package``, ``labels``, ``bytes``, ``self_contained`` and the sha256 of ``files``.
    """
    directory = model_path(model)
    options = {
        "self_contained": self_contained,
        "encoder_dir": encoder_directory(directory) if self_contained else None,
        "texts": dict(texts or {}),
    }
    answer = _core.package(str(directory), os.fspath(out), json.dumps(options), progress)
    return cast("dict[str, Any]", json.loads(answer))


def _name(path: str | os.PathLike[str], what: str) -> str:
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InputError(f"{what} {name!a}: a name that is not UTF-8") from None
    return name


def model_path(model: str | os.PathLike[str] | None) -> Path:
    """Find the directory of a model.

    Parameters
    ----------
    model
        As in `Classifier.load`.

    Raises
    ------
    ModelError
        The registry has no such model, or the installation no default one.
    """
    if model is None or model == "default":
        if not DEFAULT.is_dir():
            raise ModelError(f"model {DEFAULT}: this installation has no default model")
        return DEFAULT
    name = os.fspath(model)
    if name.startswith("registry:"):
        from arxiv_core.registry import model_directory

        return model_directory(name)
    return Path(name).expanduser()


def encoder_directory(directory: Path) -> str | None:
    """Find the encoder that a model needs.

    Parameters
    ----------
    directory
        A model directory.

    Returns
    -------
    str or None
        The encoder's directory; None where it is inside the model's.
    """
    try:
        spec = json.loads((directory / "classifier.json").read_bytes())
        source = spec["encoder"]["source"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # What is wrong with the directory is said by the check of all its files.
    return _place(source) if isinstance(source, str) and source != "local" else None


def _place(encoder: str) -> str:
    # The core checks the hash that the model names, which may be another one than the name's.
    return str(models.resolve(encoder, verify=False))


def ranking(
    top_k: int | None,
    all: bool,
    aliases: bool,
    level: str,
    distribution: bool,
    thresholds: Mapping[str, float] | None,
    min_precision: float | None,
) -> dict[str, Any]:
    """Return what the core is told about predictions; the arguments are those of `classify`."""
    return {
        "top_k": None if top_k is None else operator.index(top_k),
        "all": all,
        "aliases": aliases,
        "level": level,
        "distribution": distribution,
        "thresholds": dict(thresholds or {}),
        "min_precision": min_precision,
    }


def _columns(papers: Iterable[Paper]) -> tuple[list[str], list[str], list[str | None] | None]:
    """Titles, abstracts, and declared categories where any paper has one."""
    if isinstance(papers, Mapping):
        raise InputError("papers: one paper, not several; put it into a list")
    titles: list[str] = []
    abstracts: list[str] = []
    declared: list[str | None] = []
    for index, paper in enumerate(papers):
        if not isinstance(paper, Mapping):
            raise InputError(f"paper {index}: {type(paper).__name__} is not a mapping")
        titles.append(_text(paper, index, "title"))
        abstracts.append(_text(paper, index, "abstract"))
        declared.append(None if paper.get("primary") is None else _text(paper, index, "primary"))
    return titles, abstracts, declared if any(name is not None for name in declared) else None


def _text(paper: Paper, index: int, field: str) -> str:
    if field not in paper:
        raise InputError(f"paper {index}: field {field!r}: missing")
    value = paper[field]
    if not isinstance(value, str):
        raise InputError(f"paper {index}: field {field!r}: {value!r:.40} is not a string")
    return utf8(value, f"paper {index}: field {field!r}")
