"""The sentence encoder, by model name or directory."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arxiv_core import _core, _libtorch, models
from arxiv_core._core import InputError

__all__ = ["Encoder", "prepare_device", "utf8"]

_log = logging.getLogger(__name__)


def prepare_device(device: str) -> str:
    """Load libtorch's CUDA half where `device` may need it.

    Loading it takes seconds, so ``auto`` does so only on a machine with an NVIDIA device file.

    Parameters
    ----------
    device
        ``cpu``, ``cuda``, ``cuda:N`` or ``auto``.

    Returns
    -------
    str
        `device`.

    Raises
    ------
    ImportError
        ``cuda`` is asked for, and torch's CUDA libraries are there and cannot be loaded.
    """
    if device.startswith("cuda"):
        _libtorch.load_cuda()
    elif device == "auto" and any(Path("/dev").glob("nvidia[0-9]*")):
        try:
            _libtorch.load_cuda()
        except ImportError as error:
            _log.warning("using the CPU: %s", error)
    return device


def utf8(text: str, place: str) -> str:
    """Return `text`, which Rust can take when no half of a surrogate pair stands alone in it.

    Raises
    ------
    InputError
        One does; the message begins with `place`.
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{place}: character {error.start} is half a surrogate pair") from None
    return text


class Encoder:
    """Texts to vectors, as sentence-transformers computes them; made by `load`."""

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
        """Load an encoder.

        Parameters
        ----------
        model
            A directory of sentence-transformers or transformers, ``minilm``, ``distilbert``,
            ``scibert``, or ``owner/name`` on the hub.
        device
            ``cpu``, ``cuda``, ``cuda:N``, or ``auto``: a GPU where there is one.
        dtype
            ``f32``, or ``bf16``: about 1.6 times as fast, cosine above 0.999 to f32.
        max_length
            Tokens after which a text is cut; the model's own limit where None.

        Returns
        -------
        Encoder
            Ready to use from any thread.

        Raises
        ------
        ModelError
            Name, file, weight or hash is wrong; the message names it.
        DeviceError
            The device asked for is not there.
        """
        path = models.resolve(os.fspath(model))
        return cls(_core.Encoder.load(str(path), prepare_device(device), dtype, max_length))

    def encode(
        self,
        texts: Sequence[str],
        *,
        batch_tokens: int = 16_384,
        progress: Callable[[dict[str, Any]], None] | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> NDArray[np.float32]:
        """Embed texts.

        Parameters
        ----------
        texts
            Any number of any length.
        batch_tokens
            Tokens computed together at most.
        progress
            Receives progress.
        cache_dir
            Folder in which embeddings are kept: texts embedded before are read from there, and
            a run that was killed goes on where it stopped.

        Returns
        -------
        ndarray of float32, shape (texts, hidden_size)
            In the order of `texts`.

        Raises
        ------
        InputError
            A text is no string or not valid Unicode; says which.
        """
        return self._core.encode(_list(texts), batch_tokens, progress, cache_dir)

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokenize texts: ids of each, special tokens included, cut at `max_length`."""
        return self._core.token_ids(_list(texts))

    def truncated(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell of each text whether it is longer than the model reads."""
        return self._core.truncated(_list(texts))

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


def _list(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str | bytes):
        raise InputError("texts: one text by itself; give a list of them")
    checked = []
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"text {index}: {type(text).__name__} is no text")
        checked.append(utf8(text, f"text {index}"))
    return checked
