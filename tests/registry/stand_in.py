"""A W&B server in memory, behind the calls that wandb offers for artifacts.

Every call is bound to the signature of the method that it stands for, so that an argument which
wandb does not take fails here too. Artifacts to be logged are wandb's own.
"""

from __future__ import annotations

import functools
import inspect
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wandb
from wandb.apis import public
from wandb.errors import CommError


def like(real: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Refuse calls that `real` would refuse."""
    signature = inspect.signature(real)

    def wrap(stand_in: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(stand_in)
        def call(*arguments: Any, **named: Any) -> Any:
            signature.bind(*arguments, **named)
            return stand_in(*arguments, **named)

        return call

    return wrap


@dataclass
class Source:
    """What is stored of a logged artifact; its links share it."""

    files: Path
    digest: str
    metadata: dict[str, Any]


@dataclass
class Member:
    """A version of a collection."""

    version: str
    source: Source
    aliases: list[str] = field(default_factory=list)


@dataclass
class Server:
    """Collections by entity/project/name."""

    root: Path
    collections: dict[str, list[Member]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    key: bool = True

    def add(self, path: str, source: Source) -> Member:
        members = self.collections.setdefault(path, [])
        for member in members:
            if member.source is source:
                return member
        member = Member(f"v{len(members)}", source)
        members.append(member)
        self.give(path, member, "latest")
        return member

    def give(self, path: str, member: Member, alias: str) -> None:
        """Aliases are unique in a collection: another version's is taken from it."""
        for other in self.collections[path]:
            if alias in other.aliases:
                other.aliases.remove(alias)
        member.aliases.append(alias)


class Artifact:
    """A stored artifact, as the public API hands it out: a copy until it is saved."""

    def __init__(self, server: Server, path: str, member: Member) -> None:
        self._server, self._path, self._member = server, path, member
        self._aliases = list(member.aliases)
        self._metadata = dict(member.source.metadata)
        self.version = member.version
        self.name = f"{path.split('/')[-1]}:{member.version}"
        self.created_at = "2026-11-26T00:00:00Z"

    @property
    def aliases(self) -> list[str]:
        return self._aliases

    @aliases.setter
    def aliases(self, aliases: list[str]) -> None:
        self._aliases = list(aliases)

    @property
    def metadata(self) -> dict[str, Any]:
        return self._metadata

    @metadata.setter
    def metadata(self, metadata: dict[str, Any]) -> None:
        self._metadata = dict(metadata)

    @like(wandb.Artifact.save)
    def save(self) -> None:
        for alias in set(self._aliases) - set(self._member.aliases):
            self._server.give(self._path, self._member, alias)
        for alias in set(self._member.aliases) - set(self._aliases):
            self._member.aliases.remove(alias)
        self._member.source.metadata = dict(self._metadata)

    @like(wandb.Artifact.download)
    def download(self, root: str) -> str:
        shutil.copytree(self._member.source.files, root, dirs_exist_ok=True)
        return root

    @like(wandb.Artifact.wait)
    def wait(self) -> Artifact:
        return self


@dataclass
class Collection:
    name: str


class Api:
    def __init__(self, server: Server) -> None:
        self._server = server

    @like(public.Api.artifact_collections)
    def artifact_collections(self, project_name: str, type_name: str) -> Iterator[Collection]:
        assert type_name == "model"
        names = [
            path.rsplit("/", 1)[1]
            for path in self._server.collections
            if path.rsplit("/", 1)[0] == project_name
        ]
        if not names:
            raise ValueError("Unable to parse 'ArtifactCollections' response data")
        return iter([Collection(name) for name in names])

    @like(public.Api.artifacts)
    def artifacts(self, type_name: str, name: str) -> Iterator[Artifact]:
        assert type_name == "model"
        if name not in self._server.collections:
            raise ValueError("Unable to parse 'Artifacts' response data")
        # Newest first, as the server answers.
        members = reversed(self._server.collections[name])
        return iter([Artifact(self._server, name, member) for member in members])

    @like(public.Api.artifact)
    def artifact(self, name: str, type: str) -> Artifact:
        assert type == "model"
        path, _, which = name.partition(":")
        for member in self._server.collections.get(path, []):
            if which == member.version or which in member.aliases:
                return Artifact(self._server, path, member)
        project, collection = path.rsplit("/", 1)
        raise CommError(f"artifact membership '{collection}:{which}' not found in '{project}'")


class Run:
    def __init__(self, server: Server, project: str) -> None:
        self._server, self._project = server, project

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.runs[-1]["failed"] = error[0] is not None

    @like(wandb.Run.log_artifact)
    def log_artifact(self, artifact: wandb.Artifact) -> Artifact:
        assert artifact.type == "model"
        artifact.finalize()
        path = f"{self._project}/{artifact.name}"
        known = self._server.collections.get(path, [])
        if known and known[-1].source.digest == artifact.digest:
            return Artifact(self._server, path, known[-1])
        files = self._server.root / f"{len(self._server.runs)}-{artifact.name}"
        for name, entry in artifact.manifest.entries.items():
            target = files / name
            target.parent.mkdir(parents=True, exist_ok=True)
            assert entry.local_path is not None
            shutil.copyfile(entry.local_path, target)
        source = Source(files, artifact.digest, dict(artifact.metadata))
        return Artifact(self._server, path, self._server.add(path, source))

    @like(wandb.Run.link_artifact)
    def link_artifact(self, artifact: Artifact, target_path: str) -> Artifact:
        member = self._server.add(target_path, artifact._member.source)
        return Artifact(self._server, target_path, member)


class Client:
    """What the registry uses of the package."""

    Artifact = wandb.Artifact

    def __init__(self, server: Server) -> None:
        self._server = server

    def Api(self) -> Api:
        if not self._server.key:
            raise wandb.errors.UsageError("No authentication configured. Use `wandb login`.")
        return Api(self._server)

    def init(self, **options: Any) -> Run:
        inspect.signature(wandb.init).bind(**options)
        assert options["mode"] == "online"
        self._server.runs.append(options)
        return Run(self._server, f"{options['entity'] or 'me'}/{options['project']}")
