"""The configuration's types: every key, what it means and its default.

A group's YAML file sets only what makes it that choice; everything else comes from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = [
    "Calibration",
    "Choice",
    "Config",
    "Data",
    "Duplicates",
    "Head",
    "HeadKind",
    "LabelMatch",
    "Labels",
    "Model",
    "Optimizer",
    "Paths",
    "Split",
    "SplitBy",
    "Train",
    "TrainMode",
]


class Choice(Enum):
    """Members are named, and shown, as they are written in the configuration."""

    def __str__(self) -> str:
        return str(self.value)


class SplitBy(Choice):
    """How papers are divided."""

    time = "time"
    stratified = "stratified"


class LabelMatch(Choice):
    """Which of a paper's labels decide whether it is kept."""

    any = "any"
    primary = "primary"


class HeadKind(Choice):
    """What sits on the encoder."""

    logistic = "logistic"
    mlp = "mlp"
    hybrid = "hybrid"


class TrainMode(Choice):
    """Which weights move."""

    head = "head"


@dataclass
class Duplicates:
    """Papers that say the same."""

    exact: bool = True
    """Drop a paper whose title and abstract are an earlier one's."""
    near: bool = True
    """Keep papers with nearly the same abstract on one side of the split."""
    threshold: float = 0.7
    """Jaccard similarity of three-word shingles from which two abstracts are nearly the same."""


@dataclass
class Data:
    """Which papers there are."""

    source: str = "sample"
    """Snapshot file, or ``sample`` for the corpus in the package."""
    dataset: str = "Cornell-University/arxiv"
    """Kaggle data set that ``data fetch`` downloads."""
    since: str | None = None
    """First month kept, YYYY-MM; null keeps all."""
    until: str | None = None
    """Last month kept, YYYY-MM; null keeps all."""
    max_papers: int | None = None
    """Keep at most so many papers, each primary category in its proportion; null keeps all."""
    min_abstract_chars: int = 100
    """A shorter abstract cannot be judged and is left out."""
    withdrawn: bool = False
    """Keep withdrawn papers."""
    duplicates: Duplicates = field(default_factory=Duplicates)


@dataclass
class Labels:
    """Which categories are learned."""

    categories: list[str] = field(default_factory=list)
    """Only papers of these categories or archives; empty takes all."""
    match: LabelMatch = LabelMatch.any
    """Whether any of a paper's labels must be among them, or its primary one."""
    others: bool = True
    """Keep the other labels of the papers kept."""
    per_category: int | None = None
    """At most so many papers of each primary category; null takes all."""
    min_support: int = 0
    """A label with fewer papers is removed."""


@dataclass
class Split:
    """How papers are divided into train, validation and test."""

    by: SplitBy = SplitBy.time
    test_months: int = 3
    """By time: length of test where its ends are not given."""
    validation_months: int = 3
    """By time: length of validation where its ends are not given."""
    train_until: str | None = None
    """By time: last month of train, YYYY-MM."""
    validation_until: str | None = None
    """By time: last month of validation."""
    test_from: str | None = None
    """By time: first month of test; months before it that are not validation are left out."""
    test_until: str | None = None
    """By time: last month of test; later papers are left out."""
    validation_fraction: float = 0.1
    """Stratified: share of the papers in validation."""
    test_fraction: float = 0.1
    """Stratified: share of the papers in test."""


@dataclass
class Model:
    """The encoder and how it is run."""

    name: str = "minilm"
    """Name, Hugging Face repository or directory."""
    max_length: int = 512
    """Word pieces read of a text."""
    device: str = "auto"
    dtype: str = "f32"
    batch_tokens: int = 16384
    """Most tokens in a batch, padding included."""


@dataclass
class Head:
    """The classifier on top of the embedding."""

    kind: HeadKind = HeadKind.hybrid
    width: int = 1024
    """Hidden units (mlp, hybrid)."""
    dropout: float = 0.3
    features: int = 65536
    """Hashed n-gram features (hybrid)."""
    l2: float = 1.0
    """Regularisation (logistic)."""


@dataclass
class Optimizer:
    """How weights move."""

    lr: float = 1e-3
    weight_decay: float = 1e-2
    epochs: int = 30
    batch_size: int = 512
    patience: int = 5
    """Epochs without a better validation score before fitting stops."""


@dataclass
class Train:
    """What is fitted."""

    mode: TrainMode = TrainMode.head
    optimizer: Optimizer = field(default_factory=Optimizer)


@dataclass
class Calibration:
    """From scores to probabilities and assignments; fitted on validation."""

    kind: str = "platt"
    shrink: float = 100.0
    """Positives at which a label's own threshold weighs as much as the common one."""


@dataclass
class Paths:
    """Where things lie."""

    data: str = "data"
    """Snapshot, papers table and embeddings."""
    runs: str = "runs"
    """One directory a run: model, metrics, the configuration that made them."""
    cache: str | None = None
    """Embedding cache; null takes ARXIV_CORE_HOME."""


@dataclass
class Config:
    """The whole tree."""

    data: Data = field(default_factory=Data)
    labels: Labels = field(default_factory=Labels)
    split: Split = field(default_factory=Split)
    model: Model = field(default_factory=Model)
    head: Head = field(default_factory=Head)
    train: Train = field(default_factory=Train)
    calibration: Calibration = field(default_factory=Calibration)
    paths: Paths = field(default_factory=Paths)
    run: str = "${model.name}-${head.kind}"
    """The run's name: its directory under paths.runs."""
    seed: int = 0
