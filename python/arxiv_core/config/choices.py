"""What a key of the configuration may be, where that is one of a few words."""

from __future__ import annotations

from enum import Enum

__all__ = [
    "CalibrationKind",
    "Choice",
    "Clean",
    "Dtype",
    "EvaluationSplit",
    "HeadKind",
    "Keep",
    "LabelMatch",
    "Sampler",
    "SplitBy",
    "Tracker",
    "TrackingMode",
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


class Clean(Choice):
    """What is done to titles and abstracts."""

    full = "full"
    whitespace = "whitespace"


class LabelMatch(Choice):
    """Which of a paper's labels decide whether it is kept."""

    any = "any"
    primary = "primary"


class HeadKind(Choice):
    """What sits on the encoder."""

    logistic = "logistic"
    mlp = "mlp"
    hybrid = "hybrid"


class CalibrationKind(Choice):
    """How scores become probabilities."""

    platt = "platt"
    none = "none"


class EvaluationSplit(Choice):
    """Which papers are scored."""

    train = "train"
    validation = "validation"
    test = "test"


class TrainMode(Choice):
    """Which weights move."""

    head = "head"
    full = "full"


class Keep(Choice):
    """Which weights of a fine-tuning are kept."""

    best = "best"
    last = "last"


class Tracker(Choice):
    """Where runs are recorded, beside their own directory."""

    none = "none"
    wandb = "wandb"


class TrackingMode(Choice):
    """Whether a run is sent as it goes."""

    auto = "auto"
    online = "online"
    offline = "offline"


class Dtype(Choice):
    """Number format of an encoder."""

    f32 = "f32"
    bf16 = "bf16"


class Sampler(Choice):
    """How a sweep chooses its next trial."""

    tpe = "tpe"
    random = "random"
    grid = "grid"
