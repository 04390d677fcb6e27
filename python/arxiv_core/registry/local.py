"""A registry in a directory: safe with several processes that write at once.

::

    NAME/v3/model/       the model directory, read-only
    NAME/v3/version.json what is known about it, read-only
    NAME/aliases.json    aliases, and the history of their moves
    .locks/NAME.lock     held by whoever writes

A version is staged beside its place and renamed into it; aliases and history are one file, which
is replaced at once. So what can be seen is whole at any time, and reading needs no lock.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arxiv_core import home
from arxiv_core._core import ModelError
from arxiv_core.pipeline.record import read_json, write_json
from arxiv_core.registry import content
from arxiv_core.registry.records import Move, Provenance, Version, now, whoami
from arxiv_core.registry.reference import (
    LATEST,
    Reference,
    RegistryError,
    check_alias,
    check_name,
    guard,
    is_version,
    nearest,
    number,
)

__all__ = ["LocalRegistry"]

FORMAT = 1

MODEL = "model"
RECORD = "version.json"
ALIASES = "aliases.json"
STAGING = ".staging-"

PATIENCE = 120.0
"""Seconds to wait for another process that writes."""


class LocalRegistry:
    """Models in a directory."""

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        """Open it; `root` is ``registry`` in ``ARXIV_CORE_HOME`` unless given."""
        given = home.folder("registry") if root is None else Path(root)
        self._root = given.expanduser().absolute()

    @property
    def place(self) -> str:
        """The directory."""
        return str(self._root)

    def models(self) -> list[str]:
        """Names that have a version, sorted."""
        if not self._root.is_dir():
            return []
        found = (entry.name for entry in self._root.iterdir() if entry.is_dir())
        return sorted(name for name in found if name[0] != "." and self._names(name))

    def versions(self, name: str) -> list[Version]:
        """Every version of a model, oldest first."""
        versions = self._names(self._known(name))
        aliases, _ = self._state(name)
        return [self._read(name, version, aliases) for version in versions]

    def find(self, reference: Reference) -> Version:
        """Look a version up by itself or by an alias."""
        name = self._known(reference.name)
        versions = self._names(name)
        aliases, _ = self._state(name)
        which = reference.which
        if which == LATEST:
            which = versions[-1]
        elif not is_version(which):
            if which not in aliases:
                known = [*aliases, *versions]
                raise RegistryError(f"model {reference}: no alias {which}{nearest(which, known)}")
            which = aliases[which]
        if which not in versions:
            raise RegistryError(f"model {reference}: no version {which}{nearest(which, versions)}")
        return self._read(name, which, aliases)

    def holder(self, name: str, alias: str) -> Version | None:
        """Look up the version that an alias points to; None where it points to none."""
        aliases, _ = self._state(self._known(name))
        return self._read(name, aliases[alias], aliases) if alias in aliases else None

    def register(self, directory: Path, name: str, provenance: Provenance) -> tuple[Version, bool]:
        """Add a model directory as the next version; the same content is the same version."""
        check_name(name)
        digest = content.verify(directory)
        with self._writing(name) as folder:
            aliases, _ = self._state(name)
            versions = self._names(name)
            for version in versions:
                known = self._read(name, version, aliases)
                if known.content_hash == digest:
                    return known, False
            version = f"v{number(versions[-1]) + 1 if versions else 1}"
            staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=folder))
            content.copy(directory, staging / MODEL)
            if content.content_hash(staging / MODEL) != digest:
                raise ModelError(f"{directory}: it changed while it was registered")
            made = Version(
                name=name,
                version=version,
                content_hash=digest,
                registered_at=now(),
                registered_by=whoami(),
                run=provenance.run,
                git_commit=provenance.git_commit,
                labels=len(content.labels(staging / MODEL)),
                metrics=content.headline(staging / MODEL),
            )
            record = made.as_dict() | {"format_version": FORMAT}
            del record["aliases"]
            write_json(staging / RECORD, record)
            _freeze(staging)
            staging.rename(folder / version)
        return made, True

    def directory(self, version: Version) -> Path:
        """Return the version's model directory, its manifest checked.

        Whoever loads a model checks its files against the manifest.
        """
        directory = self._root / version.name / version.version / MODEL
        found = content.content_hash(directory)
        if found != version.content_hash:
            raise ModelError(
                f"model {version}: damaged: sha256 of {directory / content.MANIFEST} is {found}, "
                f"registered with {version.content_hash}"
            )
        return directory

    def move(
        self,
        version: Version,
        alias: str,
        why: str,
        *,
        gate: Mapping[str, Any] | None = None,
        expected: str | None = None,
    ) -> Move:
        """Point an alias to a version and record it."""
        check_alias(alias)
        if gate is None:
            guard(alias)
        with self._writing(version.name):
            aliases, moves = self._state(version.name)
            if version.version not in self._names(version.name):
                raise RegistryError(f"model {version}: there is no such version in {self.place}")
            origin = aliases.get(alias)
            if gate is not None and origin != expected:
                raise RegistryError(
                    f"model {version.name}: {alias} was moved from {expected or 'nothing'} to "
                    f"{origin or 'nothing'} while the gate ran; promote again"
                )
            move = Move(alias, origin, version.version, now(), whoami(), why, gate=gate)
            self._write(version.name, aliases | {alias: version.version}, [*moves, move])
        return move

    def refuse(self, version: Version, alias: str, why: str, gate: Mapping[str, Any]) -> Move:
        """Record that the gate kept an alias from moving."""
        check_alias(alias)
        with self._writing(version.name):
            aliases, moves = self._state(version.name)
            move = Move(
                alias, aliases.get(alias), version.version, now(), whoami(), why, False, gate
            )
            self._write(version.name, aliases, [*moves, move])
        return move

    def remove(self, name: str, alias: str, why: str) -> Move:
        """Remove an alias and record it."""
        guard(alias)
        with self._writing(self._known(name)):
            aliases, moves = self._state(name)
            if alias not in aliases:
                raise RegistryError(f"model {name}: no alias {alias}{nearest(alias, aliases)}")
            move = Move(alias, aliases.pop(alias), None, now(), whoami(), why)
            self._write(name, aliases, [*moves, move])
        return move

    def history(self, name: str) -> list[Move]:
        """Every move of a model's aliases, oldest first."""
        return self._state(self._known(name))[1]

    def holds(self, path: Path) -> bool:
        """Whether `path` lies inside, where nothing may be written from outside."""
        return path.resolve().is_relative_to(self._root.resolve())

    def _known(self, name: str) -> str:
        check_name(name)
        if not self._names(name):
            raise RegistryError(
                f"model {name}: not in the registry {self.place}{nearest(name, self.models())}"
            )
        return name

    def _names(self, name: str) -> list[str]:
        folder = self._root / name
        if not folder.is_dir():
            return []
        return sorted((one.name for one in folder.iterdir() if is_version(one.name)), key=number)

    def _read(self, name: str, version: str, aliases: Mapping[str, str]) -> Version:
        path = self._root / name / version / RECORD
        try:
            record = read_json(path)
            if record.pop("format_version") != FORMAT:
                raise ModelError(f"{path}: written by another version of arxiv-core")
            mine = tuple(sorted(one for one, target in aliases.items() if target == version))
            return Version(**record, aliases=mine)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"model {name}@{version}: damaged: {path}: {error}") from error

    def _state(self, name: str) -> tuple[dict[str, str], list[Move]]:
        path = self._root / name / ALIASES
        if not path.exists():
            return {}, []
        try:
            state = read_json(path)
            if state["format_version"] != FORMAT:
                raise ModelError(f"{path}: written by another version of arxiv-core")
            return dict(state["aliases"]), [Move(**one) for one in state["moves"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"model {name}: damaged: {path}: {error}") from error

    def _write(self, name: str, aliases: Mapping[str, str], moves: list[Move]) -> None:
        state = {
            "format_version": FORMAT,
            "aliases": dict(sorted(aliases.items())),
            "moves": [move.as_dict() for move in moves],
        }
        write_json(self._root / name / ALIASES, state)

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        """Be the only one who writes a model; what an earlier writer left half-done goes."""
        from filelock import FileLock, Timeout

        folder = self._root / name
        locks = self._root / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(locks / f"{name}.lock", timeout=PATIENCE):
                folder.mkdir(exist_ok=True)
                _sweep(folder)
                try:
                    yield folder
                finally:
                    _sweep(folder)
                    with contextlib.suppress(OSError):
                        folder.rmdir()
        except Timeout:
            raise RegistryError(
                f"model {name}: another process has been writing to {self.place} "
                f"for more than {PATIENCE:g} seconds"
            ) from None


def _freeze(staging: Path) -> None:
    for path in sorted(staging.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    staging.chmod(0o555)


def _sweep(folder: Path) -> None:
    for unfinished in folder.glob(f".{ALIASES}.*"):
        unfinished.unlink()
    for left in folder.glob(f"{STAGING}*"):
        for path in (left, *left.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
        shutil.rmtree(left)
