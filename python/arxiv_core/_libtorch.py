"""Loads the installed torch package's libtorch by path, without importing torch."""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path

_LIBRARIES = ("libgomp.so.1", "libc10.so", "libtorch_cpu.so")


def directory() -> Path:
    """The folder of libtorch's shared libraries."""
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("arxiv_core needs the torch package (2.11.0), which is not installed")
    return Path(spec.submodule_search_locations[0]) / "lib"


def preload() -> None:
    """Makes libtorch's CPU symbols visible to the compiled module."""
    lib = directory()
    for name in _LIBRARIES:
        path = lib / name
        # CPU builds of torch may leave libgomp to the system.
        if path.exists():
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)


def load_cuda() -> bool:
    """Loads libtorch's CUDA half, after which ``device="cuda"`` can find a GPU.

    Returns whether there is one to load; takes seconds the first time.
    """
    path = directory() / "libtorch_cuda.so"
    if not path.exists():
        return False
    try:
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True
