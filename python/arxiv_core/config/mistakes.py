"""What is wrong with an override, and what was probably meant."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from arxiv_core import OptionError
from arxiv_core.config import store as store
from arxiv_core.config.schema import Config

__all__ = ["check", "sentence"]

OPTIONAL = {"debug", "experiment"}
"""Groups of which none need be chosen."""


def check(override: str, groups: Mapping[str, Sequence[str]]) -> None:
    """Refuse what Hydra would refuse, saying what was probably meant.

    Parameters
    ----------
    override
        As given: ``KEY=VALUE`` or ``GROUP=CHOICE``.
    groups
        Every group's choices.

    Raises
    ------
    OptionError
        In one sentence.
    """
    if "=" not in override and not override.startswith("~"):
        raise OptionError(f"{override!r} is not KEY=VALUE; {_nearest(override, groups)}")
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
    choices = groups.get(key)
    if choices is not None:
        if value not in choices and not (value is None and key in OPTIONAL):
            hint = f"; did you mean {close}?" if (close := _close(given, choices)) else ""
            raise OptionError(f"{override}: {key} is one of {', '.join(choices)}{hint}")
    elif key not in _keys():
        raise OptionError(f"no key {key!r} in the configuration; {_nearest(key, groups)}")


def sentence(error: BaseException) -> str:
    """Say the innermost cause in one line: Hydra wraps OmegaConf's errors, and says less.

    Parameters
    ----------
    error
        Hydra's or OmegaConf's.

    Returns
    -------
    str
        With the key it is about, and the nearest known one where it is none.
    """
    cause: Any = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    key = getattr(cause, "full_key", None)
    text = str(getattr(cause, "msg", None) or cause).splitlines()[0].strip()
    if key and key not in _keys():
        return f"no key {key!r} in the configuration; {_nearest(str(key), {})}"
    return f"{key}: {text}" if key else text


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


def _nearest(key: str, groups: Mapping[str, Sequence[str]]) -> str:
    known = [*_keys(), *groups]
    # A right name in the wrong place is likelier than a key that merely looks alike.
    leaf = key.rpartition(".")[2]
    same = [one for one in known if one.rpartition(".")[2] == leaf]
    found = same[0] if same else _close(key, known) or _close(leaf, known)
    return f"did you mean {found}?" if found else "arxiv-core config shows all of them"


def _close(word: str, known: Sequence[str]) -> str | None:
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return found[0] if found else None
