"""Loads libtorch from the installed torch package, without importing torch.

Importing Python's torch takes seconds and hundreds of megabytes; the extension needs only its
shared libraries. They are loaded by path, so that the extension's own references to them
resolve to the very files that `import torch` would use in the same process.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from pathlib import Path

TORCH_VERSION = "2.11.0"
"""The torch release whose libtorch the extension is compiled against (tch 0.24)."""


def directory() -> Path:
    """Find the folder of libtorch's shared libraries.

    Returns
    -------
    Path
        `lib` of the installed torch package.

    Raises
    ------
    ImportError
        torch is not installed, or is another release than `TORCH_VERSION`.
    """
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        raise ImportError(
            f"arxiv_core needs the libtorch of torch {TORCH_VERSION}, and torch is not installed "
            f"in {sys.prefix}: pip install torch=={TORCH_VERSION}"
        )
    package = Path(spec.origin).parent
    found = re.search(
        r"__version__\s*=\s*'([^']+)'", (package / "version.py").read_text(encoding="utf-8")
    )
    version = found.group(1) if found else "unknown"
    if version.split("+")[0] != TORCH_VERSION:
        raise ImportError(
            f"arxiv_core is compiled against torch {TORCH_VERSION}, but {package} "
            f"is torch {version}: pip install torch=={TORCH_VERSION}"
        )
    return package / "lib"


def _load(path: Path) -> None:
    try:
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise ImportError(f"cannot load {path}: {error}") from error


def preload() -> None:
    """Load what every device needs.

    Raises
    ------
    ImportError
        torch is missing, of another release, or cannot be loaded.
    """
    lib = directory()
    # CPU builds of torch may leave libgomp to the system.
    if (lib / "libgomp.so.1").exists():
        _load(lib / "libgomp.so.1")
    _load(lib / "libc10.so")
    _load(lib / "libtorch_cpu.so")


def load_cuda() -> bool:
    """Load libtorch's CUDA half, after which ``device="cuda"`` can find a GPU.

    Takes seconds the first time.

    Returns
    -------
    bool
        False where the installed torch is a CPU build.

    Raises
    ------
    ImportError
        The libraries are there and cannot be loaded.
    """
    lib = directory()
    if not (lib / "libtorch_cuda.so").exists():
        return False
    _load(lib / "libc10_cuda.so")
    _load(lib / "libtorch_cuda.so")
    return True
