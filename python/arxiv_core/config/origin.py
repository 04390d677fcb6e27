"""Where each value of a composed configuration came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from arxiv_core.config.composition import TREE, StrPath, composed, initialized, places
from arxiv_core.config.schema import Config

__all__ = ["annotated", "origins"]

DEFAULT = "default"
COLUMN = 48
"""Where the remarks begin, unless a value reaches further."""


def annotated(overrides: Sequence[str], base: StrPath | None, directory: StrPath | None) -> str:
    """Write a configuration as YAML, each value's origin behind it.

    Parameters
    ----------
    overrides, base, directory
        As in `arxiv_core.config.compose`.

    Returns
    -------
    str
        YAML.
    """
    config = composed(overrides, base, directory)
    found = origins(overrides, base, directory)
    return "".join(f"{line}\n" for line in _lines(_plain(config), found, "", ""))


def origins(
    overrides: Sequence[str], base: StrPath | None, directory: StrPath | None
) -> dict[str, str]:
    """Tell what set each key; one that is not there has its default from ``schema.py``.

    Parameters
    ----------
    overrides, base, directory
        As in `arxiv_core.config.compose`.

    Returns
    -------
    dict of str to str
        Dotted key to a file of the tree, a file of the user's, or ``override``.
    """
    found: dict[str, str] = {}
    if base is not None:
        usual = dict(_leaves(_plain(OmegaConf.structured(Config)), ""))
        now = dict(_leaves(_plain(composed((), base, directory)), ""))
        found |= {key: str(base) for key in now if now[key] != usual.get(key)}
    else:
        for file, prefix in _files(overrides, directory):
            name = file.relative_to(TREE) if file.is_relative_to(TREE) else file
            values = _plain(cast("DictConfig", OmegaConf.load(file)))
            values.pop("defaults", None)
            found |= dict.fromkeys((key for key, _ in _leaves(values, prefix)), str(name))
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key, value = override.key_or_group, override.value()
        if isinstance(value, Mapping):
            found |= dict.fromkeys((one for one, _ in _leaves(value, f"{key}.")), "override")
        found[key] = "override"
    return found


def _files(overrides: Sequence[str], directory: StrPath | None) -> Iterator[tuple[Path, str]]:
    """Files that Hydra merges, first to last, each with the prefix of its keys."""
    with initialized(directory):
        loader = GlobalHydra.instance().config_loader()
        merged = loader.compute_defaults_list("config", list(overrides), RunMode.RUN)
    for one in merged.defaults:
        for place in places(directory):
            file = place / f"{one.config_path}.yaml"
            if file.is_file():
                package = one.package or ""
                yield file, f"{package}." if package not in {"", "_global_"} else ""
                break


def _plain(config: DictConfig) -> dict[str, Any]:
    return cast("dict[str, Any]", OmegaConf.to_container(config, enum_to_str=True))


def _leaves(values: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _lines(
    values: Mapping[Any, Any], found: Mapping[str, str], prefix: str, indent: str
) -> Iterator[str]:
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}:"
            yield from _lines(value, found, f"{key}.", f"{indent}  ")
            continue
        if isinstance(value, (list, Mapping)):
            # JSON is YAML, on one line.
            written = f"{name}: {json.dumps(value, ensure_ascii=False)}"
        else:
            written = OmegaConf.to_yaml({name: value}).rstrip()
        yield f"{indent + written:<{COLUMN}}  # {found.get(key, DEFAULT)}"
