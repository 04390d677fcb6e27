"""Composition with Hydra's compose API, and errors that say what was meant."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from arxiv_core import OptionError
from arxiv_core.config.schema import Config
from arxiv_core.extras import require

require("hydra", extra="pipeline", what="the configuration")

from hydra import compose, initialize_config_dir  # noqa: E402 - after the check above
from hydra.core.config_store import ConfigStore  # noqa: E402
from hydra.core.override_parser.overrides_parser import OverridesParser  # noqa: E402
from hydra.errors import HydraException  # noqa: E402
from omegaconf import DictConfig, OmegaConf  # noqa: E402
from omegaconf.errors import OmegaConfBaseException  # noqa: E402

__all__ = ["as_yaml", "groups", "typed"]

TREE = Path(__file__).with_name("tree")

ConfigStore.instance().store(name="schema", node=Config, provider="arxiv_core")


def typed(overrides: Sequence[str]) -> Config:
    """As `arxiv_core.config.compose`."""
    return cast("Config", OmegaConf.to_object(_composed(overrides)))


def as_yaml(overrides: Sequence[str]) -> str:
    """As `arxiv_core.config.render`."""
    return OmegaConf.to_yaml(_composed(overrides), resolve=True)


@functools.cache
def groups() -> dict[str, list[str]]:
    """List the groups and their choices.

    Returns
    -------
    dict of str to list of str
        ``{"head": ["hybrid", "logistic", "mlp"], …}``.
    """
    return {
        folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
        for folder in sorted(TREE.iterdir())
        if folder.is_dir()
    }


def _composed(overrides: Sequence[str]) -> DictConfig:
    for override in overrides:
        _check(override)
    try:
        with initialize_config_dir(str(TREE), version_base="1.3", job_name="arxiv-core"):
            config = compose("config", overrides=list(overrides))
        OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException) as error:
        raise OptionError(_sentence(error)) from error
    return config


def _check(override: str) -> None:
    """Refuse what Hydra would refuse, saying what was probably meant."""
    if "=" not in override and not override.startswith("~"):
        raise OptionError(f"{override!r} is not KEY=VALUE; {_nearest(override)}")
    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException:
        raise _unquoted(override) from None
    if parsed.is_sweep_override():
        raise _unquoted(override)
    key = parsed.key_or_group
    if parsed.package is not None:
        raise OptionError(f"{override!r}: a group cannot be moved with @")
    if parsed.is_add() or parsed.is_delete() or parsed.is_force_add():
        raise OptionError(f"{override!r}: keys are fixed; only their values can be set")
    value = parsed.value()
    given = override.partition("=")[2]
    choices = groups().get(key)
    if choices is not None:
        if value not in choices:
            hint = f"; did you mean {close}?" if (close := _close(given, choices)) else ""
            raise OptionError(f"{override}: {key} is one of {', '.join(choices)}{hint}")
    elif key not in _keys():
        raise OptionError(f"no key {key!r} in the configuration; {_nearest(key)}")


def _unquoted(override: str) -> OptionError:
    key, _, value = override.partition("=")
    return OptionError(
        f"cannot read the value in {override!r}: quote it, as in \"{key}='{value}'\""
        + (f", or write a list as {key}=[{value}]" if "," in value else "")
    )


@functools.cache
def _keys() -> tuple[str, ...]:
    def below(node: DictConfig, prefix: str) -> Iterator[str]:
        for name in map(str, node):
            yield f"{prefix}{name}"
            child = node._get_node(name)
            if isinstance(child, DictConfig):
                yield from below(child, f"{prefix}{name}.")

    return tuple(below(OmegaConf.structured(Config), ""))


def _nearest(key: str) -> str:
    known = [*_keys(), *groups()]
    # A right name in the wrong place is likelier than a key that merely looks alike.
    leaf = key.rpartition(".")[2]
    same = [one for one in known if one.rpartition(".")[2] == leaf]
    found = same[0] if same else _close(key, known) or _close(leaf, known)
    return f"did you mean {found}?" if found else "arxiv-core config shows all of them"


def _close(word: str, known: Sequence[str]) -> str | None:
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return found[0] if found else None


def _sentence(error: BaseException) -> str:
    """Say the innermost cause in one line: Hydra wraps OmegaConf's errors, and says less."""
    cause: Any = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    key = getattr(cause, "full_key", None)
    text = str(getattr(cause, "msg", None) or cause).splitlines()[0].strip()
    return f"{key}: {text}" if key else text
