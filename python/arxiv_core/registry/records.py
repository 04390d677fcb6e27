"""What a registry keeps about models, and what every backend can do."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from arxiv_core.registry.reference import Reference

__all__ = ["Move", "Provenance", "Registry", "Version", "now", "whoami"]


@dataclass(frozen=True)
class Provenance:
    """Where a model came from, as far as is known."""

    run: str | None = None
    """The run that made it."""
    git_commit: str | None = None
    """Commit of the code that made it."""


@dataclass(frozen=True)
class Version:
    """One registered model; nothing of it ever changes, its aliases apart."""

    name: str
    version: str
    content_hash: str | None
    """SHA-256 of its ``manifest.json``; None for an artifact that was not registered here."""
    registered_at: str
    registered_by: str | None = None
    run: str | None = None
    git_commit: str | None = None
    labels: int | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """Headline of its evaluation."""
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return asdict(self) | {"aliases": list(self.aliases)}


@dataclass(frozen=True)
class Move:
    """One time an alias was moved, removed or refused."""

    alias: str
    origin: str | None
    """Version that it pointed to; None where there was no such alias."""
    target: str | None
    """Version that it was to point to; None where it was removed."""
    at: str
    by: str
    why: str
    moved: bool = True
    """False where the gate refused."""
    gate: Mapping[str, Any] | None = None
    """The gate's report, where one was run."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return asdict(self)


class Registry(Protocol):
    """A place of models: immutable versions and aliases that point to them."""

    @property
    def place(self) -> str:
        """Where it is, as errors name it."""

    def models(self) -> list[str]:
        """Names that have a version, sorted."""

    def versions(self, name: str) -> list[Version]:
        """Every version of a model, oldest first.

        Raises
        ------
        RegistryError
            There is no such model.
        """

    def find(self, reference: Reference) -> Version:
        """Look a version up.

        Raises
        ------
        RegistryError
            There is no such model, version or alias; names the nearest.
        """

    def holder(self, name: str, alias: str) -> Version | None:
        """Look up the version that an alias points to; None where it points to none."""

    def register(self, directory: Path, name: str, provenance: Provenance) -> tuple[Version, bool]:
        """Add a model directory as the next version.

        Returns
        -------
        tuple of Version and bool
            The version, and whether it is new: the same content is the same version.

        Raises
        ------
        ModelError
            It is no model directory, or one of its files is not what its manifest lists.
        """

    def directory(self, version: Version) -> Path:
        """Return a model directory on this machine, checked.

        Raises
        ------
        ModelError
            A file is missing or changed.
        """

    def move(
        self,
        version: Version,
        alias: str,
        why: str,
        *,
        gate: Mapping[str, Any] | None = None,
        expected: str | None = None,
    ) -> Move:
        """Point an alias to a version and record it.

        Parameters
        ----------
        version
            What it will point to.
        alias
            Any name that does not look like a version.
        why
            Reason, for the history.
        gate
            Report of the gate that was passed.
        expected
            With `gate`: the version that it was compared with, to which the alias must still
            point; None where there was none.

        Raises
        ------
        RegistryError
            It is no alias; it is `PRODUCTION` and there is no gate; or it was moved by someone
            else meanwhile.
        """

    def refuse(self, version: Version, alias: str, why: str, gate: Mapping[str, Any]) -> Move:
        """Record that the gate kept an alias from moving."""

    def remove(self, name: str, alias: str, why: str) -> Move:
        """Remove an alias and record it.

        Raises
        ------
        RegistryError
            There is no such alias, or it is `PRODUCTION`.
        """

    def history(self, name: str) -> list[Move]:
        """Every move of a model's aliases, oldest first."""


def now() -> str:
    """Return the time in UTC, as records have it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def whoami() -> str:
    """Return who is at work: the person who started the workflow, else user and machine."""
    if actor := os.environ.get("GITHUB_ACTOR"):
        return f"{actor}@github"
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        # A container's user need not have a name.
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"
