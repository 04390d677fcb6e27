"""Composition with Hydra's compose API, and errors that say what was meant."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, cast

from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from arxiv_core import OptionError
from arxiv_core.config import store as store
from arxiv_core.config.mistakes import check, sentence
from arxiv_core.config.schema import Config

__all__ = ["TREE", "as_yaml", "composed", "groups", "initialized", "typed"]

TREE = Path(__file__).with_name("tree")

StrPath = str | os.PathLike[str]


def typed(
    overrides: Sequence[str], base: StrPath | None = None, directory: StrPath | None = None
) -> Config:
    """As `arxiv_core.config.compose`."""
    return cast("Config", OmegaConf.to_object(composed(overrides, base, directory)))


def as_yaml(
    overrides: Sequence[str], base: StrPath | None = None, directory: StrPath | None = None
) -> str:
    """As `arxiv_core.config.render`, in the very words in which DVC writes ``params.yaml``."""
    return OmegaConf.to_yaml(composed(overrides, base, directory))


def groups(directory: StrPath | None = None) -> dict[str, list[str]]:
    """List the groups and their choices.

    Parameters
    ----------
    directory
        The user's own folder beside the tree.

    Returns
    -------
    dict of str to list of str
        ``{"head": ["hybrid", "logistic", "mlp"], …}``.
    """
    found: dict[str, set[str]] = {}
    for place in places(directory):
        for folder in place.iterdir():
            if choices := {file.stem for file in folder.glob("*.yaml")}:
                found.setdefault(folder.name, set()).update(choices)
    return {name: sorted(found[name]) for name in sorted(found)}


def places(directory: StrPath | None) -> list[Path]:
    """Folders in which groups are looked for, first found first taken.

    Raises
    ------
    FileNotFoundError
        There is no `directory`.
    """
    if directory is None:
        return [TREE]
    own = Path(directory).resolve()
    if not own.is_dir():
        raise FileNotFoundError(2, "no such directory of configuration groups", str(directory))
    return [own, TREE]


def composed(
    overrides: Sequence[str], base: StrPath | None, directory: StrPath | None
) -> DictConfig:
    """Compose, and resolve every interpolation."""
    choices = groups(directory)
    for override in overrides:
        check(override, choices)
    try:
        if base is None:
            with initialized(directory):
                config = compose("config", overrides=[_open(one) for one in overrides])
        else:
            config = _onto(base, overrides, choices)
        OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException) as error:
        raise OptionError(sentence(error)) from error
    return config


def _open(override: str) -> str:
    """Let ``sweep.space`` have any keys: it is the one mapping whose keys are the user's."""
    return f"++{override}" if override.startswith("sweep.space=") else override


class OwnFolder(SearchPathPlugin):
    """Has Hydra look into the user's folder before the tree."""

    directory: ClassVar[Path | None] = None

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Put the folder in front; Hydra calls it whenever it is pointed at the tree."""
        if self.directory is not None:
            search_path.prepend("own", f"file://{self.directory}", anchor="main")


Plugins.instance().register(OwnFolder)


@contextlib.contextmanager
def initialized(directory: StrPath | None) -> Iterator[None]:
    """Point Hydra at the tree, and at the user's folder before it."""
    *own, tree = places(directory)
    OwnFolder.directory = own[0] if own else None
    try:
        with initialize_config_dir(str(tree), version_base="1.3", job_name="arxiv-core"):
            yield
    finally:
        OwnFolder.directory = None


def _onto(
    base: StrPath, overrides: Sequence[str], choices: Mapping[str, Sequence[str]]
) -> DictConfig:
    """Lay overrides over a whole configuration."""
    config = cast("DictConfig", OmegaConf.merge(OmegaConf.structured(Config), _whole(Path(base))))
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key, value = override.key_or_group, override.value()
        if key in choices and not isinstance(value, dict):
            raise OptionError(
                f"{override.input_line}: the groups of {base} are chosen already; "
                f"set keys, as in {key}.KEY=VALUE"
            )
        OmegaConf.update(config, key, value, merge=True)
    return config


def _whole(path: Path) -> DictConfig:
    """Read a whole configuration: a file, or the one that a run left in its directory."""
    file = path / "config.json" if path.is_dir() else path
    try:
        found = OmegaConf.load(file)
    except YAMLError as error:
        raise OptionError(f"{file}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, DictConfig):
        raise OptionError(f"{file}: not a configuration: it must be a mapping of keys")
    # What the papers were prepared with stands in a run's record beside the configuration.
    found.pop("prepared", None)
    return found
