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
    "Head",
    "HeadKind",
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
    random = "random"


class HeadKind(Choice):
    """What sits on the encoder."""

    logistic = "logistic"
    mlp = "mlp"
    hybrid = "hybrid"


class TrainMode(Choice):
    """Which weights move."""

    head = "head"


@dataclass
class Data:
    """Which papers there are."""

    source: str = "sample"
    """Snapshot file, or ``sample`` for the corpus in the package."""
    dataset: str = "Cornell-University/arxiv"
    """Kaggle data set that ``data fetch`` downloads."""
    papers: int | None = None
    """Keep at most so many papers, evenly over time; null keeps all."""
    min_abstract_words: int = 10
    """A shorter abstract cannot be judged and is left out."""
    withdrawn: bool = False
    """Keep withdrawn papers."""
    near_duplicates: float | None = 0.8
    """Similarity of abstracts from which two papers stay on one side; null does not look."""


@dataclass
class Labels:
    """Which categories are learned."""

    categories: list[str] | None = None
    """Only these; null takes every active one."""
    per_category: int | None = None
    """At most so many papers of each."""
    min_support: int = 1
    """A category with fewer papers is left out."""


@dataclass
class Split:
    """How papers are divided into train, validation and test."""

    by: SplitBy = SplitBy.time
    validation: float = 0.1
    """Share of the papers, where no date is given."""
    test: float = 0.1
    validation_from: str | None = None
    """First day of validation, YYYY-MM or YYYY-MM-DD."""
    test_from: str | None = None
    test_until: str | None = None
    """Last day of test; later papers are left out."""


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
