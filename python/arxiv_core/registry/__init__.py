"""The model registry: immutable versions of models, and aliases that say which is for what.

`open_registry` finds the backend: a directory (`local`), or Weights & Biases (`wandb`, the only
file that imports wandb). `promotion` runs the gate before an alias moves.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from arxiv_core.registry.records import Move, Provenance, Registry, Version
from arxiv_core.registry.reference import PREFIX, PRODUCTION, Reference, RegistryError

__all__ = [
    "PREFIX",
    "PRODUCTION",
    "VARIABLE",
    "Move",
    "Provenance",
    "Reference",
    "Registry",
    "RegistryError",
    "Version",
    "model_directory",
    "open_registry",
    "pull",
]

VARIABLE = "ARXIV_CORE_REGISTRY"
"""Environment variable: a directory, or ``wandb://ENTITY/PROJECT``."""

WANDB = "wandb://"


def open_registry(
    place: str | os.PathLike[str] | None = None,
    backend: Literal["local", "wandb"] | None = None,
) -> Registry:
    """Open a registry.

    Parameters
    ----------
    place
        A directory or ``wandb://ENTITY/PROJECT``; else what `VARIABLE` says, else ``registry`` in
        ``ARXIV_CORE_HOME``.
    backend
        Which kind is meant; without it `place` says it. A `VARIABLE` of the other kind is then
        not looked at.

    Returns
    -------
    Registry
        The backend.

    Raises
    ------
    RegistryError
        `place` is of the other kind than `backend`, or no address of W&B.
    MissingExtraError
        It is W&B, and wandb is not installed.
    """
    given = os.fspath(place) if place is not None else None
    if given is None:
        given = os.environ.get(VARIABLE) or None
        if given is not None and backend not in {None, _kind(given)}:
            given = None
    elif backend not in {None, _kind(given)}:
        raise RegistryError(f"registry {given}: not a place of the backend {backend}")
    if backend == "wandb" or (given is not None and _kind(given) == "wandb"):
        from arxiv_core.registry.wandb import WandbRegistry

        return WandbRegistry(given or WANDB)
    from arxiv_core.registry.local import LocalRegistry

    return LocalRegistry(given)


def model_directory(reference: str) -> Path:
    """Find the directory of a registered model.

    Parameters
    ----------
    reference
        ``registry:NAME``, which is its production version, ``registry:NAME@v3`` or
        ``registry:NAME@ALIAS``.

    Raises
    ------
    RegistryError
        There is no such model, version or alias; names the nearest.
    ModelError
        The version is damaged.
    """
    registry = open_registry()
    return registry.directory(registry.find(Reference.parse(reference)))


def pull(registry: Registry, version: Version, target: Path) -> Path:
    """Copy a version's model directory to where it may be changed.

    Parameters
    ----------
    registry
        Where the version is.
    version
        What to copy.
    target
        Directory to write, which must be new or empty.

    Returns
    -------
    Path
        `target`; it is whole or not there.

    Raises
    ------
    RegistryError
        There is something at `target`, or it lies inside the registry.
    ModelError
        The version is damaged.
    """
    import shutil
    import tempfile

    from arxiv_core.registry import content
    from arxiv_core.registry.local import LocalRegistry

    target = target.absolute()
    if isinstance(registry, LocalRegistry) and registry.holds(target):
        raise RegistryError(f"{target}: inside the registry, whose versions are immutable")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RegistryError(f"{target}: there is something already; give a new directory")
    source = registry.directory(version)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        content.copy(source, staging)
        staging.chmod(0o755)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def _kind(place: str) -> Literal["local", "wandb"]:
    return "wandb" if place.startswith(WANDB) else "local"
