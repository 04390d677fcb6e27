"""Older checkpoints in today's files: ``pytorch_model.bin`` and ``vocab.txt`` are converted once.

The core reads ``model.safetensors`` and ``tokenizer.json`` only, and everything that hashes, copies
or packages an encoder relies on these two.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arxiv_core import _core, home
from arxiv_core._core import ModelError

if TYPE_CHECKING:
    import torch
    from numpy import float32
    from numpy.typing import NDArray

__all__ = ["PICKLE", "TOKENIZER", "VOCABULARY", "WEIGHTS", "modern"]

WEIGHTS = "model.safetensors"
PICKLE = "pytorch_model.bin"
TOKENIZER = "tokenizer.json"
VOCABULARY = "vocab.txt"

SOURCE = "source.json"
"""What a converted directory was made from."""

FORMAT = 1
"""Version of the conversion; another one converts again."""

log = logging.getLogger(__name__)


def modern(directory: Path) -> Path:
    """Find a directory with the model of `directory` in the files that the core reads.

    Parameters
    ----------
    directory
        A model directory of transformers, of any age.

    Returns
    -------
    Path
        `directory` where it has these files, or none to make them from; else a converted copy
        under ``ARXIV_CORE_HOME/models/converted``, which is made where it is not there yet.

    Raises
    ------
    ModelError
        A file cannot be converted; the message names it.
    """
    old = [
        source
        for source, made in ((PICKLE, WEIGHTS), (VOCABULARY, TOKENIZER))
        if (directory / source).is_file() and not (directory / made).is_file()
    ]
    if not old:
        return directory
    directory = directory.resolve()
    place = hashlib.sha256(os.fsencode(directory)).hexdigest()
    target = home.folder("models") / "converted" / f"{directory.name}-{place[:8]}"
    record = _record(directory)
    if _read(target / SOURCE) == record:
        return target
    log.info("converting %s of %s", " and ".join(old), directory)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".converted-", dir=target.parent) as folder:
        unfinished = Path(folder) / "model"
        unfinished.mkdir()
        _convert(directory, unfinished)
        (unfinished / SOURCE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        try:
            if target.exists():
                target.replace(Path(folder) / "before")
            unfinished.replace(target)
        except OSError:
            # Another process may have been quicker.
            if _read(target / SOURCE) != record:
                raise
    return target


def _record(directory: Path) -> dict[str, Any]:
    """Tell a directory's content from what it was, without reading it all."""
    files = {name: (directory / name).stat() for name in _copied(directory)}
    if (directory / PICKLE).is_file():
        files[PICKLE] = (directory / PICKLE).stat()
    return {
        "format": FORMAT,
        "directory": str(directory),
        "files": {name: [stat.st_size, stat.st_mtime_ns] for name, stat in sorted(files.items())},
    }


def _copied(directory: Path) -> list[str]:
    found = [*directory.glob("*.json"), *directory.glob("*/config.json")]
    found += [directory / name for name in (WEIGHTS, VOCABULARY)]
    return [path.relative_to(directory).as_posix() for path in found if path.is_file()]


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _convert(directory: Path, out: Path) -> None:
    for name in _copied(directory):
        (out / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(directory / name, out / name)
    if not (out / TOKENIZER).exists():
        text = _core.tokenizer_json(directory)
        (out / TOKENIZER).write_text(text, encoding="utf-8")
    if not (out / WEIGHTS).exists():
        _core.save_weights(out / WEIGHTS, _weights(directory / PICKLE))
    config = _read(out / "config.json")
    if isinstance(config, dict) and "model_type" not in config:
        # The key came in 2019; what is older and has these files is a BERT.
        text = json.dumps(config | {"model_type": "bert"}, indent=2) + "\n"
        (out / "config.json").write_text(text, encoding="utf-8")


def _weights(path: Path) -> dict[str, NDArray[float32]]:
    """Read a checkpoint of ``torch.save``, zipped or not, as float32.

    Only tensors and containers are unpickled, so that no code in the file runs.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(f"model {path}: not a checkpoint of weights ({reason})") from error
    if not isinstance(state, dict):
        raise ModelError(f"model {path}: a {type(state).__name__}, not weights by name")
    seen: set[tuple[object, ...]] = set()
    found: dict[str, NDArray[float32]] = {}
    for name, value in state.items():
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            continue
        # A head's decoder may be the word embeddings under another name.
        same = _memory(value)
        if same not in seen:
            seen.add(same)
            found[str(name)] = value.detach().to(torch.float32).contiguous().numpy()
    if not found:
        raise ModelError(f"model {path}: no weights in it")
    return found


def _memory(tensor: torch.Tensor) -> tuple[object, ...]:
    return tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride()
