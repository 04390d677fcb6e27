"""A registry at Weights & Biases. Beside tracking, only this file imports wandb.

A model is a collection of artifacts of the type ``model``, its versions and aliases are W&B's
own, and what the registry knows about a version is in the artifact's metadata. In a project a
version is logged into its collection; in a W&B registry (a project ``wandb-registry-…``) it is
logged into the project ``arxiv-core``, or ``WANDB_PROJECT``, and linked.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arxiv_core import home
from arxiv_core._core import ArxivCoreError, ModelError
from arxiv_core.extras import require
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

__all__ = ["WandbRegistry"]

SCHEME = "wandb://"
TYPE = "model"
SHARED = "wandb-registry-"
"""What the names of W&B's registries begin with."""

KEY = "arxiv_core"
"""The metadata's key for what is known about a version."""

MOVES = "arxiv_core_moves"
"""The metadata's key for its alias moves, as JSON: nested keys count toward W&B's limit."""


class WandbRegistry:
    """Models as artifacts of a W&B project or registry."""

    def __init__(self, address: str = SCHEME, client: Any = None) -> None:  # noqa: ANN401
        """Open it; the server is asked only when something is wanted.

        Parameters
        ----------
        address
            ``wandb://ENTITY/PROJECT``; what is left away is ``WANDB_ENTITY``, or the key's own,
            and ``WANDB_PROJECT``, or ``arxiv-core``.
        client
            What offers ``Api``, ``init`` and ``Artifact``; the package wandb unless given.
        """
        if client is None:
            require("wandb", extra="tracking", what="the W&B registry")
            import wandb

            client = wandb
        parts = [part for part in address.removeprefix(SCHEME).split("/") if part]
        if not address.startswith(SCHEME) or len(parts) not in {0, 2}:
            raise RegistryError(f"registry {address}: must be wandb://ENTITY/PROJECT")
        self._client = client
        self._api: Any = None
        default = os.environ.get("WANDB_PROJECT") or "arxiv-core"
        if parts:
            self._entity: str | None = parts[0]
            self._project = parts[1]
        else:
            self._entity = os.environ.get("WANDB_ENTITY") or None
            self._project = default
        self._is_shared = self._project.startswith(SHARED)
        self._log_project = default if self._is_shared else self._project

    @property
    def place(self) -> str:
        """Its address."""
        return f"{SCHEME}{self._path}"

    @property
    def _path(self) -> str:
        return f"{self._entity}/{self._project}" if self._entity else self._project

    def models(self) -> list[str]:
        """Names that have a version, sorted."""
        with self._asked("list models"):
            try:
                found = list(self._server().artifact_collections(self._path, TYPE))
            except ValueError:
                # What wandb says where the project, or the type in it, is not there yet.
                return []
            return sorted(str(collection.name) for collection in found)

    def versions(self, name: str) -> list[Version]:
        """Every version of a model, oldest first."""
        artifacts = self._artifacts(name)
        return [_version(name, artifact) for artifact in artifacts]

    def find(self, reference: Reference) -> Version:
        """Look a version up by itself or by an alias."""
        return _version(reference.name, self._artifact(reference))

    def holder(self, name: str, alias: str) -> Version | None:
        """Look up the version that an alias points to; None where it points to none."""
        return next((one for one in self.versions(name) if alias in one.aliases), None)

    def register(self, directory: Path, name: str, provenance: Provenance) -> tuple[Version, bool]:
        """Log a model directory as the next version; the same content is the same version."""
        check_name(name)
        digest = content.verify(directory)
        known = self.versions(name) if name in self.models() else []
        for one in known:
            if one.content_hash == digest:
                return one, False
        facts = {
            "content_hash": digest,
            "registered_at": now(),
            "registered_by": whoami(),
            "run": provenance.run,
            "git_commit": provenance.git_commit,
            "labels": len(content.labels(directory)),
            "metrics": content.headline(directory),
        }
        with self._asked(f"register {name}"):
            artifact = self._client.Artifact(name, type=TYPE, metadata={KEY: facts})
            for file in [*content.listed(directory), content.MANIFEST]:
                artifact.add_file(str(directory / file), name=file)
            # A registry's entity is an organization, which runs do not belong to.
            entity = None if self._is_shared else self._entity
            with self._client.init(
                entity=entity,
                project=self._log_project,
                job_type="register",
                mode="online",
                reinit="create_new",
            ) as run:
                logged = run.log_artifact(artifact).wait()
                if self._is_shared:
                    logged = run.link_artifact(logged, f"{self._path}/{name}")
            return _version(name, logged), True

    def directory(self, version: Version) -> Path:
        """Download the version once, and return its directory, checked."""
        kept = home.folder("models") / "registry"
        if version.content_hash is not None and (kept / version.content_hash).is_dir():
            directory = kept / version.content_hash
        else:
            directory = self._download(version, kept)
        if content.content_hash(directory) != version.content_hash and version.content_hash:
            raise ModelError(
                f"model {version}: damaged: sha256 of {directory / content.MANIFEST} is not "
                f"{version.content_hash}, with which it was registered; delete the directory"
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
        """Point an alias to a version and record it; W&B takes it from the one before."""
        check_alias(alias)
        if gate is None:
            guard(alias)
        holder = self.holder(version.name, alias)
        origin = None if holder is None else holder.version
        if gate is not None and origin != expected:
            raise RegistryError(
                f"model {version.name}: {alias} was moved from {expected or 'nothing'} to "
                f"{origin or 'nothing'} while the gate ran; promote again"
            )
        move = Move(alias, origin, version.version, now(), whoami(), why, gate=gate)
        artifact = self._artifact(Reference(version.name, version.version))
        with self._asked(f"move {alias} to {version}"):
            if alias not in artifact.aliases:
                artifact.aliases = [*artifact.aliases, alias]
            _note(artifact, move)
            artifact.save()
        return move

    def refuse(self, version: Version, alias: str, why: str, gate: Mapping[str, Any]) -> Move:
        """Record that the gate kept an alias from moving."""
        check_alias(alias)
        holder = self.holder(version.name, alias)
        origin = None if holder is None else holder.version
        move = Move(alias, origin, version.version, now(), whoami(), why, False, gate)
        artifact = self._artifact(Reference(version.name, version.version))
        with self._asked(f"record what was found about {version}"):
            _note(artifact, move)
            artifact.save()
        return move

    def remove(self, name: str, alias: str, why: str) -> Move:
        """Remove an alias and record it."""
        guard(alias)
        holder = self.holder(name, alias)
        if holder is None:
            aliases = [one for version in self.versions(name) for one in version.aliases]
            raise RegistryError(f"model {name}: no alias {alias}{nearest(alias, aliases)}")
        move = Move(alias, holder.version, None, now(), whoami(), why)
        artifact = self._artifact(Reference(name, holder.version))
        with self._asked(f"remove {alias} from {holder}"):
            artifact.aliases = [one for one in artifact.aliases if one != alias]
            _note(artifact, move)
            artifact.save()
        return move

    def history(self, name: str) -> list[Move]:
        """Every move of a model's aliases that was made here, oldest first."""
        moves = [move for artifact in self._artifacts(name) for move in _moves(artifact)]
        return sorted(moves, key=lambda move: move.at)

    def _server(self) -> Any:  # noqa: ANN401
        if self._api is None:
            self._api = self._client.Api()
        return self._api

    def _artifacts(self, name: str) -> list[Any]:
        check_name(name)
        known = self.models()
        if name not in known:
            raise RegistryError(
                f"model {name}: not in the registry {self.place}{nearest(name, known)}"
            )
        with self._asked(f"list the versions of {name}"):
            found = list(self._server().artifacts(TYPE, f"{self._path}/{name}"))
        return sorted(found, key=lambda artifact: number(artifact.version))

    def _artifact(self, reference: Reference) -> Any:  # noqa: ANN401
        try:
            with self._asked(f"look {reference} up"):
                name = f"{self._path}/{reference.name}:{reference.which}"
                return self._server().artifact(name, type=TYPE)
        except _NotFoundError:
            pass
        versions = self.versions(reference.name)
        names = [one.version for one in versions]
        kind = "version" if is_version(reference.which) else "alias"
        aliases = [] if kind == "version" else [a for one in versions for a in one.aliases]
        raise RegistryError(
            f"model {reference}: no {kind} {reference.which}"
            f"{nearest(reference.which, [*aliases, *names])}"
        )

    def _download(self, version: Version, kept: Path) -> Path:
        artifact = self._artifact(Reference(version.name, version.version))
        kept.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".download-", dir=kept))
        try:
            with self._asked(f"download {version}"):
                artifact.download(root=str(staging))
            digest = content.verify(staging)
            if version.content_hash not in {None, digest}:
                raise ModelError(
                    f"model {version}: damaged: sha256 of {content.MANIFEST} is {digest}, "
                    f"registered with {version.content_hash}"
                )
            target = kept / digest
            with contextlib.suppress(OSError):
                # Another process may have been quicker.
                staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return target

    @contextlib.contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        """Turn what W&B raises into one sentence."""
        try:
            yield
        except ArxivCoreError:
            raise
        except Exception as error:
            # wandb's own errors, its transport's and requests' have no base in common.
            said = next(iter(str(error).strip().splitlines()), type(error).__name__)
            if "not found" in said:
                raise _NotFoundError(f"registry {self.place}: cannot {what}: {said}") from error
            if re.search(r"api.?key|no authentication", said, re.IGNORECASE):
                said = "no key: set WANDB_API_KEY or run wandb login"
            raise RegistryError(f"registry {self.place}: cannot {what}: {said}") from error


class _NotFoundError(RegistryError):
    """W&B has nothing under that name."""


def _version(name: str, artifact: Any) -> Version:  # noqa: ANN401
    facts = artifact.metadata.get(KEY) or {}
    return Version(
        name=name,
        version=str(artifact.version),
        content_hash=facts.get("content_hash"),
        registered_at=facts.get("registered_at") or str(artifact.created_at),
        registered_by=facts.get("registered_by"),
        run=facts.get("run"),
        git_commit=facts.get("git_commit"),
        labels=facts.get("labels"),
        metrics=facts.get("metrics") or {},
        aliases=tuple(sorted(str(alias) for alias in artifact.aliases if alias != LATEST)),
    )


def _moves(artifact: Any) -> list[Move]:  # noqa: ANN401
    return [Move(**one) for one in json.loads(artifact.metadata.get(MOVES) or "[]")]


def _note(artifact: Any, move: Move) -> None:  # noqa: ANN401
    moves = [one.as_dict() for one in [*_moves(artifact), move]]
    artifact.metadata = {**artifact.metadata, MOVES: json.dumps(moves)}
