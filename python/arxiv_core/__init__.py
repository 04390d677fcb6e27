"""Sorts papers into arXiv categories."""

from __future__ import annotations

from arxiv_core import _libtorch

_libtorch.preload()

from arxiv_core._core import (  # noqa: E402 - the extension needs libtorch loaded first
    ArxivCoreError,
    DeadlineError,
    DeviceError,
    EngineError,
    FitError,
    ForkError,
    InputError,
    ModelError,
    OptionError,
    OverloadedError,
    Papers,
    ShapeError,
    StoppingError,
    TorchError,
    __version__,
    canonical,
)
from arxiv_core._libtorch import load_cuda  # noqa: E402
from arxiv_core.classifier import Category, Classifier, Prediction, package  # noqa: E402
from arxiv_core.encoder import Encoder  # noqa: E402
from arxiv_core.stages import embed, evaluate, prepare, taxonomy, train  # noqa: E402

__all__ = [
    "ArxivCoreError",
    "Category",
    "Classifier",
    "DeadlineError",
    "DeviceError",
    "Encoder",
    "EngineError",
    "FitError",
    "ForkError",
    "InputError",
    "ModelError",
    "OptionError",
    "OverloadedError",
    "Papers",
    "Prediction",
    "ShapeError",
    "StoppingError",
    "TorchError",
    "__version__",
    "canonical",
    "embed",
    "evaluate",
    "load_cuda",
    "package",
    "prepare",
    "taxonomy",
    "train",
]
