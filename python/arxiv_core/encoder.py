"""The sentence encoder, by model name or directory."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING

import numpy as np

from arxiv_core import _core, _libtorch, models

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Encoder", "prepare_device"]


def prepare_device(device: str) -> str:
    """Loads CUDA where ``device`` may need it; returns ``device``."""
    # Loading CUDA takes seconds: "auto" does so only where a GPU's device file is.
    if device.startswith("cuda") or (device == "auto" and glob.glob("/dev/nvidia[0-9]*")):
        _libtorch.load_cuda()
    return device


class Encoder:
    """Texts to vectors, as sentence-transformers computes them."""

    __slots__ = ("_core",)

    def __init__(self, core: _core.Encoder) -> None:
        self._core = core

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = "minilm",
        *,
        device: str = "auto",
        dtype: str = "f32",
        max_length: int | None = None,
    ) -> Encoder:
        """Load ``model``: a directory, ``"minilm"``, or a Hugging Face name."""
        path = models.resolve(os.fspath(model))
        return cls(_core.Encoder.load(str(path), prepare_device(device), dtype, max_length))

    def encode(
        self,
        texts: Sequence[str],
        *,
        batch_tokens: int = 16_384,
        progress: Callable[[dict[str, object]], None] | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> NDArray[np.float32]:
        """Embeddings ``[texts, hidden_size]``, in the order of ``texts``.

        With ``cache_dir``, texts embedded before are read from there, and a run that was killed
        goes on where it stopped.
        """
        cache = None if cache_dir is None else os.fspath(cache_dir)
        return self._core.encode(list(texts), batch_tokens, progress, cache)

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, special tokens included, cut at ``max_length``."""
        return self._core.token_ids(list(texts))

    def truncated(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each text is longer than the model reads."""
        return self._core.truncated(list(texts))

    @property
    def hidden_size(self) -> int:
        """Dimensions of an embedding."""
        return self._core.hidden_size

    @property
    def max_length(self) -> int:
        """Tokens after which a text is cut, special tokens included."""
        return self._core.max_length

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda:N``."""
        return self._core.device

    @property
    def dtype(self) -> str:
        """``f32`` or ``bf16``."""
        return self._core.dtype

    def __repr__(self) -> str:
        return repr(self._core)
